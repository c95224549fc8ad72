"""The notice that threads of a user, or one thread, were erased, with a link to the receipt."""

from __future__ import annotations

from datetime import tzinfo

from django.http import HttpRequest
from django.urls import reverse

from threads.erasure import lookup
from threads.lib import times
from threads.roles import Right


def was_erased(text: str) -> bool:
    """Whether threads of exactly this user, or the thread with this id, were erased."""
    return lookup.of_user(text) is not None or lookup.of_thread(text) is not None


def erased_user(request: HttpRequest, user: str, zone: tzinfo, *, has_threads: bool) -> dict[str, str] | None:
    """The notice that threads of exactly this user were erased; None if none were. Without threads of such a user
    (`has_threads`), `user` may be a thread id, and the notice is then about that thread. Names no id, so masked
    accounts may read it."""
    past = lookup.of_user(user)
    if past is None:
        return None if has_threads else erased_thread(request, user.strip(), zone)
    if has_threads:
        subject = "Other threads of this customer"
    else:
        subject = "This customer's threads" if past.whole else "Threads of this customer"
    return _notice(request, past, f"{subject} were erased on {times.exact(past.at, zone)}.")


def erased_thread(request: HttpRequest, thread_id: str, zone: tzinfo) -> dict[str, str] | None:
    """The notice that this thread was erased; None if it was not."""
    past = lookup.of_thread(thread_id)
    if past is None:
        return None
    return _notice(request, past, f"This thread was erased on {times.exact(past.at, zone)}.")


def _notice(request: HttpRequest, past: lookup.PastErasure, text: str) -> dict[str, str]:
    may_see = request.user.has_perm(Right.ERASE) or request.user.has_perm(Right.AUDIT)
    return {"text": text, "url": reverse("erasure", args=[past.erasure]) if past.erasure and may_see else ""}
