"""The list of threads: one address, rendered as a page, or as its changing part for htmx."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from .. import finding, forms, presenters, problems, services, when
from ..chatkit import ChatKitError
from ..query import DEFAULT_LIMIT, ThreadQuery

_NOTHING: dict[str, Any] = {"errors": {}, "problem": None, "pager": None, "rows": []}
"""What a template may ask for whatever became of the request."""


@require_safe
def thread_list(request: HttpRequest) -> HttpResponse:
    """One page of threads. 400 where the address is wrong, 502 to 504 where the upstream fails, the form kept. What is
    the id or the address of one thread leads straight to that thread."""
    sent = request.GET.dict()
    query, errors = forms.read(sent)
    if query is None:
        return _respond(request, _invalid(sent, errors), 400)
    now, zone = datetime.now(UTC), when.zone(request.COOKIES.get("tz"))
    context = _kept(query) | {"as_of": when.exact(now, zone), "zone": str(zone)}
    try:
        named = finding.thread_in(query.user) if query.user else None
        if named:
            return _to_thread(request, named)
        window = services.list_threads(query)
        # Only who has no threads can be a thread: a user who has some costs no second call.
        if query.user and not query.cursor and not window.rows and services.is_thread(query.user.strip()):
            return _to_thread(request, query.user.strip())
    except ChatKitError as error:
        problem = problems.problem(error, now, zone)
        response = _respond(request, context | {"problem": problem}, problem.status, query)
        if problem.retry_after is not None:
            response.headers["Retry-After"] = str(problem.retry_after)
        return response
    pages = presenters.pager(query, window)
    context |= {
        "rows": presenters.rows(window, query, now, zone),
        "pager": pages,
        "notices": presenters.notices(query, window, pages),
        "summary": presenters.summary(query, window, zone),
    }
    return _respond(request, context, 200, query)


def _kept(query: ThreadQuery) -> dict[str, Any]:
    """The filter as it was asked for, and the ways out of a page that has nothing to show."""
    trimmed = query.user.strip() if query.user else None
    return {
        "user": query.user or "",
        "order": query.order,
        "limit": query.limit,
        "limits": presenters.limit_choices(query.limit),
        "cursor": query.cursor,
        "here_url": presenters.address(query),
        "first_url": presenters.address(query.first()),
        "all_url": presenters.address(query.of(None)),
        "trimmed_url": presenters.address(query.of(trimmed)) if trimmed != query.user else None,
    }


def _invalid(sent: dict[str, str], errors: forms.Errors) -> dict[str, Any]:
    """The form as it was sent, so that what is wrong can be put right where it stands."""
    given = None if "limit" in errors else forms.FIELDS["limit"].clean(sent.get("limit"))
    limit = given or DEFAULT_LIMIT
    return {
        "user": sent.get("user", "").replace("\0", ""),  # no HTML can hold a NUL
        "order": sent.get("order", "desc"),
        "limit": limit,
        "limits": presenters.limit_choices(limit),
        "errors": errors,
        "misplaced": [message for name in ("place", "after", "before", "since") for message in errors.get(name, ())],
        "all_url": presenters.address(ThreadQuery()),
    }


def _to_thread(request: HttpRequest, thread_id: str) -> HttpResponse:
    url = presenters.thread_url(thread_id) or presenters.address(ThreadQuery())
    return HttpResponseClientRedirect(url) if _is_part(request) else HttpResponseRedirect(url)


def _is_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def _respond(
    request: HttpRequest, context: dict[str, Any], status: int, query: ThreadQuery | None = None
) -> HttpResponse:
    part = _is_part(request)
    template = "threads/_list.html" if part else "threads/list.html"
    response = render(request, template, _NOTHING | context | {"part": part}, status=status)
    if part and query is not None:
        address = presenters.address(query)
        here = urlsplit(request.headers.get("HX-Current-URL", ""))
        # Trying again is not another place to go back to.
        again = address == (f"{here.path}?{here.query}" if here.query else here.path)
        response.headers["HX-Replace-Url" if again else "HX-Push-Url"] = address
    return response
