"""From a reply that is not what was asked for to the error that says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from . import retry
from .errors import (
    ChatKitError,
    CursorGone,
    Garbled,
    NotFound,
    NotSignedIn,
    RateLimited,
    Refused,
    Retired,
    ScopesMissing,
    TooLarge,
    Unavailable,
)
from .parse import parse
from .transport import Reply
from .values import clean

_OTHER_PARAMETERS = {"limit", "order", "user"}
"""What a 400 for a call with a cursor may be about besides the cursor."""

_LONGEST_DETAIL = 300
_LONGEST_SAID = 2_000


@contextmanager
def of(
    reply: Reply, hide: Callable[[str], str], *, cursor: str | None = None, collection: bool = False
) -> Iterator[None]:
    """Raises the error that `reply` stands for, and gives its status and request id to what is raised within.

    `hide` takes the key out of a text. `cursor` is the request's `after` or `before`. `collection` tells that the
    request names no thread: there, a 404 without a cursor, or not in the API's own words, means that the whole endpoint
    is gone.
    """
    if not 200 <= reply.status < 300:
        raise _error(reply, hide, cursor, collection)
    try:
        yield
    except (Garbled, TooLarge) as error:
        error.status, error.request_id = reply.status, reply.request_id
        raise


def _error(reply: Reply, hide: Callable[[str], str], cursor: str | None, collection: bool) -> ChatKitError:
    said = _said(reply)
    message = _plain(hide(said["message"][:_LONGEST_SAID]))
    kind = _kind(reply.status, said, cursor, collection)
    wait = None
    if kind in {RateLimited, Unavailable}:
        wait = retry.retry_after(reply.headers)
    if kind is RateLimited and wait is None:
        wait = retry.reset_after(reply.headers)
    detail = message or f"the upstream answered with status {reply.status}"
    return kind(detail, status=reply.status, request_id=reply.request_id, retry_after=wait)


def _kind(status: int, said: Mapping[str, str], cursor: str | None, collection: bool) -> type[ChatKitError]:
    if status == 401:
        # A key that may not do this arrives as 401 too, told apart by its message alone.
        return ScopesMissing if "missing scopes" in said["message"].lower() else NotSignedIn
    if status == 403:
        return ScopesMissing
    if status == 410:
        return Retired
    if status == 404 and collection and not (cursor and said["message"]):
        # The API's own words, in answer to a cursor, may be about the cursor; a page of something else is not.
        return Retired
    if cursor and (status == 404 or (status == 400 and said["param"] not in _OTHER_PARAMETERS)):
        return CursorGone
    if status == 404:
        return NotFound
    if status == 429:
        return RateLimited
    if status >= 500 or status in {408, 409}:
        return Unavailable
    return Refused if status >= 400 else Garbled


def _said(reply: Reply) -> dict[str, str]:
    """The fields of the error body, each a string, empty where it is not there or is no string."""
    try:
        body = parse(reply.body)
    except (Garbled, TooLarge):
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    fields = error if isinstance(error, dict) else {}
    return {name: _string(fields.get(name)) for name in ("message", "type", "param", "code")}


def _string(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""


def _plain(message: str) -> str:
    """The upstream's sentence on one line, of bounded length, without what looks like a key, even a masked one."""
    text = re.sub(r"\bsk-[\w*.-]+", "sk-…", " ".join(message.split()))
    return text if len(text) <= _LONGEST_DETAIL else text[:_LONGEST_DETAIL] + " … (shortened)"
