"""Refuses what another site makes a browser ask for, by the Fetch Metadata headers (`Sec-Fetch-Site` and its like).

A page of another site can have a browser send requests with the reader's cookies: it can't read the replies, but a
download starts, and a search is recorded in the reader's name. Browsers say where a request comes from, over https and
on this machine. Who says nothing, as scripts do, is let through to the sign-in, the rights and the token of the form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import is_same_domain

ViewT = TypeVar("ViewT", bound=Callable[..., Any])

_OURS = {"same-origin", "none"}
"""`none` is a bookmark, or an address that somebody typed."""

_TEXT = (
    "Nothing was shown, downloaded or changed. If this is what you meant to do, open the page in Threadkeeper and "
    "press the link or the button there."
)


def linked(view: ViewT) -> ViewT:
    """Marks a view as a page that links of other sites may lead to. It shows itself and starts no download."""
    view.linked = True  # type: ignore[attr-defined]
    return view


class FetchMetadata:
    """Lets requests through that come from pages of this desk, and links that lead to views that are `linked`, or to
    Django's admin. Another subdomain is another site."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any) -> HttpResponse | None:
        site = request.headers.get("Sec-Fetch-Site")
        if site is None or site in _OURS or _is_link(request, view) or _is_form_of_a_trusted_origin(request):
            return None
        return render(request, "problem.html", {"title": "Another site asked for this", "text": _TEXT}, status=403)


def _is_link(request: HttpRequest, view: Callable[..., Any]) -> bool:
    sent = request.headers
    if (request.method, sent.get("Sec-Fetch-Mode"), sent.get("Sec-Fetch-Dest")) != ("GET", "navigate", "document"):
        return False
    match = request.resolver_match
    return getattr(view, "linked", False) or (match is not None and match.app_names[:1] == ["admin"])


def _is_form_of_a_trusted_origin(request: HttpRequest) -> bool:
    """Its token was checked by Django, as that of any form."""
    scheme, _, host = request.headers.get("Origin", "").partition("://")
    trusted = [each.partition("://") for each in settings.CSRF_TRUSTED_ORIGINS]
    return request.method == "POST" and any(
        scheme == theirs and is_same_domain(host, pattern.lstrip("*")) for theirs, _, pattern in trusted
    )
