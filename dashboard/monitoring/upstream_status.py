"""What was last heard of the upstream: by this process, and by the worker and others, who leave word in the database.
Nobody asks the upstream for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from threads.archive.models import Outage, Progress, Run
from threads.chatkit import ChatKitError, Exchange, NotFound, Refused, TooLarge
from threads.lib.process_state import on_reset
from threads.sources import upstream


@dataclass(frozen=True, slots=True)
class Heard:
    """`failure` is the kind of error that it was, "" where the upstream answered."""

    at: datetime
    failure: str = ""


class Ear:
    """Listens to the exchanges of this process."""

    def __init__(self) -> None:
        self.last: Heard | None = None

    def __call__(self, exchange: Exchange) -> None:
        self.last = Heard(timezone.now(), _failure(exchange.error))

    def forget(self) -> None:
        self.last = None


ear = Ear()
upstream.observers.append(ear)
on_reset(ear.forget)


def _failure(error: ChatKitError | None) -> str:
    """Who is told that there is no such thread has been answered."""
    return "" if error is None or isinstance(error, NotFound | Refused | TooLarge) else type(error).__name__


def elsewhere(using: str = "default") -> list[Heard]:
    """What other processes left word of. `using` names the connection. Raises `DatabaseError`."""
    found = [Heard(each.since, "Outage") for each in Outage.objects.using(using).all()]
    progress = Progress.objects.using(using).filter(pk=1).first()
    if progress is not None and progress.failed_at is not None:
        return [*found, Heard(progress.failed_at, "CopyingFailed")]
    ended = Run.objects.using(using).filter(phase="ended").exclude(ended_at=None).first()
    return found if ended is None or ended.ended_at is None else [*found, Heard(ended.ended_at)]
