"""htmx: whether a request asks for a part of a page, and the address that the browser shows afterwards."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails


def htmx(request: HttpRequest) -> HtmxDetails:
    """The request's HX- headers, as django-htmx reads them. False where htmx did not send the request."""
    return cast(HtmxDetails, request.htmx)  # type: ignore[attr-defined]  # set by HtmxMiddleware


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for the changing part of a page. To restore its history it needs the whole page."""
    return bool(htmx(request)) and not htmx(request).history_restore_request


def set_browser_url(request: HttpRequest, response: HttpResponse, url: str) -> None:
    """Has the browser show `url`. Adds a history entry, unless the page is at that address already."""
    current = urlsplit(htmx(request).current_url or "")
    is_retry = url == (f"{current.path}?{current.query}" if current.query else current.path)
    response.headers["HX-Replace-Url" if is_retry else "HX-Push-Url"] = url
