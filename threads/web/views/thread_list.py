"""The list of threads: one address, rendered as a page, or as its changing part for htmx."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from threads import masking, service
from threads.archive import thread_info
from threads.chatkit import ChatKitError
from threads.lib import form_fields
from threads.lib import times as when
from threads.roles import Right, account, needs
from threads.sources import query_forms
from threads.sources.query import DEFAULT_LIMIT, ThreadQuery
from threads.web import links, pasted_address
from threads.web.fetch_metadata import linked
from threads.web.htmx import erased_user, is_part, place
from threads.web.presenters import errors as problems
from threads.web.presenters import thread_list as presenters
from threads.web.request_query import thread_query

from .saved_views import beside

_NOTHING: dict[str, Any] = {
    "errors": {}, "problem": None, "pager": None, "rows": [], "notices": [], "archived": False, "outage": None,
    "lacking": None, "doubt": "", "guessed": None, "filters": 0,
    "erased": None,
}  # fmt: skip
"""What a template may ask for whatever became of the request."""

_PLACES = ("place", "after", "before", "since")
"""What no field of the form is for: an error in it is marked nowhere."""

_FIELDS = ("user", "match", "status", "has_reason", "reason", "q", "hour", "from", "to", "order")


@linked
@needs(Right.READ)
@require_safe
def thread_list(request: HttpRequest) -> HttpResponse:
    """One page of threads. 400 where the address is wrong, 502 to 504 where the upstream fails, the form kept. What is
    the id or the address of one thread leads straight to that thread."""
    sent = request.GET.dict()
    masked = masking.is_due(account(request))
    query, errors = thread_query(request, sent)
    if query is None:
        return _respond(request, _invalid(sent, errors), 400)
    now, zone = datetime.now(UTC), when.zone(request.COOKIES.get("tz"))
    times = {"as_of": when.exact(now, zone), "zone": str(zone)}
    try:
        typed = query.user if query_forms.is_typed(sent) else None
        named = pasted_address.thread_in(typed) if typed else None
        if named:
            return _to_thread(request, named)
        found = service.list_threads(query, zone)
        # Only who has no threads can be a thread: a user who has some costs no second call.
        alone = query.limit and not query.filters and not query.cursor
        if typed and alone and (found.query != query or not found.window.rows) and service.is_thread(typed.strip()):
            return _to_thread(request, typed.strip())
    except ChatKitError as error:
        problem = problems.problem(error, now, zone)
        problem = masking.deep(problem) if masked else problem
        response = _respond(request, _kept(query) | times | {"problem": problem}, problem.status, query)
        if problem.retry_after is not None:
            response.headers["Retry-After"] = str(problem.retry_after)
        return response
    except service.NeedsArchiveError:
        return _respond(request, _kept(query) | times | {"problem": problems.NEEDS_ARCHIVE}, 400, query)
    context = _kept(found.query) | times | _found(found, query, now, zone, masked=masked)
    if query.user and query.match == "exact" and not query.cursor:
        context["erased"] = erased_user(request, query.user, zone, more=found.query == query and bool(context["rows"]))
    return _respond(request, context, 200, found.query)


@needs(Right.READ)
@require_safe
def users(request: HttpRequest) -> HttpResponse:
    """Users to choose from while one is typed, as options; none for who may not see them. Always a part."""
    typed = request.GET.get("user", "").strip()[:512].replace("\0", "")
    asks = typed and thread_info.is_on() and not masking.is_due(account(request))
    found = service.offered(typed) if asks else []
    return render(request, "threads/_users.html", {"users": found})


@needs(Right.READ)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Whether the live API answers again: asked now and then by a page that the archive answered in its place. 204
    while it does not; else the page is told to come anew."""
    if not service.is_live_again():
        return HttpResponse(status=204)
    return HttpResponseClientRefresh()


def _found(found: service.Listing, asked: ThreadQuery, now: datetime, zone: tzinfo, *, masked: bool) -> dict[str, Any]:
    query, window = found.query, found.window
    pages = presenters.pager(query, window)
    confirmed = [each.confirmed_at for each in found.about.values() if each.gone_at is None]
    return {
        "rows": presenters.rows(window, query, now, zone, found.about, archived=found.archived, masked=masked),
        "pager": pages,
        "notices": presenters.notices(query, window, pages),
        "summary": presenters.summary(query, window, zone),
        "statuses": presenters.choices(found.counts, query.status),
        "counted": found.counts is not None,
        "archived": found.archived,
        "confirmed": when.relative(min(confirmed), now) if found.archived and confirmed else None,
        "outage": problems.outage(found.outage, now, zone) if found.outage else None,
        "lacking": found.lacking,
        "doubt": found.doubt,
        "guessed": query.user if query.match != asked.match else None,
    }


def _kept(query: ThreadQuery) -> dict[str, Any]:
    """The filter as it was asked for, and the ways out of a page that has nothing to show."""
    trimmed = query.user.strip() or query.user if query.user else None
    return {
        "user": query.user or "",
        "box": query_forms.boxed(query.user or ""),
        "unboxed": query_forms.unboxed(query.user or ""),
        "match": query.match,
        "status": query.status or "",
        "statuses": presenters.choices(None, query.status),
        "counted": False,
        "has_reason": {True: "yes", False: "no", None: ""}[query.has_reason],
        "reason": query.reason or "",
        "q": query.q or "",
        "hour": query.hour or "",
        "hour_said": when.hour_of_week(query.hour) if query.hour else "",
        "from": str(query.begin or ""),
        "to": str(query.end or ""),
        "order": query.order,
        "limit": query.limit,
        "limits": presenters.limit_choices(query.limit),
        "cursor": query.cursor,
        "filters": query.filters,
        "here_url": links.address(query),
        "first_url": links.address(query.first()),
        "exported": query.first().encoded(),
        "all_url": links.address(query.of(None)),
        "unfiltered_url": links.address(query.unfiltered()),
        "part_url": links.address(query.of_part()) if query.user else None,
        "trimmed_url": links.address(query.of(trimmed)) if trimmed != query.user else None,
    }


def _invalid(sent: dict[str, str], errors: form_fields.Errors) -> dict[str, Any]:
    """The form as it was sent, so that what is wrong can be put right where it stands."""
    given = None if "limit" in errors else query_forms.FIELDS["limit"].clean(sent.get("limit"))
    limit = DEFAULT_LIMIT if given is None else given
    # No HTML can hold a NUL.
    kept = {name: sent.get(name, "").replace("\0", "\ufffd") for name in _FIELDS}
    return kept | {
        "box": query_forms.boxed(kept["user"]),
        "unboxed": sent.get(query_forms.BOX, ""),
        "order": sent.get("order", "desc"),
        "statuses": presenters.choices(None, kept["status"] or None),
        "counted": False,
        "hour_said": kept["hour"],
        "limit": limit,
        "limits": presenters.limit_choices(limit),
        "errors": errors,
        "filters": sum(bool(kept[name]) for name in _FIELDS[1:-1]),
        "misplaced": {name: errors[name] for name in _PLACES if name in errors},
        "marked": bool(errors.keys() - _PLACES),
        "all_url": links.address(ThreadQuery()),
        "unfiltered_url": links.address(ThreadQuery()),
    }


def _to_thread(request: HttpRequest, thread_id: str) -> HttpResponse:
    url = links.thread_url(thread_id) or links.address(ThreadQuery())
    return HttpResponseClientRedirect(url) if is_part(request) else HttpResponseRedirect(url)


def _respond(
    request: HttpRequest, context: dict[str, Any], status: int, query: ThreadQuery | None = None
) -> HttpResponse:
    part = is_part(request)
    template = "threads/_list.html" if part else "threads/list.html"
    shown = _NOTHING | context | beside(request, query) | {"part": part, "masked": masking.is_due(account(request))}
    response = render(request, template, shown, status=status)
    if part and query is not None:
        place(request, response, links.address(query))
    return response
