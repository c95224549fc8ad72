"""One conversation: its page, and the further items that htmx asks for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from typing import Any

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
from threads.roles import Right, account, demand, needs
from threads.sources import query_forms
from threads.sources.query import ItemQuery, ThreadQuery
from threads.sources.window import Window
from threads.web import links
from threads.web.fetch_metadata import linked
from threads.web.htmx import erased_thread, not_by_get
from threads.web.presenters import conversation as presenting
from threads.web.presenters import errors as problems
from threads.web.presenters import thread_list
from threads.web.request_query import encoded_query

from . import transcript

_NO_ITEMS: dict[str, Any] = {
    "entries": [],
    "more": None,
    "problem": None,
    "again_url": None,
    "notes": (),
    "loaded": None,
    "beginning_url": None,
}

_ENDS = {"previous": "This is the first thread of the list.", "next": "This is the last thread of the list."}


@linked
@needs(Right.READ)
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: HttpRequest, thread_id: str) -> HttpResponseBase:
    """A thread with a page of its items; for a form, all of it as a download. 404 where there is none, 502 to 504 where
    the upstream fails; an address of ours that nobody made is taken for the beginning."""
    if request.method == "POST":
        demand(request, Right.EXPORT)
        return transcript.download(request, thread_id, request.POST.get("format", ""))
    if request.GET.get("format") in transcript.KINDS:
        return not_by_get(request, transcript.BY_BUTTON, "POST")
    query, errors = query_forms.read_items(request.GET.dict())
    if query is None:
        query = ItemQuery()
    here = _list(request)
    if request.headers.get("HX-Request") == "true" and request.headers.get("HX-Target") == "more":
        return _further(request, thread_id, query, here)
    address = links.thread_url(thread_id) or ""
    now, zone = _now(request)
    context = _ways(thread_id, here) | {"as_of": times.exact(now, zone), "zone": str(zone)}
    try:
        found = service.conversation(thread_id, query)
    except ChatKitError as error:
        return _failed(request, error, context)
    row, mask = thread_list.row(found.thread, None, "", "", now, zone), None
    opening = found.about.opening if found.about else None
    if masking.is_due(account(request)):
        mask = (row.user,) if row.user else ()
        row, opening = thread_list.mask(row), thread_list.masked_opening(opening, mask)
    context |= {
        "thread": row,
        "masked": mask is not None,
        "gone": times.exact(found.about.gone_at, zone) if found.about and found.about.gone_at else None,
        "doubt": masking.text(found.doubt, mask) if mask is not None else found.doubt,
        "opening": opening,
        "outage": problems.outage(found.outage, now, zone) if found.outage else None,
        "here_url": request.get_full_path(),
        "upstream_url": _upstream(thread_id),
        "address": address,
        "started_over": bool(errors),
        "confirmed": times.relative(found.about.confirmed_at, now) if found.archived and found.about else None,
        "end": _ENDS.get(request.GET.get("end", "")),
        "cut": found.about is not None and thread_info.is_cut(thread_id),
        "sought": json.dumps(typed_units(here.q)) if here.q else None,
    }
    if found.items is not None:
        context |= _items(found.items, query, address, here, zone, mask)
        return render(request, "threads/conversation.html", context)
    problem = _for(request, problems.of_items(found.fault or NotFound("it has no items"), now, zone))
    again = links.place(query, address, here.encoded())
    beginning = links.place(ItemQuery(), address, here.encoded())
    context |= _NO_ITEMS | {
        "problem": problem,
        "again_url": again,
        "beginning_url": beginning if query.cursor else None,
    }
    return _waiting(render(request, "threads/conversation.html", context, status=problem.status), problem)


@needs(Right.READ)
@require_safe
def others(request: HttpRequest) -> HttpResponse:
    """The newest threads of the user of one thread, for its margin. Always a part: it comes after the page that it
    stands on. Where identities are masked there is no such margin: whose threads are one person's is a part of who
    they are."""
    if masking.is_due(account(request)):
        demand(request, Right.IDENTIFY)
    thread_id = request.GET.get("thread", "")
    if not is_identifier(thread_id):
        return HttpResponse(status=400)
    now, zone = _now(request)
    try:
        found = service.others(thread_id)
    except ChatKitError as error:
        return render(request, "threads/_others.html", {"problem": problems.problem(error, now, zone)})
    context: dict[str, Any] = {"problem": None, "rows": [], "notes": (), "further": False, "user_url": None}
    if found is not None:
        rows = thread_list.rows(found.window, found.query, now, zone, found.about)
        context |= {
            "rows": [row for row in rows if row.id != thread_id],
            "notes": found.window.notes,
            "further": found.window.has_next,
            "user_url": links.address(found.query),
        }
    return render(request, "threads/_others.html", context)


@linked
@needs(Right.READ)
@require_safe
def step(request: HttpRequest) -> HttpResponse:
    """From a thread to its neighbour in the list that it was opened from; at the list's end, to itself again, which
    says so."""
    thread_id, here, direction = request.GET.get("from", ""), _list(request), request.GET.get("to")
    query = here.beyond(before=thread_id) if direction == "previous" else here.beyond(after=thread_id)
    try:
        found = service.neighbour(query, times.zone(request.COOKIES.get("tz")))
    except ChatKitError as error:
        return _failed(request, error, _ways(thread_id, here))
    except service.NeedsArchiveError:
        # The list says so.
        return HttpResponseRedirect(links.address(here))
    # The page of the list that the neighbour stands on, as far as that is known without asking for it.
    url = links.thread_url(found, links.from_list(query)) if found else None
    if url is None:
        end = "previous" if direction == "previous" else "next"
        url = f"{links.thread_url(thread_id) or ''}?{urlencode({'list': here.encoded(), 'end': end})}"
    return HttpResponseRedirect(url)


def _further(request: HttpRequest, thread_id: str, query: ItemQuery, here: ThreadQuery) -> HttpResponse:
    """The next items alone. What goes wrong stands where they would, with a way to go on; htmx puts it there."""
    address = links.thread_url(thread_id) or ""
    now, zone = _now(request)
    mask = None
    try:
        if masking.is_due(account(request)):
            user = service.owner(thread_id)
            mask = (user,) if user else ()
        window = service.list_items(thread_id, query)
    except ChatKitError as error:
        problem = _for(request, problems.of_items(error, now, zone))
        again = links.place(query, address, here.encoded())
        context = _NO_ITEMS | {"problem": problem, "again_url": again, "loaded": query.count}
        return _waiting(render(request, "threads/_items.html", context, status=problem.status), problem)
    return render(request, "threads/_items.html", _items(window, query, address, here, zone, mask))


def _items(
    window: Window[ThreadItem],
    query: ItemQuery,
    address: str,
    here: ThreadQuery,
    zone: tzinfo,
    mask: tuple[str, ...] | None,
) -> dict[str, Any]:
    return _NO_ITEMS | {
        "entries": presenting.entries(window, query, address, zone, mask),
        "more": presenting.more(window, query, address, here.encoded()),
        "notes": window.notes,
    }


def _failed(request: HttpRequest, error: ChatKitError, context: dict[str, Any]) -> HttpResponse:
    now, zone = _now(request)
    problem = _for(request, problems.of_thread(error, now, zone))
    context |= {"problem": problem, "here_url": request.get_full_path(), "missing": isinstance(error, NotFound)}
    context |= {"as_of": times.exact(now, zone), "zone": str(zone)}
    context["erased"] = erased_thread(request, context["thread_id"], zone) if context["missing"] else None
    return _waiting(render(request, "threads/conversation_problem.html", context, status=problem.status), problem)


def _for(request: HttpRequest, problem: problems.Problem) -> problems.Problem:
    """As this reader may see it: the upstream may name somebody in what it says."""
    return masking.deep(problem) if masking.is_due(account(request)) else problem


def _waiting(response: HttpResponse, problem: problems.Problem) -> HttpResponse:
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _ways(thread_id: str, here: ThreadQuery) -> dict[str, Any]:
    """The ways out: back to the row that was left, and to the threads beside this one in its list."""
    step_to = {"from": thread_id, "list": here.encoded()}
    as_user = ThreadQuery().of(thread_id) if 0 < len(thread_id) <= MAX_USER else None
    return {
        "thread_id": thread_id,
        "back_url": f"{links.address(here)}#thread-{links.fragment(thread_id)}",
        "previous_url": f"{reverse('step')}?{urlencode(step_to | {'to': 'previous'})}",
        "next_url": f"{reverse('step')}?{urlencode(step_to | {'to': 'next'})}",
        "as_user_url": links.address(as_user) if as_user else None,
    }


def _list(request: HttpRequest) -> ThreadQuery:
    """The list that the thread was opened from; all threads where the address names none that is valid."""
    query, _ = encoded_query(request, request.GET.get("list", ""))
    return query or ThreadQuery()


def _now(request: HttpRequest) -> tuple[datetime, tzinfo]:
    return datetime.now(UTC), times.zone(request.COOKIES.get("tz"))


def _upstream(thread_id: str) -> str | None:
    """OpenAI's own page of the thread, where it is OpenAI that is asked."""
    if settings.EMULATOR or settings.ARCHIVE_ONLY or settings.OPENAI_BASE_URL.split("/")[2] != "api.openai.com":
        return None
    return f"https://platform.openai.com/logs/{links.fragment(thread_id)}"
