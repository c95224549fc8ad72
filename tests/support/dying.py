"""An upstream that starts to fail at a given call, and snapshots of the archive before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Timer
from typing import Any

from threads.archive.completeness import completeness
from threads.archive.models import ArchivedItem, ArchivedThread
from threads.archive.sync.sync import Sync
from threads.audit.models import AuditEvent
from threads.audit.record import Action
from threads.chatkit import ApiConfig, ChatKitClient, ChatKitError, Limits
from threads.emulator import Emulator, EmulatorAdapter, EmulatorReply, Fault


class Dying(Emulator):
    """Answers with `fault` from call number `at` on, counted from when it was set; None for never."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.at: int | None = None
        self.meets: Fault | None = None
        self.made = 0

    def dies(self, fault: Fault, at: int = 0) -> None:
        self.meets, self.at, self.made = fault, at, 0

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> EmulatorReply:
        if self.at is not None and self.made >= self.at and self.fault is None:
            self.fault = self.meets
        self.made += 1
        return super().handle(method, path, query, headers)

    def client(self, **limits: Any) -> ChatKitClient:
        return ChatKitClient(
            ApiConfig("sk-test"), limits=Limits(**{"seconds": 0.5} | limits), adapter=EmulatorAdapter(self)
        )


@dataclass(frozen=True)
class Held:
    """A snapshot of the archive: ids of threads and items, ids of threads marked as deleted or withheld, copies
    removed, and the time as of which it is complete."""

    threads: frozenset[str]
    items: frozenset[tuple[int, str | None]]
    marked: frozenset[str]
    removed: int
    as_of: datetime | None


def held() -> Held:
    marked = ArchivedThread.objects.exclude(deleted_upstream_at=None) | ArchivedThread.objects.exclude(withheld_at=None)
    return Held(
        frozenset(ArchivedThread.objects.values_list("thread_id", flat=True)),
        frozenset(ArchivedItem.objects.values_list("thread_id", "item_id")),
        frozenset(marked.values_list("thread_id", flat=True)),
        AuditEvent.objects.filter(action=Action.PURGE).count(),
        completeness().as_of,
    )


def run(
    client: ChatKitClient, *, everything: bool = False, stopped_after: float = 60, **how: Any
) -> ChatKitError | None:
    """Runs a sync as a worker does; returns the error that ended it early. It is stopped after `stopped_after` seconds,
    since it waits as long as a rate limit says."""
    settled: dict[str, Any] = {"every": timedelta(minutes=2), "recent_pages": 5, "pauses": ()} | how
    sync = Sync(client, **settled)
    timer = Timer(stopped_after, sync.stop)
    timer.start()
    try:
        sync.run(everything=everything, recheck=timedelta(hours=24))
    except ChatKitError as error:
        return error
    finally:
        timer.cancel()
        timer.join()
    return None
