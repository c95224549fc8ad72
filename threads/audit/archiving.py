"""Moves old events of the audit log into a file, see `hash_chain`. The file is complete and on disk before an event is
removed, and only events in it are removed. After a crash, the same command with the same file goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from . import hash_chain
from .models import AuditEvent
from .record import Action, Outcome, record_or_raise

_BATCH = 1000
"""Events that one transaction removes, during which no other events can be written."""

STAYS = timedelta(hours=48)
"""Newer events stay: the circuit breaker for deletions counts those of the last day."""

_TABLE = "audit_auditevent"
_FIELDS = {
    "id": "id", "at": "at", "action": "action", "outcome": "outcome", "who": "account", "who_id": "account_id",
    "address": "address", "thread": "thread_id", "customer": "user_id", "detail": "detail", "request_id": "request_id",
    "upstream_request_id": "upstream_request_id",
}  # fmt: skip
"""The keys of an event in a file, and its fields. The keys never change, else older files could not be verified."""


class ArchivingError(Exception):
    """The events can't be archived; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file that the audit log has on record: its name, and the hash of its last line."""

    name: str
    last: str


def archive(before: datetime, path: Path) -> tuple[hash_chain.Contents, int] | None:
    """Archives events before a time. Returns the contents of the file and the number of events that this run removed;
    None where there are no events. Raises `ArchivingError`, `BrokenChainError`, `NotRecordedError` and `OSError`."""
    if not path.exists():
        if not AuditEvent.objects.filter(at__lt=before).exists():
            return None
        known = newest()
        if known is not None and not _has_ended(known.last):
            # Its events may still be in the database, and would be in both files.
            raise ArchivingError(f"The file {known.name} has not been ended. Run this again with it first.")
        hash_chain.write(path, before.isoformat(), known.last if known else hash_chain.BEGINNING, _old(before))
    found = hash_chain.read(path)
    about = {
        "archived": path.name, "before": found.before, "archived_events": found.events,
        "previous_hash": found.previous, "last_hash": found.last,
    }  # fmt: skip
    with _locked():
        known = newest()
        last = known.last if known else hash_chain.BEGINNING
        if last not in {found.last, found.previous}:
            raise ArchivingError(f"{path} is not the file that the audit log continues in. Choose another name.")
        if last == found.previous:
            record_or_raise(Action.AUDIT, Outcome.INTENT, detail=about)
    removed = _remove(path)
    if removed or not _has_ended(found.last):
        record_or_raise(Action.AUDIT, Outcome.DONE, detail=about)
    return found, removed


def newest() -> RecordedFile | None:
    """The newest file that the audit log has on record."""
    found = AuditEvent.objects.filter(action=Action.AUDIT, detail__has_key="last_hash").order_by("-id").first()
    return None if found is None else RecordedFile(str(found.detail["archived"]), str(found.detail["last_hash"]))


def _has_ended(last: str) -> bool:
    return AuditEvent.objects.filter(action=Action.AUDIT, outcome=Outcome.DONE, detail__last_hash=last).exists()


def _old(before: datetime) -> Iterator[hash_chain.Line]:
    place = 0
    while rows := list(AuditEvent.objects.filter(at__lt=before, id__gt=place).order_by("id")[:_BATCH]):
        yield from map(_event, rows)
        place = rows[-1].pk


def _event(row: AuditEvent) -> hash_chain.Line:
    return {key: getattr(row, name) for key, name in _FIELDS.items()} | {"at": row.at.isoformat()}


def _remove(path: Path) -> int:
    """Removes the events of a file that are still in the database; returns their number."""
    removed, events = 0, hash_chain.events(path)
    while batch := {each["id"]: each for each in islice(events, _BATCH)}:
        with _locked():
            rows = list(AuditEvent.objects.filter(pk__in=batch))
            for row in rows:
                if json.loads(json.dumps(_event(row))) != batch[row.pk]:
                    raise ArchivingError(f"Event {row.pk} of the audit log is another one than that of {path}.")
            _delete([row.pk for row in rows])
            removed += len(rows)
    return removed


def _delete(numbers: list[int]) -> None:
    """Deletes events without the trigger that refuses it. In a transaction, so that no other connection sees the
    trigger missing. In PostgreSQL only the owner of the table can."""
    if not numbers:
        return
    places = ", ".join(["%s"] * len(numbers))
    delete = f"DELETE FROM {_TABLE} WHERE id IN ({places})"  # noqa: S608  # a constant name
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {_TABLE} DISABLE TRIGGER audit_no_change")
            cursor.execute(delete, numbers)
            cursor.execute(f"ALTER TABLE {_TABLE} ENABLE TRIGGER audit_no_change")
            return
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'audit_no_truncate'")
        made: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute("DROP TRIGGER IF EXISTS audit_no_truncate")
        cursor.execute(delete, numbers)
        for (sql,) in made:
            cursor.execute(sql)


@contextmanager
def _locked() -> Iterator[None]:
    """A transaction during which no other events can be written."""
    with transaction.atomic():  # in SQLite that is enough
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '10s'")
                cursor.execute(f"LOCK TABLE {_TABLE} IN SHARE ROW EXCLUSIVE MODE")
        yield
