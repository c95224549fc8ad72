"""Views that answer forms only: a request by address alone gets a page that says what to press instead.

Such a request happens after signing in again, when the browser returns to the form's address. Downloads are among these
views, so that a link on another site can't start one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from .error_page import problem_page

View = Callable[..., HttpResponseBase]


def post_only(text: str) -> Callable[[View], View]:
    """A decorator for a view that answers POST alone. `text` says on the 405 page what to do instead."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, *args, **kwargs)
            return needs_a_button(request, text)

        return answer

    return decorate


def needs_a_button(request: HttpRequest, text: str) -> HttpResponse:
    """The 405 page for an address that only a form may ask for."""
    response = problem_page(request, 405, "This needs a button", text)
    response.headers["Allow"] = "POST"
    return response
