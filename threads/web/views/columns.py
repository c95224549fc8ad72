"""The columns of the list that an account can switch on, kept in a cookie."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from threads.roles import Right, needs
from threads.sources.query import ThreadQuery
from threads.web import links
from threads.web.post_only import post_only
from threads.web.request import encoded_query

COLUMNS = {"id": "Thread id", "checked": "Checked"}
"""The columns that are off at first, and their headings."""

_COOKIE = "columns"
_COOKIE_SECONDS = 365 * 86400

_post_only = post_only("Nothing was changed. Go to the list and choose the columns there again.")


def shown_columns(request: HttpRequest) -> set[str]:
    """Those of `COLUMNS` that this browser has switched on."""
    return COLUMNS.keys() & set(request.COOKIES.get(_COOKIE, "").split("."))


@needs(Right.READ)
@_post_only
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Stores the chosen columns, and redirects to the list in `list`."""
    query, _ = encoded_query(request, request.POST.get("list", ""))
    response = HttpResponseRedirect(links.list_url(query or ThreadQuery()), status=303)
    response.set_cookie(
        _COOKIE,
        ".".join(sorted(COLUMNS.keys() & set(request.POST.getlist("column")))),
        max_age=_COOKIE_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response
