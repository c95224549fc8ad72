"""Last known upstream status, from this process's own calls and from what other processes stored in the database.
Makes no call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from threads.archive.models import Progress, StoredOutage, SyncRun
from threads.chatkit import ChatKitError, Exchange, NotFound, Refused, TooLarge
from threads.lib.process_state import on_reset
from threads.sources import upstream


@dataclass(frozen=True, slots=True)
class UpstreamStatus:
    """The outcome of a call. `failure` is the kind of error, "" if the upstream answered."""

    at: datetime
    failure: str = ""


class UpstreamMonitor:
    """Keeps the status of this process's last call: an observer of the client."""

    def __init__(self) -> None:
        self.last_seen: UpstreamStatus | None = None

    def __call__(self, exchange: Exchange) -> None:
        self.last_seen = UpstreamStatus(timezone.now(), _failure(exchange.error))

    def forget(self) -> None:
        self.last_seen = None


monitor = UpstreamMonitor()
"""This process's monitor."""
upstream.observers.append(monitor)
on_reset(monitor.forget)


def _failure(error: ChatKitError | None) -> str:
    """The kind of error; "" for errors that are answers, such as NotFound."""
    return "" if error is None or isinstance(error, NotFound | Refused | TooLarge) else type(error).__name__


def stored_statuses(using: str = "default") -> list[UpstreamStatus]:
    """Statuses that other processes stored. `using` is the connection's alias. Raises `DatabaseError`."""
    found = [UpstreamStatus(each.since, "Outage") for each in StoredOutage.objects.using(using).all()]
    progress = Progress.objects.using(using).filter(pk=1).first()
    if progress is not None and progress.failed_at is not None:
        return [*found, UpstreamStatus(progress.failed_at, "SyncFailed")]
    ended = SyncRun.objects.using(using).filter(phase="ended").exclude(finished_at=None).first()
    return found if ended is None or ended.finished_at is None else [*found, UpstreamStatus(ended.finished_at)]
