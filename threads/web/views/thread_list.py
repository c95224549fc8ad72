"""The list of threads: its page, or the changing part of it for htmx."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from threads import masking, service
from threads.archive import thread_info
from threads.chatkit import ChatKitError
from threads.lib import form_fields, times
from threads.roles import Right, needs
from threads.sources import query_forms
from threads.sources.query import DEFAULT_LIMIT, ThreadQuery
from threads.web import links, pasted_address
from threads.web.erased_notice import erased_user
from threads.web.fetch_metadata import linkable
from threads.web.htmx import is_part, set_browser_url
from threads.web.presenters import errors
from threads.web.presenters.thread_list import notices, page_sizes, pager, status_choices, summary
from threads.web.presenters.thread_rows import rows
from threads.web.request import is_masked, now_and_zone, thread_query

from .columns import COLUMNS, shown_columns
from .saved_views import views_context

_NOTHING: dict[str, Any] = {
    "errors": {}, "problem": None, "pager": None, "rows": [], "notices": [], "archived": False, "outage": None,
    "lacking": None, "doubt": "", "guessed": None, "filters": 0,
    "erased": None, "customer": None, "total": None, "first_row": None,
}  # fmt: skip
"""Defaults for the variables of the template."""

_PLACES = ("place", "after", "before", "since")
"""Parameters without a form field; their errors stand above the table."""

_FIELDS = ("user", "match", "status", "has_reason", "reason", "q", "hour", "from", "to", "order")


@linkable
@needs(Right.READ)
@require_safe
def thread_list(request: HttpRequest) -> HttpResponse:
    """One page of threads. 400 if a parameter is not valid, 502 to 504 if the upstream fails, with the form as it was
    sent. The id or the address of a thread in the user field redirects to that thread."""
    sent = request.GET.dict()
    masked = is_masked(request)
    query, invalid = thread_query(request, sent)
    if query is None:
        return _respond(request, _invalid(sent, invalid), 400)
    now, zone = now_and_zone(request)
    clock = {"as_of": times.exact(now, zone), "zone": str(zone)}
    try:
        typed = query.user if query_forms.is_typed(sent) else None
        named = pasted_address.thread_in(typed) if typed else None
        if named:
            return _to_thread(request, named)
        found = service.list_threads(query, zone)
        # Only the id of a user without threads may be a thread id: a user with threads costs no second call.
        alone = query.limit and not query.filters and not query.cursor
        if typed and alone and (found.query != query or not found.window.rows) and service.thread_exists(typed.strip()):
            return _to_thread(request, typed.strip())
    except ChatKitError as error:
        problem = errors.of_list(error, now, zone)
        problem = masking.deep(problem) if masked else problem
        response = _respond(request, _form_context(query) | clock | {"problem": problem}, problem.status, query)
        if problem.retry_after is not None:
            response.headers["Retry-After"] = str(problem.retry_after)
        return response
    except service.NeedsArchiveError:
        return _respond(request, _form_context(query) | clock | {"problem": errors.NEEDS_ARCHIVE}, 400, query)
    context = _form_context(found.query) | clock | _found(found, query, now, zone, masked=masked)
    if query.user and query.match == "exact" and not query.cursor:
        context["erased"] = erased_user(
            request, query.user, zone, has_threads=found.query == query and bool(context["rows"])
        )
    return _respond(request, context, 200, found.query)


@needs(Right.READ)
@require_safe
def users(request: HttpRequest) -> HttpResponse:
    """Suggestions for the user field, as `<option>` elements; none for masked accounts."""
    typed = request.GET.get("user", "").strip()[:512].replace("\0", "")
    may_suggest = typed and thread_info.is_available() and not is_masked(request)
    found = service.suggest_users(typed) if may_suggest else []
    return render(request, "threads/_users.html", {"users": found})


@needs(Right.READ)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Whether the upstream answers again, polled by a page that the archive has answered in its place. 204 while it
    does not; then a reply that makes htmx reload the page."""
    if not service.has_recovered():
        return HttpResponse(status=204)
    return HttpResponseClientRefresh()


def _found(found: service.Listing, asked: ThreadQuery, now: datetime, zone: tzinfo, *, masked: bool) -> dict[str, Any]:
    query, window = found.query, found.window
    pages = pager(query, window)
    confirmed = [each.checked_at for each in found.about.values() if each.deleted_upstream_at is None]
    return {
        "rows": rows(window, query, now, zone, found.about, archived=found.archived, masked=masked),
        "pager": pages,
        "notices": notices(query, window, pages),
        "summary": summary(query, window, zone),
        "statuses": status_choices(found.counts, query.status),
        "counted": found.counts is not None,
        "archived": found.archived,
        "confirmed": times.relative(min(confirmed), now) if found.archived and confirmed else None,
        "outage": errors.outage(found.outage, now, zone) if found.outage else None,
        "lacking": found.lacking,
        "doubt": found.doubt,
        "guessed": query.user if query.match != asked.match else None,
    }


def _form_context(query: ThreadQuery) -> dict[str, Any]:
    """The filter form as it was sent, and links away from an empty page."""
    trimmed = query.user.strip() or query.user if query.user else None
    return {
        "user": query.user or "",
        "box": query_forms.as_input_value(query.user or ""),
        "unboxed": query_forms.box_value(query.user or ""),
        "match": query.match,
        "status": query.status or "",
        "statuses": status_choices(None, query.status),
        "counted": False,
        "has_reason": {True: "yes", False: "no", None: ""}[query.has_reason],
        "reason": query.reason or "",
        "q": query.q or "",
        "hour": query.hour or "",
        "hour_words": times.hour_of_week(query.hour) if query.hour else "",
        "from": str(query.begin or ""),
        "to": str(query.end or ""),
        "order": query.order,
        "limit": query.limit,
        "limits": page_sizes(query.limit),
        "cursor": query.cursor,
        "filters": query.filters,
        "here_url": links.list_url(query),
        "first_url": links.list_url(query.first()),
        "exported": query.first().encoded(),
        "all_url": links.list_url(query.of(None)),
        "unfiltered_url": links.list_url(query.unfiltered()),
        "part_url": links.list_url(query.of_part()) if query.user else None,
        "trimmed_url": links.list_url(query.of(trimmed)) if trimmed != query.user else None,
    }


def _invalid(sent: dict[str, str], invalid: form_fields.Errors) -> dict[str, Any]:
    """The form as it was sent, with its errors."""
    given = None if "limit" in invalid else query_forms.FIELDS["limit"].clean(sent.get("limit"))
    limit = DEFAULT_LIMIT if given is None else given
    # No HTML can hold a NUL.
    values = {name: sent.get(name, "").replace("\0", "\ufffd") for name in _FIELDS}
    return values | {
        "box": query_forms.as_input_value(values["user"]),
        "unboxed": sent.get(query_forms.BOX_PARAMETER, ""),
        "order": sent.get("order", "desc"),
        "statuses": status_choices(None, values["status"] or None),
        "counted": False,
        "hour_words": values["hour"],
        "limit": limit,
        "limits": page_sizes(limit),
        "errors": invalid,
        "filters": sum(bool(values[name]) for name in _FIELDS[1:-1]),
        "misplaced": {name: invalid[name] for name in _PLACES if name in invalid},
        "marked": bool(invalid.keys() - _PLACES),
        "all_url": links.list_url(ThreadQuery()),
        "unfiltered_url": links.list_url(ThreadQuery()),
    }


def _to_thread(request: HttpRequest, thread_id: str) -> HttpResponse:
    url = links.thread_url(thread_id) or links.list_url(ThreadQuery())
    return HttpResponseClientRedirect(url) if is_part(request) else HttpResponseRedirect(url)


def _respond(
    request: HttpRequest, context: dict[str, Any], status: int, query: ThreadQuery | None = None
) -> HttpResponse:
    part = is_part(request)
    template = "threads/_list.html" if part else "threads/list.html"
    shown = (
        _NOTHING
        | context
        | views_context(request, query)
        | {
            "part": part,
            "masked": is_masked(request),
            "columns": shown_columns(request),
            "optional_columns": COLUMNS,
        }
    )
    response = render(request, template, shown, status=status)
    if part and query is not None:
        set_browser_url(request, response, links.list_url(query))
    return response
