"""The page for a request that can't be answered."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def problem(request: HttpRequest, status: int, title: str, text: str, **more: bool) -> HttpResponse:
    """A page that says what went wrong. `account=True` leads to the account's own page, from where one signs out;
    `again=True` to the sign-in."""
    return render(request, "problem.html", {"title": title, "text": text} | more, status=status)
