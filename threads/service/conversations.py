"""One thread and its items: from the live API, or from the archive where the API fails or has deleted the thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from threads.archive import thread_info
from threads.archive.deletion_evidence import DeletionChecker, DeletionVerdict
from threads.archive.search.source import ArchiveSource
from threads.chatkit import MAX_LIMIT, ChatKitError, NotFound, Thread, ThreadItem, TooLarge, pages
from threads.sources import upstream
from threads.sources.query import ItemQuery
from threads.sources.window import ThreadSource, Window

from .audit_events import record_conversation
from .circuit_breaker import UpstreamOutage, breaker, is_outage
from .fallback import ask_live_or_archive
from .results import Conversation

_log = logging.getLogger(__name__)


def read_conversation(thread_id: str, query: ItemQuery) -> Conversation:
    """A thread and one page of its items. Recorded in the audit log. Raises `ChatKitError` where the thread can't be
    read."""
    found = _read(thread_id, query)
    record_conversation(thread_id, query, user=found.thread.user or "", archived=found.archived)
    return found


def list_items(thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
    """One page of a thread's items. Recorded in the audit log. Raises `ChatKitError`."""
    window = _items(thread_id, query)
    record_conversation(thread_id, query)
    return window


def read_whole_thread(thread_id: str) -> tuple[Thread, Iterator[Window[ThreadItem]]]:
    """A thread, and an iterator over all pages of its items. The first page is read before this returns. This and the
    iterator raise `ChatKitError`. The caller records the event."""
    first = _read(thread_id, ItemQuery(limit=MAX_LIMIT, from_beginning=True))
    if first.items is None:
        raise first.fault or NotFound("the thread has no items")
    return first.thread, _all_pages(thread_id, first.items)


def get_user(thread_id: str) -> str | None:
    """The user id of a thread; None where the thread has no user. Raises `ChatKitError`."""
    try:
        return ask_live_or_archive(lambda source: source.thread(thread_id))[0].user
    except NotFound:
        if not thread_info.is_available():
            raise
        return ArchiveSource().thread(thread_id).user


def thread_exists(thread_id: str) -> bool:
    """Whether a thread with exactly this id exists. Raises `ChatKitError`."""
    try:
        return ask_live_or_archive(lambda source: source.thread(thread_id))[0].id == thread_id
    except NotFound:
        return False
    except ChatKitError as error:
        # An outage, in which the archive has no such thread.
        if not is_outage(error) or not thread_info.is_available():
            raise
        return False


def _read(thread_id: str, query: ItemQuery) -> Conversation:
    try:
        found, outage = ask_live_or_archive(lambda source: _thread_and_items(source, thread_id, query))
    except NotFound:
        if not thread_info.is_available():
            raise
        return _archived_after_not_found(thread_id, query)
    fault, archived = found.fault, settings.ARCHIVE_ONLY or outage is not None
    if fault is not None and (is_outage(fault) or isinstance(fault, TooLarge)) and thread_info.is_available():
        # The thread was read and its items were not: show the archived items.
        with suppress(NotFound):
            items = ArchiveSource().list_items(thread_id, query)
            found, outage, archived = Conversation(found.thread, items), UpstreamOutage(timezone.now(), fault), True
    about = thread_info.by_id([thread_id]).get(thread_id) if thread_info.is_available() else None
    if not archived and found.items is not None and about is not None and about.deleted_upstream_at is None:
        try:
            thread_info.refresh(found.thread, found.items)
        except DatabaseError:  # locked by the sync, or both inserted the same new status: the next sync catches up
            _log.warning("The copy of a thread that was read could not be refreshed", exc_info=True)
    return replace(found, outage=outage, about=about, archived=archived)


def _archived_after_not_found(thread_id: str, query: ItemQuery) -> Conversation:
    """The archived copy of a thread that the upstream answered with "not found". Unless the thread is already known to
    be deleted upstream, a second call decides that here. Raises `NotFound` where it is not archived."""
    found = _thread_and_items(ArchiveSource(), thread_id, query)
    about = thread_info.by_id([thread_id])[thread_id]
    outage, doubt = None, ""
    if not about.only_here:
        finding = DeletionChecker(upstream.client()).of(thread_id)
        if finding.error is not None and is_outage(finding.error):
            outage = breaker.record_failure(finding.error)
        elif finding.verdict is not DeletionVerdict.DELETED:
            doubt = finding.why or "a second call found it"
        else:
            thread_info.mark_deleted(thread_id)
            about = thread_info.by_id([thread_id]).get(thread_id, about)
    return replace(found, outage=outage, about=about, archived=True, doubt=doubt)


def _items(thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
    try:
        return ask_live_or_archive(lambda source: source.list_items(thread_id, query))[0]
    except NotFound:
        if not thread_info.is_available():
            raise
        return ArchiveSource().list_items(thread_id, query)


def _thread_and_items(source: ThreadSource, thread_id: str, query: ItemQuery) -> Conversation:
    """The thread, and its items where those can be read. Raises `ChatKitError` where the thread can't."""
    if not source.can_read_in_parallel:
        return Conversation(source.thread(thread_id), source.list_items(thread_id, query))
    with ThreadPoolExecutor(1) as pool:
        items: Future[Window[ThreadItem]] = pool.submit(copy_context().run, source.list_items, thread_id, query)
        thread = source.thread(thread_id)
        try:
            return Conversation(thread, items.result())
        except ChatKitError as error:
            return Conversation(thread, None, error)


def _all_pages(thread_id: str, first: Window[ThreadItem]) -> Iterator[Window[ThreadItem]]:
    yield first
    if first.has_more and first.last_id is not None:
        yield from pages(lambda after: _items(thread_id, ItemQuery(limit=MAX_LIMIT, after=after)), first.last_id)
