"""Tasks of the archive: the sync of every few minutes, a full sync on request, and reindexing."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models.functions import Now

from threads.chatkit import ChatKitError
from threads.jobs import queue, schedule, stopping
from threads.jobs.lease import LeaseLostError
from threads.sources import upstream

from . import database_guard, reindex
from .models import SyncRun
from .sync import sync_requests
from .sync.lease import LeaseHeldError
from .sync.sync import Sync, failure_reason, store_failure

log = logging.getLogger(__name__)

huey = queue.huey()

_running: set[Sync] = set()
"""The runs of this process."""


def _keep_up() -> None:
    """Runs a sync, unless another worker runs one or has just done so; then the requested full sync, if any."""
    every = timedelta(minutes=settings.ARCHIVE_EVERY)
    try:
        # Every machine has its schedule; one run is enough. An end in the future is from before the clock was put back.
        if not SyncRun.objects.filter(
            phase="ended", finished_at__gt=Now() - every / 2, finished_at__lte=Now() + every
        ).exists():
            _run(everything=False)
    except (LeaseHeldError, DatabaseError) as error:
        _log_skipped(error)
    finally:
        connections.close_all()
    _sync_now()


def _sync_now() -> None:
    """Runs the full sync that was requested, unless a worker runs one. While a run is under way or the database is
    unreachable the request waits: it is checked every minute, and at the end of each run of this process."""
    if _running:
        return
    try:
        if sync_requests.pending().exists():
            _run(everything=True)
    except (LeaseHeldError, DatabaseError) as error:
        _log_skipped(error)
    except Exception:
        # A request that stayed would fail the same way every minute.
        log.exception("The requested sync has failed.")
        sync_requests.mark_started()
        sync_requests.mark_finished()
    finally:
        connections.close_all()


def _index_stale() -> None:
    """Reindexes what is stale, unless another worker does."""
    try:
        if reindex.is_due() and not stopping.requested.is_set():
            reindex.run(stopping.requested.is_set)
    except (LeaseHeldError, LeaseLostError):
        log.info("Another worker is indexing.")
    except DatabaseError:
        log.exception("The search index can't be written. The next try is in a minute.")
    finally:
        connections.close_all()


def _log_skipped(error: LeaseHeldError | DatabaseError) -> None:
    """Logs why a run did not begin or ended early. Without the database, only the log can hold that."""
    if isinstance(error, LeaseHeldError):
        log.info("Another worker is syncing: %s.", error.holder)
    else:
        log.error("The archive can't be written: %s. The sync ended early.", error)


def _run(*, everything: bool) -> None:
    if settings.ARCHIVE == "off" or settings.ARCHIVE_ONLY or stopping.requested.is_set():
        return
    try:
        # Another process may have adopted another upstream.
        database_guard.clear_cache()
        database_guard.verify_upstream()
    except ChatKitError as error:
        log.warning("Nothing is synced: %s", error.detail)
        store_failure(error)
        if everything:
            sync_requests.mark_started()
            sync_requests.mark_finished()
        return
    sync = Sync(
        upstream.client(),
        with_items=settings.ARCHIVE == "full",
        side_by_side=settings.ARCHIVE_AT_ONCE,
        per_minute=settings.ARCHIVE_REQUESTS_PER_MINUTE,
        every=timedelta(minutes=settings.ARCHIVE_EVERY),
        recent_pages=settings.ARCHIVE_RECENT_PAGES,
        purge=settings.ARCHIVE_GONE == "purge",
    )
    _running.add(sync)
    try:
        with stopping.on_stop(sync.stop):
            sync.run(everything=everything, recheck=timedelta(hours=settings.ARCHIVE_RECHECK_HOURS))
    except LeaseLostError:
        log.info("Another worker has taken over.")
    except ChatKitError as error:
        # The archive's page shows it too; the next run tries again.
        log.warning("The sync ended early: %s.", failure_reason(error))
    else:
        _log_result(sync)
    finally:
        _running.discard(sync)


def _log_result(sync: Sync) -> None:
    tally = sync.tally
    if tally.new_threads or tally.new_items or tally.failures:
        log.info(
            "Synced %d new threads and %d new items; %d could not be read.",
            tally.new_threads, tally.new_items, tally.failures,
        )  # fmt: skip


if settings.ARCHIVE != "off":
    keep_up = schedule.periodic(_keep_up, "keep_up")
    sync_now = huey.task(name="sync_now")(_sync_now)
    take_up_sync = schedule.periodic(_sync_now, "take_up_sync")
    index_stale = schedule.periodic(_index_stale, "index_stale")
