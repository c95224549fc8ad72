"""Middleware that bypasses the caches of sessions and accounts for everything but plain reading, so that a withdrawn
right is gone at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from threads.roles import Right

from . import session_store

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


class FreshRights:
    """Rereads session, account and rights from the database unless the method is safe and the view needs `Right.READ`
    or no right. Comes before the middlewares for sign-in and rights."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any) -> None:
        if request.method not in SAFE_METHODS or not _only_reads(view):
            session_store.refresh(request)


def _only_reads(view: Callable[..., Any]) -> bool:
    """False also for views that declare no rights, such as Django's admin."""
    if not getattr(view, "login_required", True):
        return True
    rights = getattr(view, "rights", None)
    return rights is not None and (not rights or Right.READ in rights)
