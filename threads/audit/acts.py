"""Pairs the two events of one act: its start, recorded before it is done, and its result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .models import AuditEvent
from .record import Action, Outcome

_IDS = ("erasure", "export", "last_hash")
"""Details that name one act: its start and its result have the same value."""

_IN_ONE_REQUEST = (Action.EXPORT, Action.AUDIT)
"""Actions whose start and result may share nothing but the request."""


def starts(events: Iterable[AuditEvent]) -> dict[int, AuditEvent]:
    """The start of each act among `events`, by the primary key of its result. Only where exactly one start and one
    result have the ids of the act; other events stand alone."""
    by_act: defaultdict[tuple[str, ...], list[AuditEvent]] = defaultdict(list)
    for event in events:
        act = _act(event)
        if act is not None:
            by_act[act].append(event)
    found = {}
    for pair in by_act.values():
        first, *others = sorted(pair, key=lambda event: (event.at, event.pk))
        if len(others) == 1 and first.outcome == Outcome.INTENT != others[0].outcome:
            found[others[0].pk] = first
    return found


def _act(event: AuditEvent) -> tuple[str, ...] | None:
    """What the events of one act have in common; None for an event without such an id."""
    detail = event.detail if isinstance(event.detail, dict) else {}
    if detail.get("download") is True:  # of a file whose export has ended
        return None
    common = (event.action, event.account, event.account_id, event.thread_id, event.user_id)
    for name in _IDS:
        if isinstance(detail.get(name), str):
            return (*common, name, detail[name])
    return (*common, event.request_id) if event.request_id and event.action in _IN_ONE_REQUEST else None
