"""The home page, and the error pages."""

from __future__ import annotations

import sys

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from threads.roles import MissingRightError, Right, for_every_account, least_roles, role_names
from threads.web.error_page import problem_page
from threads.web.fetch_metadata import linkable

from . import database_errors

_FIRST = ((Right.READ, "threads"), (Right.AUDIT, "audit"), (Right.ADMINISTER, "admin:index"))
"""The start page for the first right that an account has."""


@linkable
@for_every_account
def home(request: HttpRequest) -> HttpResponse:
    """Redirects to the first page that the account may see."""
    for right, name in _FIRST:
        if request.user.has_perm(right):
            return HttpResponseRedirect(resolve_url(name))
    raise PermissionDenied


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 400 page."""
    return problem_page(
        request,
        400,
        "This request isn't valid",
        "Something in its address or its form is not valid. Go back and try again.",
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 403 page: names the roles that give access, and those that the account has."""
    roles = role_names(request.user) if request.user.is_authenticated else []
    if not roles and not getattr(request.user, "is_superuser", False):
        text = "Your account has no role yet. Ask an administrator for one."
        return problem_page(request, 403, "You don't have access", text, account=True)
    rights = exception.rights if isinstance(exception, MissingRightError) else ()
    needs = f"Needs: {' or '.join(least_roles(rights))}. " if rights else ""
    held = f"Yours: {', '.join(roles)}. " if roles else ""
    text = f"{needs}{held}Ask an administrator if you need it for your work."
    return problem_page(request, 403, "You don't have access", text)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 404 page."""
    return problem_page(request, 404, "Page not found", "The address may be mistyped or out of date.")


def server_error(request: HttpRequest) -> HttpResponse:
    """The 500 page; for a database failure 503 with its reason."""
    words = database_errors.explain(sys.exception())
    if words is not None:
        response = problem_page(request, 503, *words)
        response.headers["Retry-After"] = "5"
        return response
    return problem_page(
        request,
        500,
        "Something went wrong",
        "The error is in Threadkeeper and was logged. Nothing was lost. Try again in a moment.",
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The 403 page for a missing or outdated CSRF token."""
    return problem_page(
        request,
        403,
        "This form is out of date",
        "Nothing was changed. Go back, reload the page and send it again. Allow cookies.",
    )


def too_long(request: HttpRequest) -> HttpResponse:
    """The 413 page."""
    return problem_page(
        request, 413, "This is too long", "No form of Threadkeeper takes a text that long, and none takes a file."
    )
