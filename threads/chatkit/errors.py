"""Errors of the API client.

An error holds what a page or a log needs: HTTP status, request id (OpenAI's support asks for it), requested wait, and a
short detail. It never holds the API key.
"""

from __future__ import annotations

from typing import ClassVar


class ChatKitError(Exception):
    """A call upstream failed.

    `status` is the HTTP status, None without a complete reply. `request_id` is the reply's `x-request-id`.
    `retry_after` is in seconds. `detail` is plain text for a log or a page. `retries` is the number of retries that
    were made.
    """

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed a little later."""

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
    """The key is valid but lacks a scope (403, or 401 with "Missing scopes: ...")."""


class NotFound(ChatKitError):
    """There is no such thread or no such cursor (404)."""


class CursorGone(NotFound):
    """A call with a cursor was answered with 404 or 400: the cursor's row is no more in the list, or the endpoint is
    gone. A call without the cursor tells which."""


class Retired(ChatKitError):
    """The endpoint is gone (410, or 404 for a request without an id)."""


class Refused(ChatKitError):
    """The upstream rejects the request (other 4xx)."""


class RateLimited(ChatKitError):
    """Rate limit exceeded (429). `retry_after` is set where the upstream gave it."""

    retryable = True


class Unavailable(ChatKitError):
    """No connection, a broken connection, or a server error (5xx, 408, 409)."""

    retryable = True


class TimedOut(ChatKitError):
    """The reply was not complete at the deadline."""

    retryable = True


class Garbled(ChatKitError):
    """The reply is not one that this API gives: not JSON, a redirect, a loop of pages."""


class TooLarge(ChatKitError):
    """The reply exceeds a limit in bytes, in JSON parts or in nesting. A page with fewer rows may fit. `row_id` is the
    id of its first row, None where that is not in the part that was read."""

    row_id: str | None = None


class OtherProject(ChatKitError):
    """The upstream is not confirmed to be the one that the archive was filled from. `certain` is whether it is
    confirmed to be another one."""

    certain: bool = False


PERMANENT_ERRORS = (NotSignedIn, ScopesMissing, Retired)
"""Errors that every further call would raise too."""
