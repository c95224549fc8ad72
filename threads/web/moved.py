"""Permanent redirects from addresses and parameters of earlier versions, for bookmarks and stored links."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

View = Callable[..., HttpResponseBase]


def moved(view: View, name: str) -> View:
    """The view for the old address of `view`, whose URL is called `name`: a redirect under the same rights. Method,
    form and query string stay."""

    @wraps(view)
    def answer(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        return _redirect(request, reverse(name, kwargs=arguments), request.META.get("QUERY_STRING", ""))

    return answer


def parameters_renamed(names: Mapping[str, str]) -> Callable[[View], View]:
    """Redirects from query strings with an old name of a parameter to the same one with the new name."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *arguments: Any, **more: Any) -> HttpResponseBase:
            if not names.keys() & request.GET.keys():
                return view(request, *arguments, **more)
            renamed = request.GET.copy()
            renamed.clear()
            for name, values in request.GET.lists():
                renamed.setlist(names.get(name, name), values)
            return _redirect(request, request.path, renamed.urlencode())

        return answer

    return decorate


def _redirect(request: HttpRequest, path: str, query: str) -> HttpResponsePermanentRedirect:
    # 308, unlike 301, makes browsers send a form again as it was.
    return HttpResponsePermanentRedirect(f"{path}?{query}" if query else path, preserve_request=True)
