"""Erasures as their pages show them: preview, progress, receipt, list."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from threads import masking
from threads.chatkit import Retired
from threads.erasure import preview, receipt
from threads.erasure.models import Erasure, Target
from threads.lib import times

from . import errors

MAX_ROWS, MAX_TROUBLED = 1000, 50
"""Threads on a receipt; failed ones on the page of an erasure that is running."""

_POLL_SECONDS = 2
"""Between two requests for progress by the page of a running erasure."""

_PHASES = {
    "waiting": "Waiting to start",
    "confirming": "Waiting for confirmation",
    "listing": "Listing the customer's threads",
    "erasing": "Erasing",
    "looking": "Final check for new threads",
    "traces": "Removing the last traces on this desk",
    "ended": "Ended",
}

_NAMES = {
    Erasure.Kind.RETENTION: "Threads past their retention time",
    Erasure.Kind.REPLAY: "Copies restored by a backup",
}

_STATES = dict(Target.State.choices)


def preview_context(plan: preview.Preview, now: datetime, zone: tzinfo) -> dict[str, Any]:
    """The context of the page that shows what an erasure would delete."""
    return {
        "plan": plan,
        "copies": plan.kind == Erasure.Kind.COPIES,
        "title": _title(plan),
        "span": [times.exact(each, zone) for each in plan.span] if plan.span else None,
        "first": [
            (each.title or "", times.exact(each.created_at, zone) if each.created_at else "", each.id)
            for each in plan.threads[: preview.PREVIEW_ROWS]
        ],
        "problem": errors.of_list(plan.error, now, zone) if plan.error else None,
        "retired": isinstance(plan.error, Retired),
        "zone": str(zone),
    }


def erasure_context(job: Erasure, now: datetime, zone: tzinfo, *, masked: bool) -> dict[str, Any]:
    """The context of an erasure's page: its progress, or its receipt when it has ended. `masked` shortens user ids and
    e-mail addresses."""
    rows = job.targets.order_by("id")[:MAX_ROWS] if job.finished_at else receipt.not_erased(job)[:MAX_TROUBLED]
    remarks = receipt.remarks(job) if job.finished_at else []
    by_state, troubled = receipt.counts(job), receipt.not_erased(job).count()
    return {
        "job": job,
        "what": subject(job, masked=masked),
        "ended": times.exact_to_seconds(job.finished_at, zone) if job.finished_at else None,
        "asked": times.exact_to_seconds(job.requested_at, zone),
        "phase": phase(job),
        "again": times.relative(job.retry_at, now)
        if job.retry_at and not job.finished_at and job.retry_at > now
        else None,
        "threads": sum(by_state.values()),
        "open": sum(by_state.get(state.value, 0) for state in Target.OPEN),
        "counts": [(_STATES[state], number) for state, number in by_state.items()],
        "rows": [_row(each, zone, masked=masked) for each in rows],
        "most": MAX_ROWS,
        "troubled": troubled,
        "partial": bool(troubled) or receipt.is_cut_short(job),
        "look": receipt.last_look(job),
        "remarks": masking.deep(remarks, receipt.user_ids_in(job.rule)) if masked else remarks,
        "traces": receipt.traces(job) if job.finished_at else [],
        "seconds": _POLL_SECONDS,
        "confirmed": times.exact_to_seconds(job.confirmed_at, zone) if job.confirmed_at else None,
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }


def list_row(job: Erasure, zone: tzinfo, *, masked: bool) -> dict[str, str]:
    """An erasure in the list of them, without its address."""
    return {
        "what": subject(job, masked=masked),
        "who": job.account,
        "asked": times.exact(job.requested_at, zone),
        "state": "Done" if job.finished_at else phase(job),
        "counts": _counts(job),
    }


def phase(job: Erasure) -> str:
    """What an erasure is doing, or why it waits."""
    if job.needs_confirmation:
        return _PHASES["confirming"]
    return f"Paused: {job.held}" if job.held else _PHASES.get(job.phase, job.phase)


def subject(job: Erasure, *, masked: bool) -> str:
    """What an erasure is about, such as "All threads of user_42"."""
    if job.kind in _NAMES:
        return _NAMES[Erasure.Kind(job.kind)]
    copies = "Copies of " if job.kind == Erasure.Kind.COPIES else ""
    if job.user_id:
        user = job.user_id if job.user_id.strip() else "a customer whose id is blank"
        return f"{copies or 'All '}threads of {masking.mask_id(job.user_id) if masked else user}"
    count = job.total or 0
    return f"{copies}{count:,} thread{'s' if count != 1 else ''}"


def _title(plan: preview.Preview) -> str:
    copies = "the copies of " if plan.kind == Erasure.Kind.COPIES else ""
    if plan.user:
        return f"Erase {copies}all threads of a customer"
    return f"Erase {copies}{len(plan.ids)} threads" if len(plan.ids) != 1 else f"Erase {copies}this thread"


def _row(target: Target, zone: tzinfo, *, masked: bool) -> dict[str, str]:
    return {
        "id": target.thread_id,
        "user": masking.mask_id(target.user_id) if masked and target.user_id else target.user_id,
        "state": _STATES.get(target.state, target.state),
        "shape": target.state,
        "reason": masking.text(target.reason, [target.user_id]) if masked else target.reason,
        "at": times.exact_to_seconds(target.at, zone) if target.at else "",
        "request_id": target.upstream_request_id,
    }


def _counts(job: Erasure) -> str:
    by_state = receipt.counts(job)
    return ", ".join(f"{number:,} {_STATES[state].lower()}" for state, number in by_state.items()) or "none yet"
