"""Slows down who guesses passwords: by the account that is tried, and by the address that tries. django-axes counts.

Every failure gets one answer, a right password during the wait too: who guesses learns neither which names there are,
nor that they have been locked out, nor what to stop at.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from threads.web.error_page import problem

from .models import SignInLock

View = Callable[..., HttpResponseBase]

_UNKNOWN = "0.0.0.0"  # noqa: S104  # stands for an address, nobody listens there
_NAME = "_throttled_name"

TOO_MANY_ATTEMPTS = "or there were too many attempts: then wait"
"""How a message on a wrong password continues; the time to wait follows."""


class BusyError(Exception):
    """More want to sign in than can be looked at soon."""


class _Turns:
    """One look at a password at a time in each process, the counting with it: of many that came at once, all would
    else be let through before the first had been counted. Few wait, so that others find a free connection."""

    def __init__(self) -> None:
        self._lock, self._waiting = threading.Lock(), 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for it. Raises `BusyError`."""
        if self._waiting >= settings.SIGN_INS_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            with self._lock:
                yield
        finally:
            self._waiting -= 1


turn = _Turns().turn


def taking_turns(view: View) -> View:
    """For a view that looks at passwords: forms wait for their turn."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        _ = request.POST  # read by now, however slowly it comes: who dawdles holds nobody up
        try:
            with turn():
                return view(request, *args, **kwargs)
        except BusyError:
            return _busy(request)

    return answer


class Guard(AxesStandaloneBackend):  # type: ignore[misc]
    """Stands before the backends that look at passwords."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> None:
        if request is None:  # what runs on this machine by itself comes from no address
            return
        try:
            super().authenticate(request, username, password, **kwargs)
        except PermissionDenied:
            make_password(password)  # takes as long as the look at a password that is left out
            raise


class Counting(AxesDatabaseHandler):  # type: ignore[misc]
    """Counts in the database, for all processes. An address may fail more often than an account: behind one there may
    be a whole office."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """In the measure of the account's limit: an address that is at its own limit counts as an account at its."""
        account, address = (_sum(each) for each in self.get_user_attempts(request, credentials))
        return max(account, address * settings.AXES_FAILURE_LIMIT // settings.SIGN_IN_TRIES_ADDRESS)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Who signs in clears the account, and not the address: else an account of one's own would be enough to go on
        guessing at others for ever."""
        deleted, _ = AccessAttempt.objects.filter(username=name(request, credentials)).delete()
        return int(deleted)


def _sum(attempts: QuerySet[Any]) -> int:
    return attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0


def locked(request: HttpRequest, credentials: dict[str, Any]) -> str:
    """What keeps an attempt out that is locked: `SignInLock.ACCOUNT`, else `SignInLock.ADDRESS`."""
    failures = _sum(AccessAttempt.objects.filter(username=name(request, credentials)))
    return SignInLock.ACCOUNT if failures >= settings.AXES_FAILURE_LIMIT else SignInLock.ADDRESS


def name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """What is counted by. A name that no account has may be a password, typed into the wrong field: what is kept of it
    says nothing."""
    typed = str((credentials or {}).get("username") or "")
    known: tuple[str, str] | None = getattr(request, _NAME, None)
    if known is None or known[0] != typed:
        there = User.objects.filter(username=typed).exists()
        known = (typed, typed if there else f"({salted_hmac('dashboard.accounts.throttle', typed).hexdigest()})")
        setattr(request, _NAME, known)
    return known[1]


def address(request: HttpRequest) -> str:
    """Whom a network gives addresses in IPv6, it gives 2**64 of them: they count as one."""
    try:
        found = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0])
    except ValueError:
        return _UNKNOWN
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False).network_address)


def same_answer(_request: HttpRequest, response: HttpResponse, _credentials: dict[str, Any] | None) -> HttpResponse:
    """To who is locked out: what everybody is told whose sign-in fails."""
    return response


@receiver(pre_save, sender=AccessAttempt)
def _keep_nothing_typed(instance: Any, **_signal: Any) -> None:
    instance.get_data = instance.post_data = ""


def _busy(request: HttpRequest) -> HttpResponse:
    response = problem(
        request, 503, "Too many sign in at once", "Nothing was looked at. Try again in a moment.", again=True
    )
    response.headers["Retry-After"] = "10"
    return response
