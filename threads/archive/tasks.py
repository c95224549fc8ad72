"""What workers do: keep the archive up every few minutes, copy everything when somebody asks for it, and index anew
what has to be."""

from __future__ import annotations

import calendar
import logging
import threading
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models.functions import Now
from huey import crontab

from threads.chatkit import ChatKitError
from threads.jobs import queue
from threads.lib.process_state import on_reset
from threads.sources import upstream

from . import database_guard, reindex
from .models import Run
from .sync import requests
from .sync.lease import HeldError, LeaseLostError
from .sync.walk import Sync, sync_failed, why

log = logging.getLogger(__name__)

huey = queue.huey()

_under_way: set[Sync] = set()
_stopping = threading.Event()
on_reset(_stopping.clear)


def stop() -> None:
    """Ends the runs of this process soon, and begins no more."""
    _stopping.set()
    for sync in list(_under_way):
        sync.stop()


def every() -> timedelta:
    return timedelta(minutes=settings.ARCHIVE_EVERY)


def _keep_up() -> None:
    """One run, unless another worker is at it or has just been; and then the whole sync that was asked for, if any."""
    try:
        # Each machine's clock strikes; once is enough. An end that is still to come was noted by a clock that has been
        # put back since.
        if not Run.objects.filter(
            phase="ended", ended_at__gt=Now() - every() / 2, ended_at__lte=Now() + every()
        ).exists():
            _run(everything=False)
    except (HeldError, DatabaseError) as error:
        _put_off(error)
    finally:
        connections.close_all()
    _sync_now()


def _sync_now() -> None:
    """The whole sync that somebody has asked for, unless a worker is at it. Where a run is under way, or the database
    can't be had, the request waits: it is looked for each minute, and at the end of each run of this process."""
    if _under_way:
        return
    try:
        if requests.pending().exists():
            _run(everything=True)
    except (HeldError, DatabaseError) as error:
        _put_off(error)
    except Exception:
        # It would meet the same each minute.
        log.exception("The sync that was asked for has failed.")
        requests.begun()
        requests.met()
    finally:
        connections.close_all()


def _index_stale() -> None:
    """Indexes anew what is stale, unless another worker is at it."""
    try:
        if reindex.is_due() and not _stopping.is_set():
            reindex.run(_stopping.is_set)
    except (HeldError, LeaseLostError):
        log.info("Another worker is indexing.")
    except DatabaseError:
        log.exception("The search index can't be written. It is tried again in a minute.")
    finally:
        connections.close_all()


def _put_off(error: HeldError | DatabaseError) -> None:
    """Says why there was no run, or none to its end. Where the database is the reason, only the log can hold it."""
    if isinstance(error, HeldError):
        log.info("Another worker is copying: %s.", error.holder)
    else:
        log.error("The archive can't be written: %s. The copying ended early.", error)


def _run(*, everything: bool) -> None:
    if settings.ARCHIVE == "off" or settings.ARCHIVE_ONLY or _stopping.is_set():
        return
    try:
        # Another process may have adopted another upstream.
        database_guard.forget()
        database_guard.confirm()
    except ChatKitError as error:
        log.warning("Nothing is synced: %s", error.detail)
        sync_failed(error)
        if everything:
            requests.begun()
            requests.met()
        return
    sync = Sync(
        upstream.client(),
        with_items=settings.ARCHIVE == "full",
        side_by_side=settings.ARCHIVE_AT_ONCE,
        per_minute=settings.ARCHIVE_REQUESTS_PER_MINUTE,
        every=every(),
        recent_pages=settings.ARCHIVE_RECENT_PAGES,
        purge=settings.ARCHIVE_GONE == "purge",
    )
    _under_way.add(sync)
    try:
        sync.run(everything=everything, recheck=timedelta(hours=settings.ARCHIVE_RECHECK_HOURS))
    except LeaseLostError:
        log.info("Another worker has taken over.")
    except ChatKitError as error:
        # The archive's page says so too; the next run tries again.
        log.warning("The sync ended early: %s.", why(error))
    else:
        _say(sync)
    finally:
        _under_way.discard(sync)


def _say(sync: Sync) -> None:
    tally = sync.tally
    if tally.new_threads or tally.new_items or tally.failures:
        log.info(
            "Copied %d new threads and %d new items; %d could not be read.",
            tally.new_threads, tally.new_items, tally.failures,
        )  # fmt: skip


def _is_time(now: datetime) -> bool:
    """Whether a run begins in this minute, in UTC."""
    return calendar.timegm(now.timetuple()) // 60 % settings.ARCHIVE_EVERY == 0


if settings.ARCHIVE != "off":
    # A minute that nobody had time for is not made up for.
    keep_up = huey.periodic_task(_is_time, name="keep_up", expires=every())(_keep_up)
    sync_now = huey.task(name="sync_now")(_sync_now)
    take_up_sync = huey.periodic_task(crontab(), name="take_up_sync", expires=60)(_sync_now)
    index_stale = huey.periodic_task(lambda _now: True, name="index_stale", expires=60)(_index_stale)
