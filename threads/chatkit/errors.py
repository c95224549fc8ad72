"""What can go wrong between here and a ChatKit upstream.

Every error carries what a page or a log needs and nothing it must not have: the HTTP status, the upstream's
request id (the id that OpenAI's support asks for), how many seconds the upstream asked to wait, and a short
detail. The API key is in none of them.
"""

from __future__ import annotations

from typing import ClassVar


class ChatKitError(Exception):
    """The upstream did not do what was asked.

    `status` is the HTTP status, None when no whole reply came. `request_id` is the reply's `x-request-id`.
    `retry_after` is in seconds. `detail` is a sentence for a log or a page, in plain text. `retries` is how often the
    request was sent again before this came of it.
    """

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed when it is sent again a little later."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.retries = 0


class NotSignedIn(ChatKitError):
    """The API key is missing, wrong or revoked (401)."""


class ScopesMissing(ChatKitError):
    """The key is right but may not do this (403, or 401 with "Missing scopes: ...")."""


class NotFound(ChatKitError):
    """There is no such thread, or no such place in the list (404)."""


class CursorGone(NotFound):
    """A call with a cursor was answered with 404 or 400. Either the row that the cursor names is not in the list any
    more, or the endpoint is not there: a call without the cursor tells which."""


class Retired(ChatKitError):
    """The endpoint itself is gone (410, or 404 where no id was asked for)."""


class Refused(ChatKitError):
    """The upstream understood the request and does not accept it (other 4xx)."""


class RateLimited(ChatKitError):
    """Too many requests (429). `retry_after` says when to come back, where the upstream said so."""

    retryable = True


class Unavailable(ChatKitError):
    """No connection, a connection that broke, or a fault of the upstream's own (5xx)."""

    retryable = True


class TimedOut(ChatKitError):
    """The whole reply did not come before the deadline."""

    retryable = True


class Garbled(ChatKitError):
    """A reply came, but it is not one that this API gives: not JSON, a redirect, a loop."""


class TooLarge(ChatKitError):
    """The reply is larger than this client reads: in bytes, in parts or in depth. A page with fewer rows may fit.
    `row_id` is the id of its first row, None where the part that was read does not tell it."""

    row_id: str | None = None


class OtherProject(ChatKitError):
    """The upstream answers, and has not been shown to be the one whose threads are kept. `certain` is whether it has
    been shown to be another one."""

    certain: bool = False
