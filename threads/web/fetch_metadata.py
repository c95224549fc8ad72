"""Refuses requests that other sites make a browser send, by Fetch Metadata headers (`Sec-Fetch-Site` and so on).

A page of another site can send requests with the reader's cookies. It can't read the replies, but a download would
start, and a search would be recorded in the reader's name. Browsers send these headers over https and to localhost.
Clients that send none, such as scripts, still face the sign-in, the rights and the CSRF token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import is_same_domain

from .error_page import problem_page

ViewT = TypeVar("ViewT", bound=Callable[..., Any])

_OWN = {"same-origin", "none"}
"""`none` is a bookmark or a typed address."""

_TEXT = (
    "Nothing was shown, downloaded or changed. To do it, open the page in Threadkeeper and press the link or the "
    "button there."
)


def linkable(view: ViewT) -> ViewT:
    """Marks a view as a page that other sites may link to. It must not start a download."""
    view.linked = True  # type: ignore[attr-defined]
    return view


class FetchMetadataMiddleware:
    """Middleware that passes requests from the desk's own pages, and links from anywhere to views marked `linkable` and
    to Django's admin; all else gets 403. Another subdomain counts as another site."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any) -> HttpResponse | None:
        site = request.headers.get("Sec-Fetch-Site")
        if site is None or site in _OWN or _is_link(request, view) or _is_form_of_a_trusted_origin(request):
            return None
        return problem_page(request, 403, "Another site sent this request", _TEXT)


def _is_link(request: HttpRequest, view: Callable[..., Any]) -> bool:
    sent = request.headers
    if (request.method, sent.get("Sec-Fetch-Mode"), sent.get("Sec-Fetch-Dest")) != ("GET", "navigate", "document"):
        return False
    match = request.resolver_match
    return getattr(view, "linked", False) or (match is not None and match.app_names[:1] == ["admin"])


def _is_form_of_a_trusted_origin(request: HttpRequest) -> bool:
    # Django has checked its CSRF token already.
    scheme, _, host = request.headers.get("Origin", "").partition("://")
    trusted = [origin.partition("://") for origin in settings.CSRF_TRUSTED_ORIGINS]
    return request.method == "POST" and any(
        scheme == trusted_scheme and is_same_domain(host, pattern.lstrip("*")) for trusted_scheme, _, pattern in trusted
    )
