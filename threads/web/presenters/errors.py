"""Upstream errors in words for an agent: the HTTP status of our page, what is so, and whether waiting helps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.conf import settings

from threads import chatkit
from threads.archive.statement_timeout import QueryTimeout
from threads.lib import times
from threads.service.circuit_breaker import UpstreamOutage


@dataclass(frozen=True, slots=True)
class UpstreamProblem:
    """An error as a page shows it. `status` is the HTTP status of our page; `advice` says whether waiting helps;
    `replied` whether the upstream replied at all; `retry_after` is in seconds; `by_filter` says that only another
    filter helps."""

    status: int
    title: str
    text: str
    advice: str
    detail: str = ""
    request_id: str | None = None
    replied: bool = False
    retry_after: int | None = None
    by_filter: bool = False


_ADMINISTRATOR = "Someone who runs Threadkeeper has to change this."
_SOON = "This often passes by itself. Try again in a moment."

_Words = tuple[int, str, str, str]
"""HTTP status, title, text, advice."""

_WORDS: dict[type[chatkit.ChatKitError], _Words] = {
    chatkit.NotSignedIn: (
        502,
        "The API key was not accepted",
        "OpenAI does not know Threadkeeper's API key, or it was revoked.",
        _ADMINISTRATOR,
    ),
    chatkit.ScopesMissing: (
        502,
        "The API key may not read threads",
        "The key is valid, but has no permission for ChatKit threads.",
        _ADMINISTRATOR,
    ),
    chatkit.Retired: (
        502,
        "OpenAI no longer offers this",
        "OpenAI answers that its API has no ChatKit threads: it was retired, or Threadkeeper's address of it is wrong.",
        _ADMINISTRATOR,
    ),
    chatkit.NotFound: (
        404,
        "This page of the list is gone",
        "The thread that it starts from does not exist, or was deleted.",
        "Start from the first page.",
    ),
    chatkit.CursorGone: (
        404,
        "This page of the list is gone",
        "The thread that it starts from does not exist, or was deleted.",
        "Start from the first page.",
    ),
    chatkit.Refused: (
        502,
        "OpenAI did not accept the request",
        "Its API refused the request.",
        "Change the filter, or start from the first page.",
    ),
    chatkit.RateLimited: (
        503,
        "Too many requests right now",
        "OpenAI's rate limit is reached.",
        "It passes by itself. Try again in a minute.",
    ),
    chatkit.Unavailable: (502, "OpenAI can't be reached", "The API is down, or the connection to it failed.", _SOON),
    chatkit.TimedOut: (504, "OpenAI took too long", "The API did not answer in time.", _SOON),
    chatkit.Garbled: (
        502,
        "OpenAI's answer isn't valid",
        "Its format is unknown, so none of it is shown.",
        "Try again. If this lasts, someone who runs Threadkeeper has to look at it.",
    ),
    chatkit.TooLarge: (
        502,
        "OpenAI's answer is too large",
        "A single entry is larger than Threadkeeper reads.",
        "Someone who runs Threadkeeper can raise CHATKIT_MAX_BYTES.",
    ),
    chatkit.OtherProject: (
        502,
        "This is another project",
        "OpenAI answers, but has none of the threads that are synced to this desk.",
        _ADMINISTRATOR,
    ),
    QueryTimeout: (
        503,
        "This search takes too long",
        "It was stopped.",
        "Type more of each word, leave common words out, or choose a status, a customer or fewer days.",
    ),
}


NEEDS_ARCHIVE = UpstreamProblem(
    400,
    "This filter can't be used",
    "OpenAI's API filters by customer alone. Other filters need the sync, which is switched off.",
    "Remove the filter, or ask someone who runs Threadkeeper to set ARCHIVE.",
    replied=True,
    by_filter=True,
)

_NOT_ASKED: _Words = (
    502,
    "OpenAI is not asked",
    "This desk shows its own copies only: ARCHIVE_ONLY is set.",
    _ADMINISTRATOR,
)
_NO_THREAD: _Words = (
    404,
    "Thread not found",
    "No thread has this id: it may have been deleted, or the id is not complete.",
    "Check the id.",
)
_NO_ITEM: _Words = (
    404,
    "This message is gone",
    "It does not exist, or was deleted.",
    "Start from the beginning of the conversation.",
)


def outage(known: UpstreamOutage, now: datetime, zone: tzinfo) -> dict[str, str]:
    """The banner on a page that the archive answers in place of an upstream that fails."""
    since = times.exact(known.since, zone)
    return {"title": of_list(known.error, now, zone).title, "since": since, "ago": times.relative(known.since, now)}


def of_list(error: chatkit.ChatKitError, now: datetime, zone: tzinfo) -> UpstreamProblem:
    """The problem for an error while reading a list."""
    return _problem(error, now, zone, _WORDS[chatkit.NotFound])


def of_thread(error: chatkit.ChatKitError, now: datetime, zone: tzinfo) -> UpstreamProblem:
    """The problem for an error while reading one thread."""
    return _problem(error, now, zone, _NO_THREAD)


def of_items(error: chatkit.ChatKitError, now: datetime, zone: tzinfo) -> UpstreamProblem:
    """The problem for an error while reading the items of a thread."""
    return _problem(error, now, zone, _NO_ITEM)


def _problem(error: chatkit.ChatKitError, now: datetime, zone: tzinfo, missing: _Words) -> UpstreamProblem:
    words = missing if isinstance(error, chatkit.NotFound) else _WORDS[type(error)]
    status, title, text, advice = _NOT_ASKED if settings.ARCHIVE_ONLY and words is _WORDS[chatkit.Retired] else words
    wait = error.retry_after
    if wait is not None and wait <= 366 * 86400:
        until = times.exact(now + timedelta(seconds=wait), zone)
        advice = f"It asks to wait {times.duration(wait)}" + (f", until {until}." if wait >= 60 else ".")
    else:
        wait = None
    return UpstreamProblem(
        status=503 if wait is not None else status,
        title=title,
        text=text,
        advice=advice,
        detail=error.detail,
        request_id=error.request_id,
        replied=error.status is not None,
        retry_after=None if wait is None else -int(-wait // 1),
        by_filter=isinstance(error, QueryTimeout),
    )
