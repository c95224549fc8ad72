"""One address, rendered as a page, or as its changing part for htmx; addresses that are of forms alone; and parts that
several pages have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from threads.erasure import lookup
from threads.lib import times
from threads.roles import Right
from threads.web.error_page import problem

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


def erased_user(request: HttpRequest, user: str, zone: tzinfo, *, more: bool) -> dict[str, str] | None:
    """That threads of exactly this user were erased, or, where it is the id of a thread, that it was; None where
    nothing was. `more`: there are threads of this user. Says no id, so it is for masked readers too."""
    past = lookup.of_user(user)
    if past is None:
        return None if more else erased_thread(request, user.strip(), zone)
    whose = "This customer's threads" if past.whole else "Threads of this customer"
    whose = "Other threads of this customer" if more else whose
    return _erased(request, past, f"{whose} were erased on {times.exact(past.at, zone)}.")


def erased_thread(request: HttpRequest, thread_id: str, zone: tzinfo) -> dict[str, str] | None:
    """That this thread was erased; None where it was not."""
    past = lookup.of_thread(thread_id)
    if past is None:
        return None
    return _erased(request, past, f"This thread was erased on {times.exact(past.at, zone)}.")


def _erased(request: HttpRequest, past: lookup.Past, text: str) -> dict[str, str]:
    """With the receipt for who may see it."""
    may_see = request.user.has_perm(Right.ERASE) or request.user.has_perm(Right.AUDIT)
    return {"text": text, "url": reverse("erasure", args=[past.erasure]) if past.erasure and may_see else ""}
