"""Maps HTTP error replies to `ChatKitError`s."""

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
from .transport import UpstreamReply
from .values import replace_surrogates

_OTHER_PARAMETERS = {"limit", "order", "user"}
"""Parameters other than the cursor that a 400 may be about."""

_LONGEST_DETAIL = 300
_LONGEST_MESSAGE = 2_000
"""Characters of an error's detail, and of the upstream's message that are looked at."""


@contextmanager
def raise_for_reply(
    reply: UpstreamReply, hide: Callable[[str], str], *, cursor: str | None = None, collection: bool = False
) -> Iterator[None]:
    """Raises the error for a non-2xx `reply`, and adds its status and request id to decoding errors of the block.

    `hide` removes the key from a text. `cursor` is the request's `after` or `before`. `collection` is whether the URL
    names no thread: then a 404 without a cursor, or without an API error body, means that the endpoint is gone.
    """
    if not 200 <= reply.status < 300:
        raise _error(reply, hide, cursor, collection)
    try:
        yield
    except (Garbled, TooLarge) as error:
        error.status, error.request_id = reply.status, reply.request_id
        raise


def _error(reply: UpstreamReply, hide: Callable[[str], str], cursor: str | None, collection: bool) -> ChatKitError:
    fields = _error_fields(reply)
    message = _plain(hide(fields["message"][:_LONGEST_MESSAGE]))
    error_class = _error_class(reply.status, fields, cursor, collection)
    wait = None
    if error_class in {RateLimited, Unavailable}:
        wait = retry.retry_after(reply.headers)
    if error_class is RateLimited and wait is None:
        wait = retry.rate_limit_reset(reply.headers)
    detail = message or f"the upstream answered with status {reply.status}"
    return error_class(detail, status=reply.status, request_id=reply.request_id, retry_after=wait)


def _error_class(status: int, fields: Mapping[str, str], cursor: str | None, collection: bool) -> type[ChatKitError]:
    if status == 401:
        # A missing scope is a 401 too, told apart by the message alone.
        return ScopesMissing if "missing scopes" in fields["message"].lower() else NotSignedIn
    if status == 403:
        return ScopesMissing
    if status == 410:
        return Retired
    if status == 404 and collection and not (cursor and fields["message"]):
        # With an API error body, the 404 may be about the cursor; without one, it is a page of some other server.
        return Retired
    if cursor and (status == 404 or (status == 400 and fields["param"] not in _OTHER_PARAMETERS)):
        return CursorGone
    if status == 404:
        return NotFound
    if status == 429:
        return RateLimited
    if status >= 500 or status in {408, 409}:
        return Unavailable
    return Refused if status >= 400 else Garbled


def _error_fields(reply: UpstreamReply) -> dict[str, str]:
    """The fields of the error body; "" for one that is missing or no string."""
    try:
        body = parse(reply.body)
    except (Garbled, TooLarge):
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    fields = error if isinstance(error, dict) else {}
    return {name: _string(fields.get(name)) for name in ("message", "type", "param", "code")}


def _string(value: object) -> str:
    return replace_surrogates(value) if isinstance(value, str) else ""


def _plain(message: str) -> str:
    """The message on one line, shortened, without anything that looks like a key, even a masked one."""
    text = re.sub(r"\bsk-[\w*.-]+", "sk-…", " ".join(message.split()))
    return text if len(text) <= _LONGEST_DETAIL else text[:_LONGEST_DETAIL] + " … (shortened)"
