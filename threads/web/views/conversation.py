"""One conversation: its page, further items for htmx, other threads of the user, and steps to neighbours."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from threads import masking, service
from threads.archive import thread_info
from threads.archive.search.words import typed_units
from threads.chatkit import MAX_USER, ChatKitError, NotFound, ThreadItem, is_identifier
from threads.lib import times
from threads.roles import Right, needs
from threads.sources import query_forms
from threads.sources.query import ItemQuery, ThreadQuery
from threads.sources.window import Window
from threads.web import links
from threads.web.erased_notice import erased_thread
from threads.web.fetch_metadata import linkable
from threads.web.htmx import htmx, set_browser_url
from threads.web.post_only import needs_a_button
from threads.web.presenters import errors, thread_rows
from threads.web.presenters.conversation import ItemPage, Part, item_page, progress
from threads.web.request import encoded_query, is_masked, now_and_zone, require_right

from . import transcript
from .thread_list import list_beside

_NO_ITEMS: dict[str, Any] = {
    "page": ItemPage(),
    "part": "page",
    "is_latest": False,
    "more": None,
    "problem": None,
    "again_url": None,
    "notes": (),
    "loaded": None,
    "beginning_url": None,
}

_PARTS: dict[str | None, Part] = {"more": "later", "earlier": "earlier"}
"""Parts of the page by the id of the element that htmx replaces with one."""

_FOLDED_REASON = 140
"""Characters. Of a longer reason the page shows two lines, and the rest at a press."""

_OTHERS = 7
"""Other threads of the customer that the panel shows."""

_ENDS = {"previous": "This is the first thread of the list.", "next": "This is the last thread of the list."}


@linkable
@needs(Right.READ)
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: HttpRequest, thread_id: str) -> HttpResponseBase:
    """A thread with a page of its items; on POST, the whole conversation as a download. 404 if there is no such thread,
    502 to 504 if the upstream fails. Invalid paging parameters show the latest items."""
    if request.method == "POST":
        require_right(request, Right.EXPORT)
        return transcript.download(request, thread_id, request.POST.get("format", ""))
    if request.GET.get("format") in transcript.KINDS:
        return needs_a_button(request, transcript.BY_BUTTON)
    query, invalid = query_forms.parse_item_query(request.GET.dict())
    if query is None:
        query = ItemQuery()
    here = _list(request)
    part = _PARTS.get(htmx(request).target) if htmx(request) else None
    if part is not None:
        leads = query.after if part == "later" else query.before
        return _further_items(request, thread_id, query, here, part) if leads else HttpResponse(status=400)
    address = links.thread_url(thread_id) or ""
    now, zone = now_and_zone(request)
    context = _navigation(thread_id, here) | {"as_of": times.exact(now, zone), "zone": str(zone)}
    try:
        found = service.read_conversation(thread_id, query)
    except ChatKitError as error:
        return _failed(request, error, context)
    row, mask = thread_rows.row(found.thread, None, "", "", now, zone), None
    opening = found.about.opening if found.about else None
    if is_masked(request):
        mask = (row.user,) if row.user else ()
        row, opening = thread_rows.mask(row), thread_rows.masked_opening(opening, mask)
    context |= {
        "thread": row,
        "masked": mask is not None,
        "gone": times.exact(found.about.deleted_upstream_at, zone)
        if found.about and found.about.deleted_upstream_at
        else None,
        "doubt": masking.text(found.doubt, mask) if mask is not None else found.doubt,
        "opening": opening,
        "outage": errors.outage(found.outage, now, zone) if found.outage else None,
        "here_url": request.get_full_path(),
        "upstream_url": _upstream(thread_id),
        "address": address,
        "may_export": request.user.has_perm(Right.EXPORT),
        "readers_url": _readers_url(request, thread_id),
        "messages": found.about.messages if found.about else None,
        "started_over": bool(invalid),
        "long_reason": _is_long(row.reason or ""),
        "stale": _stale(found, now),
        "copied": times.relative(found.about.checked_at, now) if found.archived and found.about else None,
        "end": _ENDS.get(request.GET.get("end", "")),
        "cut": found.about is not None and thread_info.is_cut(thread_id),
        "sought": json.dumps(typed_units(here.q)) if here.q else None,
    }
    if found.items is not None:
        context |= _items(found.items, query, address, here, zone, mask, "page") | {"is_latest": query.is_latest}
        return _render(request, context, here)
    problem = _masked_if_due(request, errors.of_items(found.fault or NotFound("it has no items"), now, zone))
    again = links.items_url(query, address, here.encoded())
    beginning = links.items_url(ItemQuery(from_beginning=True), address, here.encoded())
    context |= _NO_ITEMS | {
        "problem": problem,
        "again_url": again,
        "beginning_url": beginning if query.cursor else None,
    }
    return _with_retry_after(_render(request, context, here, problem.status), problem)


@needs(Right.READ)
@require_safe
def others(request: HttpRequest) -> HttpResponse:
    """The newest threads of a thread's user, for the margin of its page, which loads them with htmx. Masked accounts
    have no such margin: which threads share a user is part of that user's identity."""
    if is_masked(request):
        require_right(request, Right.IDENTIFY)
    thread_id = request.GET.get("thread", "")
    if not is_identifier(thread_id):
        return HttpResponse(status=400)
    now, zone = now_and_zone(request)
    try:
        found = service.list_same_user(thread_id)
    except ChatKitError as error:
        return render(request, "threads/_others.html", {"problem": errors.of_list(error, now, zone)})
    context: dict[str, Any] = {
        "problem": None,
        "rows": [],
        "notes": (),
        "further": False,
        "total": None,
        "user_url": None,
    }
    if found is not None:
        rows = thread_rows.rows(found.window, found.query, now, zone, found.about)
        context |= {
            "rows": [row for row in rows if row.id != thread_id][:_OTHERS],
            "notes": found.window.notes,
            "further": found.window.has_next or len(rows) > _OTHERS + 1,
            "total": found.total,
            "user_url": links.list_url(found.query),
        }
    return render(request, "threads/_others.html", context)


@linkable
@needs(Right.READ)
@require_safe
def step(request: HttpRequest) -> HttpResponse:
    """Redirects to the thread's neighbour in the list that it was opened from; at an end of the list, back to the
    thread, whose page says so."""
    thread_id, here = request.GET.get("from", ""), _list(request)
    direction: Literal["previous", "next"] = "previous" if request.GET.get("to") == "previous" else "next"
    _, zone = now_and_zone(request)
    try:
        found = service.adjacent_thread(thread_id, here, direction, zone)
    except ChatKitError as error:
        return _failed(request, error, _navigation(thread_id, here))
    except service.NeedsArchiveError:
        # The list page says why.
        return HttpResponseRedirect(links.list_url(here))
    url = links.thread_url(found[0], links.list_parameter(found[1])) if found else None
    if url is None:
        url = f"{links.thread_url(thread_id) or ''}?{urlencode({'list': here.encoded(), 'end': direction})}"
    return HttpResponseRedirect(url)


def _render(request: HttpRequest, context: dict[str, Any], here: ThreadQuery, status: int = 200) -> HttpResponse:
    """The page of a thread, with the list that it was opened from beside it; or for htmx the conversation alone, which
    takes the place of another one beside the list. A window with room for one of them alone asks for no list."""
    if htmx(request) and htmx(request).target == "reading":
        response = render(request, "threads/_reading.html", context | {"place": None}, status=status)
        set_browser_url(request, response, request.get_full_path())
        return response
    beside = None
    if "list" in request.GET and request.COOKIES.get("panes") != "one":
        beside = list_beside(request, here, context["thread_id"])
    context |= {"list": beside and beside.html, "place": beside and beside.place}
    return render(request, "threads/conversation.html", context, status=status)


def _further_items(
    request: HttpRequest, thread_id: str, query: ItemQuery, here: ThreadQuery, part: Part
) -> HttpResponse:
    """The next or the previous items alone, for htmx. An error takes their place, with a link to try again."""
    address = links.thread_url(thread_id) or ""
    now, zone = now_and_zone(request)
    mask = None
    try:
        if is_masked(request):
            user = service.get_user(thread_id)
            mask = (user,) if user else ()
        window = service.list_items(thread_id, query)
    except ChatKitError as error:
        problem = _masked_if_due(request, errors.of_items(error, now, zone))
        again = links.items_url(query, address, here.encoded())
        context = _NO_ITEMS | {"part": part, "problem": problem, "again_url": again, "loaded": query.count}
        return _with_retry_after(render(request, "threads/_items.html", context, status=problem.status), problem)
    return render(request, "threads/_items.html", _items(window, query, address, here, zone, mask, part))


def _items(
    window: Window[ThreadItem],
    query: ItemQuery,
    address: str,
    here: ThreadQuery,
    zone: tzinfo,
    mask: tuple[str, ...] | None,
    part: Part,
) -> dict[str, Any]:
    return _NO_ITEMS | {
        "page": item_page(window, query, address, zone, mask, part),
        "part": part,
        "more": progress(window, query, address, here.encoded()),
        "notes": window.notes,
    }


def _is_long(reason: str) -> bool:
    """Whether a reason is folded to two lines. A shorter one fits, or nearly so on a phone."""
    return len(reason) > _FOLDED_REASON or reason.count("\n") > 1


def _stale(found: service.Conversation, now: datetime) -> str | None:
    """When an archived copy was last compared, if that is longer ago than the archive promises."""
    if not found.archived or found.about is None or found.about.deleted_upstream_at is not None:
        return None
    checked = found.about.checked_at
    overdue = now - checked > timedelta(hours=settings.ARCHIVE_RECHECK_ITEMS_HOURS)
    return times.relative(checked, now) if overdue else None


def _failed(request: HttpRequest, error: ChatKitError, context: dict[str, Any]) -> HttpResponse:
    now, zone = now_and_zone(request)
    problem = _masked_if_due(request, errors.of_thread(error, now, zone))
    context |= {"problem": problem, "here_url": request.get_full_path(), "missing": isinstance(error, NotFound)}
    context |= {"as_of": times.exact(now, zone), "zone": str(zone)}
    context["erased"] = erased_thread(request, context["thread_id"], zone) if context["missing"] else None
    return _with_retry_after(
        render(request, "threads/conversation_problem.html", context, status=problem.status), problem
    )


def _masked_if_due(request: HttpRequest, problem: errors.UpstreamProblem) -> errors.UpstreamProblem:
    """The problem for this account: what the upstream says may hold a user id."""
    return masking.deep(problem) if is_masked(request) else problem


def _with_retry_after(response: HttpResponse, problem: errors.UpstreamProblem) -> HttpResponse:
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _navigation(thread_id: str, here: ThreadQuery) -> dict[str, Any]:
    """Links back to the thread's row in its list, and to its neighbours there."""
    step_to = {"from": thread_id, "list": here.encoded()}
    as_user = ThreadQuery().of(thread_id) if 0 < len(thread_id) <= MAX_USER else None
    return {
        "thread_id": thread_id,
        "back_url": f"{links.list_url(here)}#thread-{links.quoted(thread_id)}",
        "previous_url": f"{reverse('step')}?{urlencode(step_to | {'to': 'previous'})}",
        "next_url": f"{reverse('step')}?{urlencode(step_to | {'to': 'next'})}",
        "as_user_url": links.list_url(as_user) if as_user else None,
    }


def _list(request: HttpRequest) -> ThreadQuery:
    """The list that the thread was opened from; all threads if the address names no valid one."""
    query, _ = encoded_query(request, request.GET.get("list", ""))
    return query or ThreadQuery()


def _readers_url(request: HttpRequest, thread_id: str) -> str | None:
    """The audit log of this thread, for who may see it."""
    return f"{reverse('audit')}?{urlencode({'thread': thread_id})}" if request.user.has_perm(Right.AUDIT) else None


def _upstream(thread_id: str) -> str | None:
    """The thread's page at OpenAI, if OpenAI is the upstream."""
    if settings.EMULATOR or settings.ARCHIVE_ONLY or settings.OPENAI_BASE_URL.split("/")[2] != "api.openai.com":
        return None
    return f"https://platform.openai.com/logs/{links.quoted(thread_id)}"
