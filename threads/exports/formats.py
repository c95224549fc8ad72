"""Formats of an exported list: CSV for a spreadsheet, JSON Lines for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from threads.archive.thread_info import ThreadInfo
from threads.chatkit import Thread
from threads.chatkit.dump import to_json
from threads.lib.safe_csv import BOM, csv_line
from threads.service import Listing

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
"""The content type of each format of a list."""

COLUMNS = (
    "id", "title", "first_message", "user", "status", "reason", "created", "messages", "last_activity", "source",
    "confirmed", "gone", "problems",
)  # fmt: skip
"""The columns in the order of the CSV file, named as in JSON Lines. Times are ISO 8601 in UTC. `source` is "live" or
"archive"; `confirmed` is when the API last gave the thread so; `gone` is when it was found deleted at the API;
`problems` name the parts of the API's row that could not be parsed."""


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A thread as it is exported. None is unknown."""

    id: str | None
    title: str | None
    first_message: str | None
    user: str | None
    status: str | None
    reason: str | None
    created: str | None
    messages: int | None
    last_activity: str | None
    source: str
    confirmed: str | None
    gone: str | None
    problems: tuple[str, ...]


def rows(found: Listing, threads: Iterable[Thread], now: datetime) -> Iterator[ExportRow]:
    """The rows of threads from a page that was read at `now`."""
    for thread in threads:
        yield _row(thread, found.about.get(thread.id or ""), now, archived=found.archived)


def beginning(kind: str) -> bytes:
    """The bytes before the first thread."""
    return (BOM + csv_line(COLUMNS)).encode() if kind == "csv" else b""


def lines(kind: str, found: Iterable[ExportRow]) -> bytes:
    """The bytes of these rows."""
    if kind == "csv":
        return "".join(csv_line(_cells(row)) for row in found).encode("utf-8", "replace")
    return "".join(_object({name: getattr(row, name) for name in COLUMNS}) for row in found).encode("utf-8", "replace")


def partial(kind: str, threads: int, reason: str) -> bytes:
    """The last line of an incomplete file. In CSV the text is in the first cell of a full line."""
    if kind == "csv":
        counted = f"{threads:,} thread{'s' if threads != 1 else ''}"
        return csv_line([f"PARTIAL: {counted}, then not all. {reason}", *[""] * (len(COLUMNS) - 1)]).encode()
    return _object({"partial": True, "threads": threads, "reason": reason}).encode()


def _cells(row: ExportRow) -> list[object]:
    return ["; ".join(row.problems) if name == "problems" else getattr(row, name) for name in COLUMNS]


def _object(values: dict[str, object]) -> str:
    return to_json({name: list(each) if isinstance(each, tuple) else each for name, each in values.items()}) + "\n"


def _row(thread: Thread, about: ThreadInfo | None, now: datetime, *, archived: bool) -> ExportRow:
    status = thread.status
    confirmed = now if not archived else about.checked_at if about else None
    return ExportRow(
        id=thread.id,
        title=thread.title,
        first_message=about.opening if about else None,
        user=thread.user,
        status=status.label if status else None,
        reason=status.reason if status else None,
        created=_time(thread.created_at),
        messages=about.messages if about else None,
        last_activity=_time(about.last_activity_at if about else None),
        source="archive" if archived else "live",
        confirmed=_time(confirmed),
        gone=_time(about.deleted_upstream_at if about else None),
        problems=thread.problems,
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
