"""The list of threads: its page, or the changing part of it for htmx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from threads import masking, service
from threads.archive import thread_info
from threads.archive.search.words import could_be_phrase
from threads.chatkit import ChatKitError
from threads.lib import form_fields, times
from threads.roles import Right, needs
from threads.sources import query_forms
from threads.sources.query import ThreadQuery
from threads.web import links, pasted_address
from threads.web.erased_notice import erased_user, was_erased
from threads.web.fetch_metadata import linkable
from threads.web.htmx import htmx, is_part, set_browser_url
from threads.web.presenters import errors
from threads.web.presenters.filters import WITHIN, chips
from threads.web.presenters.thread_list import (
    customer,
    extent,
    notices,
    orders,
    page_sizes,
    pager,
    status_choices,
    summary,
    syncing,
)
from threads.web.presenters.thread_rows import rows
from threads.web.request import is_masked, now_and_zone, thread_query

from .columns import COLUMNS, shown_columns
from .saved_views import views_context

_NOTHING: dict[str, Any] = {
    "errors": {}, "misplaced": {}, "problem": None, "pager": None, "rows": [], "notices": [], "archived": False,
    "outage": None, "syncing": [], "lacking": None, "doubt": "", "erased": None, "unknown": None, "similar": [],
    "without": [], "could_be_phrase": False, "customer_url": None, "customer": None,
    "extent": "", "first_row": None, "total": None,
}  # fmt: skip
"""Defaults for the variables of the template."""

_FIELDS = ("user", "match", "status", "has_reason", "from", "to", "in", "sort", "order", "limit")
"""Parameters whose errors stand at a field or in a menu; those of others stand above the list."""

_WORDS = {"q": query_forms.FIELDS["q"]}


@linkable
@needs(Right.READ)
@require_safe
def thread_list(request: HttpRequest) -> HttpResponse:
    """One page of threads; for a text in the search box (`find`), a redirect to what it means: a thread, or a list.

    Where a parameter is not valid, 400, with its message and the list without it. 502 to 504 if the upstream fails.
    """
    sent = request.GET.dict()
    now, zone = now_and_zone(request)
    clock = {"as_of": times.exact(now, zone), "zone": str(zone)}
    masked = is_masked(request)
    query, invalid = _valid(request, sent)
    try:
        meaning = _box_meaning(request, sent, masked=masked)
        if meaning.thread_id is not None:
            return _to_thread(request, meaning.thread_id)
        sent = _decided(request, sent, meaning)
        query, invalid = _valid(request, sent)
        # The address shows what became of a text and of a filled field.
        if not invalid and not is_part(request) and {"find", "was"} & request.GET.keys():
            return HttpResponseRedirect(links.list_url(query))
        found = service.list_threads(query, zone)
    except ChatKitError as error:
        problem = errors.of_list(error, now, zone)
        problem = masking.deep(problem) if masked else problem
        response = _respond(request, _form(query, sent, invalid) | clock | {"problem": problem}, problem.status, query)
        if problem.retry_after is not None:
            response.headers["Retry-After"] = str(problem.retry_after)
        return response
    except service.NeedsArchiveError:
        return _respond(request, _form(query, sent, invalid) | clock | {"problem": errors.NEEDS_ARCHIVE}, 400, query)
    context = _form(query, sent, invalid) | clock | _found(found, now, zone, masked=masked)
    if query.exact_user and (totals := service.customer_totals(query.exact_user, zone)):
        context["customer"] = customer(query, totals.by_status, totals.first_seen_at, zone)
    if query.exact_user and not query.cursor:
        context["erased"] = erased_user(request, query.exact_user, zone, has_threads=bool(context["rows"]))
    if not context["rows"] and query.limit and not query.cursor:
        context |= _nothing_found(query, zone, masked=masked, erased=bool(context.get("erased")))
    return _respond(request, context, 400 if invalid else 200, None if invalid else query)


@needs(Right.READ)
@require_safe
def users(request: HttpRequest) -> HttpResponse:
    """Customers for the search box and the customer field, as `<option>` elements; none for masked accounts."""
    typed = request.GET.get("find") or request.GET.get("user", "")
    typed = typed.strip()[:512].replace("\0", "")
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


@dataclass(frozen=True, slots=True)
class ListBeside:
    """A list rendered beside a conversation. `place` is where the open thread is in it, such as "3 of 12"; None where
    that is not known."""

    html: SafeString
    place: str | None


def list_beside(request: HttpRequest, query: ThreadQuery, thread_id: str) -> ListBeside:
    """A page of a list as the page of a thread in it shows it, with what is wrong where it can't be listed."""
    now, zone = now_and_zone(request)
    masked = is_masked(request)
    context = _form(query, {}, {}) | {"as_of": times.exact(now, zone), "zone": str(zone)}
    try:
        context |= _found(service.list_threads(query, zone), now, zone, masked=masked)
    except ChatKitError as error:
        problem = errors.of_list(error, now, zone)
        context |= {"problem": masking.deep(problem) if masked else problem}
    except service.NeedsArchiveError:
        context |= {"problem": errors.NEEDS_ARCHIVE}
    shown = _shown(request, context, query) | {"beside": thread_id}
    ids = [row.id for row in shown["rows"]]
    place = None
    if thread_id in ids and shown["first_row"] is not None and shown["total"] is not None:
        place = f"{shown['first_row'] + ids.index(thread_id):,} of {shown['total']:,}"
    # Escaped by its template.
    return ListBeside(SafeString(render_to_string("threads/_list.html", shown, request)), place)


def _valid(request: HttpRequest, sent: Mapping[str, str]) -> tuple[ThreadQuery, form_fields.Errors]:
    """The list that the valid parameters name, and messages on the others."""
    query, invalid = thread_query(request, sent)
    if query is None:
        query, _ = thread_query(request, query_forms.without_invalid(sent, invalid))
    return query or ThreadQuery(), invalid


def _box_meaning(request: HttpRequest, sent: Mapping[str, str], *, masked: bool) -> service.BoxMeaning:
    """What the text in the search box means; words where there is none."""
    typed = query_forms.box_text(sent)
    if typed is None or form_fields.clean_fields(_WORDS, {"q": typed})[1]:
        return service.BoxMeaning()
    pasted = pasted_address.thread_in(typed)
    if pasted is not None:
        return service.BoxMeaning(thread_id=pasted)
    if was_erased(typed.strip()):
        return service.BoxMeaning(user=typed.strip())
    return service.interpret(typed, masked=masked)


def _decided(request: HttpRequest, sent: dict[str, str], meaning: service.BoxMeaning) -> dict[str, str]:
    """The parameters with what the text in the search box means in its place."""
    typed = sent.get("find")
    if typed is None:
        return sent
    is_changed = query_forms.box_text(sent) is not None or not typed.strip()
    sent = {name: value for name, value in sent.items() if name != "find"}
    if meaning.user is None:
        return sent | {"q": typed} if is_changed else sent
    if meaning.by_part:
        words = thread_query(request, {"q": typed})[0] or ThreadQuery()
        said = f"{meaning.user} is the only customer with “{typed.strip()}” in their id."
        messages.info(request, said, extra_tags=links.list_url(words))
    was = query_forms.was_value(meaning.user)
    return sent | {"user": query_forms.as_input_value(meaning.user), "was": was, "match": "", "q": ""}


def _found(found: service.Listing, now: datetime, zone: tzinfo, *, masked: bool) -> dict[str, Any]:
    query, window = found.query, found.window
    pages = pager(query, window)
    confirmed = [each.checked_at for each in found.about.values() if each.deleted_upstream_at is None]
    return {
        "rows": rows(window, query, now, zone, found.about, archived=found.archived, masked=masked),
        "pager": pages,
        "notices": notices(query, window, pages),
        "summary": summary(query, window, zone),
        "extent": extent(
            len(window.rows), found.position, found.total, minimum=found.total_is_minimum, more=window.has_next
        ),
        "first_row": found.position if window.rows else None,
        "total": None if found.total_is_minimum else found.total,
        "statuses": status_choices(found.counts, query.status),
        "archived": found.archived,
        "confirmed": times.relative(min(confirmed), now) if found.archived and confirmed else None,
        "outage": errors.outage(found.outage, now, zone) if found.outage else None,
        "lacking": found.lacking,
        "syncing": syncing(found.lacking) if found.archived or found.counts is not None else [],
        "doubt": found.doubt,
    }


def _nothing_found(query: ThreadQuery, zone: tzinfo, *, masked: bool, erased: bool) -> dict[str, Any]:
    """For a list without threads: whether there is, or was, such a customer, who is called alike, and the lists without
    one of the filters, with their numbers of threads where those are stored."""
    used = chips(query)
    found: dict[str, Any] = {
        "without": [(each.words, each.url, service.count(each.query, zone)) for each in used],
        "customer_url": links.list_url(query.unfiltered().of(query.q)) if query.q else None,
    }
    user = query.exact_user
    if user is None or erased or service.is_customer(user):
        return found
    similar = [] if masked else service.similar_users(user)
    return found | {
        "unknown": user,
        "similar": [(each.user_id, links.list_url(query.of(each.user_id)), each.threads) for each in similar],
    }


def _form(query: ThreadQuery, sent: Mapping[str, str], invalid: form_fields.Errors) -> dict[str, Any]:
    """The filters as chips and fields, with what was sent where it is not valid, and links away from an empty page."""
    trimmed = query.user.strip() or query.user if query.user else None
    used = chips(query)
    words = query_forms.box_text(sent) or (
        sent.get("q", "").replace("\0", "\ufffd") if "q" in invalid else query.q or ""
    )
    values = {
        "user": query.user or "",
        "match": query.match,
        "status": query.status or "",
        "has_reason": {True: "yes", False: "no", None: ""}[query.has_reason],
        "from": str(query.begin or ""),
        "to": str(query.end or ""),
        "within": query.within or "",
    }
    # No HTML can hold a NUL.
    typed = {name: sent.get(name, "").replace("\0", "\ufffd") for name in _FIELDS if name in invalid}
    if "in" in typed:
        typed["within"] = typed.pop("in")
    return (
        values
        | typed
        | {
            "box": query_forms.as_input_value(typed.get("user", query.user or "")),
            "was": query_forms.was_value("" if "user" in typed else query.user or ""),
            "words": query_forms.as_input_value(words),
            "chips": used,
            "used": {each.name for each in used},
            "statuses": status_choices(None, query.status),
            "reason": query.reason or "",
            "q": query.q or "",
            "hour": query.hour or "",
            "order": query.order,
            "limit": query.limit,
            "could_be_phrase": query.q is not None and could_be_phrase(query.q),
            "sort": query.sort or "",
            "days": WITHIN,
            "orders": orders(query, archive=settings.ARCHIVE != "off"),
            "sizes": [
                (size, links.list_url(query.sized(size)), size == query.limit) for size in page_sizes(query.limit)
            ],
            "cursor": query.cursor,
            "filters": query.filters,
            "errors": invalid,
            "misplaced": {name: invalid[name] for name in invalid if name not in _FIELDS},
            "here_url": links.list_url(query),
            "first_url": links.list_url(query.first()),
            "exported": query.first().encoded(),
            "all_url": links.list_url(query.of(None)),
            "unfiltered_url": links.list_url(query.unfiltered()),
            "part_url": links.list_url(query.of_part()) if query.user else None,
            "trimmed_url": links.list_url(query.of(trimmed)) if trimmed != query.user else None,
        }
    )


def _to_thread(request: HttpRequest, thread_id: str) -> HttpResponse:
    url = links.thread_url(thread_id) or links.list_url(ThreadQuery())
    return HttpResponseClientRedirect(url) if is_part(request) else HttpResponseRedirect(url)


def _respond(
    request: HttpRequest, context: dict[str, Any], status: int, query: ThreadQuery | None = None
) -> HttpResponse:
    part = is_part(request)
    open_thread = _open_thread(request) if part else None
    shown = _shown(request, context, query) | {"part": part, "beside": open_thread}
    response = render(request, "threads/_list.html" if part else "threads/list.html", shown, status=status)
    comes_by_itself = htmx(request).trigger == "browse"  # beside a conversation, whose address stays as it is
    if part and query is not None and not comes_by_itself:
        url = (links.thread_url(open_thread, links.list_parameter(query)) if open_thread else None) or links.list_url(
            query
        )
        set_browser_url(request, response, url)
    return response


def _shown(request: HttpRequest, context: dict[str, Any], query: ThreadQuery | None) -> dict[str, Any]:
    """The context of the list's template."""
    return (
        _NOTHING
        | context
        | views_context(request, query)
        | {
            "part": False,
            "beside": None,
            "masked": is_masked(request),
            "columns": shown_columns(request),
            "optional_columns": COLUMNS,
        }
    )


def _open_thread(request: HttpRequest) -> str | None:
    """The thread beside whose conversation the browser shows the list, by the address that it is at."""
    try:
        found = resolve(urlsplit(htmx(request).current_url or "").path)
    except Resolver404:
        return None
    return found.kwargs["thread_id"] if found.url_name == "thread" else None
