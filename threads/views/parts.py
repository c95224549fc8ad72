"""One address, rendered as a page, or as its changing part for htmx; and addresses that are of forms alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from dashboard.views import problem

View = Callable[..., HttpResponseBase]


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for the part. Going back, it needs the whole page."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def place(request: HttpRequest, response: HttpResponse, address: str) -> None:
    """Tells htmx the address that a part stands at."""
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    # Trying again is not another place to go back to.
    again = address == (f"{here.path}?{here.query}" if here.query else here.path)
    response.headers["HX-Replace-Url" if again else "HX-Push-Url"] = address


def form_only(text: str) -> Callable[[View], View]:
    """For a view that answers forms alone. `text` tells who comes without one, as after a new sign-in, where to go."""

    def mark(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, *args, **kwargs)
            return not_by_get(request, text, "POST")

        return answer

    return mark


def not_by_get(request: HttpRequest, text: str, allowed: str) -> HttpResponse:
    """The page for a download that an address alone asks for."""
    response = problem(request, 405, "This takes a button", text)
    response.headers["Allow"] = allowed
    return response
