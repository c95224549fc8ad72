"""Saving, sharing and deleting views of the list: forms that redirect to the list."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from threads import service
from threads.lib import form_fields
from threads.roles import Right, needs
from threads.sources.query import ThreadQuery
from threads.web import links, saved_views
from threads.web.error_page import problem_page
from threads.web.post_only import post_only
from threads.web.request import account, encoded_query

_CHANGED_COOKIE = "views"
"""Set when a view is changed, so that the next page bypasses the cache: another process may still have the old views in
its cache."""

_post_only = post_only("Nothing was saved or changed. Go to the list and send the form there again.")


def views_context(request: HttpRequest, query: ThreadQuery | None) -> dict[str, Any]:
    """The saved views for a page of the list, and messages on what was just done to one."""
    fresh = _CHANGED_COOKIE in request.COOKIES
    context = saved_views.context(account(request), query, service.count_by_status(), fresh=fresh)
    # The tag of a message is an address: of a deleted view's list, or of a search for the same words.
    said = [
        {"text": str(each.message), "url": each.extra_tags, "deleted": each.level == messages.SUCCESS}
        for each in messages.get_messages(request)
    ]
    return context | {"said": said}


@needs(Right.READ)
@_post_only
def save_view(request: HttpRequest) -> HttpResponse:
    """Saves the list in `query` as `name`, for the team if `shared` is "yes". 400 if it is refused."""
    query, errors = _read(request)
    if query is None:
        wrong = " ".join(message for each in errors.values() for message in each)
        return problem_page(request, 400, "This list can't be saved", f"Its address is not valid. {wrong}")
    try:
        view, replaced = saved_views.save(
            account(request), request.POST.get("name", ""), query, shared=request.POST.get("shared") == "yes"
        )
    except saved_views.ViewRefusedError as refusal:
        return problem_page(request, 400, "This view can't be saved", str(refusal))
    done = f"Replaced your view “{view.name}”." if replaced else f"Saved “{view.name}”."
    whose = "It is shared with the team." if view.shared else "Only you see it."
    messages.success(request, f"{done} {whose}")
    return _redirect(saved_views.view_url(view))


@needs(Right.READ)
@_post_only
def share_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Shares a view with the team if `shared` is "yes", else stops sharing it; redirects to the list in `query`."""
    view = saved_views.share(account(request), pk, shared=request.POST.get("shared") == "yes")
    whose = "is shared with the team." if view.shared else "is no longer shared: only you see it."
    messages.success(request, f"“{view.name}” {whose}")
    return _redirect(_list_url(request))


@needs(Right.READ)
@_post_only
def delete_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a view; redirects to the list in `query`."""
    view = saved_views.delete(account(request), pk)
    messages.success(request, f"Deleted the view “{view.name}”.", extra_tags=saved_views.view_url(view))
    return _redirect(_list_url(request))


def _read(request: HttpRequest) -> tuple[ThreadQuery | None, form_fields.Errors]:
    return encoded_query(request, request.POST.get("query", ""))


def _list_url(request: HttpRequest) -> str:
    query, _ = _read(request)
    return links.list_url((query or ThreadQuery()).first())


def _redirect(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url, status=303)
    response.set_cookie(
        _CHANGED_COOKIE,
        "changed",
        max_age=settings.SESSION_RECHECK + 1,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response
