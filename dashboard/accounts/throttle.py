"""Rate limit for sign-ins, by account and by client address, on top of django-axes.

Every failure gets the same answer, even a right password during a lock, so that an attacker learns neither which
accounts exist nor that they are locked.
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

from threads.web.error_page import problem_page

from .models import SignInLock

View = Callable[..., HttpResponseBase]

_UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  # a placeholder, never bound
_SALT = "dashboard.throttle"
"""Part of the stored hashes: it never changes, whatever this module is called."""

_COUNTED_NAME = "_throttled_name"
"""Request attribute: the last typed name with the name it counts for."""

TOO_MANY_ATTEMPTS = "or there were too many attempts: then wait"
"""How a message on a wrong password continues; the time to wait follows."""


class TooManySignInsError(Exception):
    """Too many sign-ins are waiting."""


class _SignInQueue:
    """Checks one password at a time per process, counting included: of many parallel attempts, all would otherwise
    pass before the first failure is counted. The queue is short, so that its waiting requests leave database
    connections to others."""

    def __init__(self) -> None:
        self._lock, self._waiting = threading.Lock(), 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for the turn. Raises `TooManySignInsError`."""
        if self._waiting >= settings.SIGN_INS_WAITING:
            raise TooManySignInsError
        self._waiting += 1
        try:
            with self._lock:
                yield
        finally:
            self._waiting -= 1


turn = _SignInQueue().turn


def one_at_a_time(view: View) -> View:
    """Decorator for views that check passwords: POST requests wait for their turn, or get 503."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        _ = request.POST  # read the body first: a slow client must not hold the turn
        try:
            with turn():
                return view(request, *args, **kwargs)
        except TooManySignInsError:
            return _busy(request)

    return answer


class ThrottleBackend(AxesStandaloneBackend):  # type: ignore[misc]
    """Authentication backend that refuses locked accounts and addresses before a password is checked."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> None:
        if request is None:  # management commands have no request
            return
        try:
            super().authenticate(request, username, password, **kwargs)
        except PermissionDenied:
            make_password(password)  # hash once, so that the time does not reveal the lock
            raise


class FailureCounter(AxesDatabaseHandler):  # type: ignore[misc]
    """Counts failures in the database, shared by all processes. An address has a higher limit than an account: an
    office may share one."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures on the scale of the account's limit: an address at its own limit counts as an account at its
        limit."""
        account, address = (_sum(each) for each in self.get_user_attempts(request, credentials))
        return max(account, address * settings.AXES_FAILURE_LIMIT // settings.SIGN_IN_TRIES_ADDRESS)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Clears the account's failures, not the address's: otherwise an attacker with one account could go on
        guessing."""
        deleted, _ = AccessAttempt.objects.filter(username=counted_name(request, credentials)).delete()
        return int(deleted)


def _sum(attempts: QuerySet[Any]) -> int:
    return attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0


def lock_kind(request: HttpRequest, credentials: dict[str, Any]) -> str:
    """The kind of lock that refuses an attempt: `SignInLock.ACCOUNT` before `SignInLock.ADDRESS`."""
    failures = _sum(AccessAttempt.objects.filter(username=counted_name(request, credentials)))
    return SignInLock.ACCOUNT if failures >= settings.AXES_FAILURE_LIMIT else SignInLock.ADDRESS


def counted_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """The name to count failures by. An unknown name may be a password in the wrong field, so only its keyed hash is
    stored."""
    typed = str((credentials or {}).get("username") or "")
    counted: tuple[str, str] | None = getattr(request, _COUNTED_NAME, None)
    if counted is None or counted[0] != typed:
        there = User.objects.filter(username=typed).exists()
        counted = (typed, typed if there else f"({salted_hmac(_SALT, typed).hexdigest()})")
        setattr(request, _COUNTED_NAME, counted)
    return counted[1]


def client_address(request: HttpRequest) -> str:
    """The client address to count failures by. An IPv6 client usually has a whole /64, which counts as one."""
    try:
        found = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0])
    except ValueError:
        return _UNKNOWN_ADDRESS
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False).network_address)


def same_response(_request: HttpRequest, response: HttpResponse, _credentials: dict[str, Any] | None) -> HttpResponse:
    """axes' answer to a locked attempt: the same as for any failed sign-in."""
    return response


@receiver(pre_save, sender=AccessAttempt)
def _drop_form_data(instance: Any, **_signal: Any) -> None:
    instance.get_data = instance.post_data = ""


def _busy(request: HttpRequest) -> HttpResponse:
    response = problem_page(
        request,
        503,
        "Too many people are signing in",
        "Your sign-in was not checked. Try again in a moment.",
        again=True,
    )
    response.headers["Retry-After"] = "10"
    return response
