"""Exports as their pages show them: state, progress, size, links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.urls import reverse

from threads.exports.models import Export, ExportOutcome
from threads.lib import times

_PICKUP_TIME = timedelta(minutes=2)
"""A worker should have started an export by then."""

_KINDS = {"csv": "List of threads, CSV", "jsonl": "List of threads, JSON Lines"}

_STATES = {
    ExportOutcome.WHOLE: "Ready",
    ExportOutcome.PARTIAL: "Ready, incomplete",
    ExportOutcome.FAILED: "Failed",
    ExportOutcome.REFUSED: "Refused",
    ExportOutcome.REMOVED: "Removed",
}

_PHASES = {
    "waiting": "Waiting to start",
    "listing": "Reading the list",
    "gone": "Reading threads that OpenAI deleted",
    "reading": "Reading the conversations",
    "packing": "Packing",
}


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """An export in words. `done` and `total` count threads, `total` is None if unknown. `trouble` says why it makes no
    progress at the moment. A URL is None where there is no link."""

    what: str
    list_url: str | None
    account: str
    asked: str
    state: str
    ended: bool
    bad: bool
    done: int
    total: int | None
    reason: str
    trouble: str
    size: str | None
    sha256: str
    name: str
    expires: str | None
    url: str
    file_url: str | None
    delete_url: str


def export_summary(export: Export, now: datetime, zone: tzinfo) -> ExportSummary:
    """The summary of an export, with times relative to `now` and in `zone`."""
    ended = export.finished_at is not None
    # Counted at the start; threads may have arrived since.
    total = export.total if export.total is not None and export.total >= export.done else None
    return ExportSummary(
        what=_KINDS.get(export.kind, f"Everything of {export.user_id if export.user_id.strip() else 'a customer'}"),
        list_url=f"{reverse('threads')}?{export.query}" if export.query else None,
        account=export.account,
        asked=times.exact(export.requested_at, zone),
        state=_STATES[ExportOutcome(export.outcome)] if export.outcome else _PHASES.get(export.phase, export.phase),
        ended=ended,
        bad=ended and not export.has_file,
        done=export.done,
        total=total,
        reason=export.reason,
        trouble="" if ended else _trouble(export, now, zone),
        size=_size(export.size) if export.has_file and export.size is not None else None,
        sha256=export.sha256 if export.has_file else "",
        name=export.name,
        expires=times.exact(export.expires_at, zone) if export.expires_at else None,
        url=reverse("export", args=[export.pk]),
        file_url=reverse("export-file", args=[export.pk]) if export.has_file else None,
        delete_url=reverse("export-delete", args=[export.pk]),
    )


def _trouble(export: Export, now: datetime, zone: tzinfo) -> str:
    if export.trouble_at is not None:
        since = times.clock(export.trouble_at, zone)
        return f"OpenAI can't be reached since {since}. The export tries again each minute, and stops after ten."
    if export.phase == "waiting" and now - export.requested_at > _PICKUP_TIME:
        return "It has not started. Someone who runs Threadkeeper has to start a worker: manage.py worker."
    return ""


def _size(size: int) -> str:
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"
