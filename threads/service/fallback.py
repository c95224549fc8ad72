"""Choice of the source for one call: the live API, or the archive while the circuit breaker is open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import TypeVar

from django.conf import settings

from threads.archive import database_guard, thread_info
from threads.archive.search.source import ArchiveSource
from threads.chatkit import ChatKitError, CursorGone, NotFound, Retired
from threads.sources import upstream
from threads.sources.live import LiveSource
from threads.sources.query import ThreadQuery
from threads.sources.window import ThreadSource

from .circuit_breaker import UpstreamOutage, breaker, is_outage

AnswerT = TypeVar("AnswerT")


def ask_live_or_archive(
    ask: Callable[[ThreadSource], AnswerT], zone: tzinfo = UTC
) -> tuple[AnswerT, UpstreamOutage | None]:
    """The live API's answer and None; or, in an outage, the archive's answer and the outage.

    Raises `ChatKitError`: the request's own errors, and the upstream's where there is no archive.
    """
    if settings.ARCHIVE_ONLY:
        return ask(ArchiveSource(zone)), None
    outage = breaker.open_outage()
    if outage is not None and thread_info.is_available():
        return _ask_archive(ask, zone, outage), outage
    try:
        answer = _ask_live(ask)
    except ChatKitError as error:
        if not is_outage(error) or not thread_info.is_available():
            raise
        outage = breaker.record_failure(error)
        return _ask_archive(ask, zone, outage), outage
    breaker.record_success()
    return answer, None


def has_recovered() -> bool:
    """Whether the upstream has recovered: probes it with a list of one thread. False where it may not be probed yet."""
    if settings.ARCHIVE_ONLY or not breaker.may_probe():
        return False
    try:
        if thread_info.is_available():
            database_guard.verify_upstream()
        _probe()
    except ChatKitError as error:
        if is_outage(error):
            breaker.record_failure(error)
            return False
    breaker.record_success(probed=True)
    return True


def outage_while_empty() -> UpstreamOutage | None:
    """The outage that keeps an empty archive from being filled; None where there is none, or the archive has threads.

    Searches make no call upstream, so without this probe nothing would notice the outage.
    """
    if settings.ARCHIVE_ONLY or thread_info.has_threads():
        return None
    outage = breaker.open_outage()
    if outage is not None:
        return outage
    try:
        _probe()
    except ChatKitError as error:
        return breaker.record_failure(error) if is_outage(error) else None
    breaker.record_success()
    return None


def _probe() -> None:
    LiveSource(upstream.client()).list_threads(ThreadQuery(limit=1))


def _ask_live(ask: Callable[[ThreadSource], AnswerT]) -> AnswerT:
    """The live API's answer. Raises `OtherProject` where it is not the upstream that the archive was filled from."""
    if thread_info.is_available():
        database_guard.verify_upstream()
    try:
        return ask(LiveSource(upstream.client()))
    except CursorGone:
        # A retired endpoint refuses every cursor. The probe then raises `Retired`.
        _probe()
        raise


def _ask_archive(ask: Callable[[ThreadSource], AnswerT], zone: tzinfo, outage: UpstreamOutage) -> AnswerT:
    """The archive's answer in an outage. A thread that is not archived may exist upstream, so the outage's own error is
    raised in place of `NotFound`, unless the API is retired."""
    try:
        return ask(ArchiveSource(zone))
    except NotFound:
        if isinstance(outage.error, Retired):
            raise
        raise outage.error from None
