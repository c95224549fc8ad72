"""The page for a request that can't be answered."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def problem_page(request: HttpRequest, status: int, title: str, text: str, **more: bool) -> HttpResponse:
    """A page with this HTTP status that says what is wrong. It links to the start page; with `account=True` to
    the account's own page, where one can sign out, and with `again=True` to the sign-in."""
    return render(request, "problem.html", {"title": title, "text": text} | more, status=status)


def not_recorded(request: HttpRequest) -> HttpResponse:
    """The 503 page for an export that is not handed out because the audit log can't be written."""
    text = (
        "The audit log can't be written. Try again in a moment. If this lasts, someone who runs Threadkeeper has to "
        "look at its database."
    )
    return problem_page(request, 503, "Nothing was exported", text)
