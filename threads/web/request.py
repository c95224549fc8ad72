"""Facts about a request: its account, the reader's time zone, and the list that its parameters name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, QueryDict

from threads import masking
from threads.lib import form_fields, times
from threads.roles import MissingRightError, Right
from threads.sources import query_forms
from threads.sources.query import ThreadQuery


def account(request: HttpRequest) -> User:
    """The account of a request in a view that requires a sign-in."""
    return cast(User, request.user)


def require_right(request: HttpRequest, right: Right) -> None:
    """Raises `MissingRightError` unless the account has this right: for a part of a view that needs more than the rest
    of it does."""
    if not request.user.has_perm(right):
        raise MissingRightError(right)


def is_masked(request: HttpRequest) -> bool:
    """Whether the account sees user ids and e-mail addresses shortened."""
    return masking.applies_to(account(request))


def now_and_zone(request: HttpRequest) -> tuple[datetime, tzinfo]:
    """The current time in UTC, and the time zone that the browser reports in its `tz` cookie, UTC without one."""
    return datetime.now(UTC), times.zone_by_name(request.COOKIES.get("tz"))


def thread_query(request: HttpRequest, parameters: Mapping[str, str]) -> tuple[ThreadQuery | None, form_fields.Errors]:
    """The list that these parameters name, or None and messages by field. A masked account may filter by a whole user
    id only, never by a part of one. Every view reads a list through here, so none forgets this."""
    return query_forms.parse_thread_query(parameters, masked=is_masked(request))


def encoded_query(request: HttpRequest, encoded: str) -> tuple[ThreadQuery | None, form_fields.Errors]:
    """As `thread_query`, for a list encoded in a single parameter."""
    return thread_query(request, QueryDict(encoded).dict())
