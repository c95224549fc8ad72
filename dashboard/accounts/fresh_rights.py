"""Reads session, account and rights anew from the database for whatever changes something or needs more than the right
to read, so that a right that another process took away is gone at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from threads.roles import Right

from . import sessions

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


class FreshRights:
    """Stands before what looks at sign-in and rights. What is remembered of an account is good for reading alone: for
    a safe method, of a view that needs `Right.READ` or no right at all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any) -> None:
        if request.method not in SAFE_METHODS or not _is_reading(view):
            sessions.read_anew(request)


def _is_reading(view: Callable[..., Any]) -> bool:
    """A view that says nothing of rights, as those of Django's admin, is none."""
    if not getattr(view, "login_required", True):
        return True
    rights = getattr(view, "rights", None)
    return rights is not None and (not rights or Right.READ in rights)
