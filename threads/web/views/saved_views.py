"""Saving a view of the list, sharing it and deleting it: forms without a page of their own, which lead to the list."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from threads.lib import form_fields
from threads.roles import Right, account, needs
from threads.sources.query import ThreadQuery
from threads.web import links, saved_views
from threads.web.htmx import form_only
from threads.web.request_query import encoded_query

_CHANGED = "views"
"""The cookie of a browser that has just changed a view: another process than the one that did it may still remember
the views of before, and somebody who saves a view looks for it in the list at once."""

_form = form_only("Nothing was saved or changed. Go to the list and send the form there again.")


def beside(request: HttpRequest, query: ThreadQuery | None) -> dict[str, Any]:
    """What every page of the list has of the saved views, and what was just done to one."""
    shown = saved_views.context(account(request), query, anew=_CHANGED in request.COOKIES)
    # A link to what a deleted view held travels as the tag of its message.
    said = [{"text": str(each.message), "url": each.extra_tags} for each in messages.get_messages(request)]
    return shown | {"said": said}


@needs(Right.READ)
@_form
def save_view(request: HttpRequest) -> HttpResponse:
    """Saves the list in `query` as `name`, for the team where `shared` is "yes". 400 where that can't be."""
    query, errors = _read(request)
    if query is None:
        wrong = " ".join(message for each in errors.values() for message in each)
        return _problem(request, 400, "This list can't be saved", f"Its address is not valid. {wrong}")
    try:
        view, replaced = saved_views.save(
            account(request), request.POST.get("name", ""), query, shared=request.POST.get("shared") == "yes"
        )
    except saved_views.RefusedError as refusal:
        return _problem(request, 400, "This view can't be saved", str(refusal))
    done = f"Replaced your view “{view.name}”." if replaced else f"Saved “{view.name}”."
    whose = "It is shared with the team." if view.shared else "Only you see it."
    messages.success(request, f"{done} {whose}")
    return _to(saved_views.address(view))


@needs(Right.READ)
@_form
def share_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Shares a view with the team where `shared` is "yes", else no longer; and back to the list in `query`."""
    view = saved_views.share(account(request), pk, shared=request.POST.get("shared") == "yes")
    whose = "is shared with the team." if view.shared else "is no longer shared: only you see it."
    messages.success(request, f"“{view.name}” {whose}")
    return _to(_here(request))


@needs(Right.READ)
@_form
def delete_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a view; and back to the list in `query`."""
    view = saved_views.delete(account(request), pk)
    messages.success(request, f"Deleted the view “{view.name}”.", extra_tags=saved_views.address(view))
    return _to(_here(request))


def _read(request: HttpRequest) -> tuple[ThreadQuery | None, form_fields.Errors]:
    return encoded_query(request, request.POST.get("query", ""))


def _here(request: HttpRequest) -> str:
    query, _ = _read(request)
    return links.address((query or ThreadQuery()).first())


def _to(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url, status=303)
    response.set_cookie(
        _CHANGED,
        "changed",
        max_age=settings.SESSION_RECHECK + 1,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


def _problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "problem.html", {"title": title, "text": text}, status=status)
