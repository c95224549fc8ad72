"""The audit log as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import copy
from datetime import UTC

from threads import masking
from threads.lib import safe_csv

from .descriptions import ENCODED, describe
from .models import AuditEvent

_COLUMNS = (
    "number", "time", "account", "account id", "address", "action", "in words", "outcome", "thread", "user", "details",
    "request id", "upstream request id",
)  # fmt: skip


def as_csv(events: Iterable[AuditEvent], *, masked: bool = False) -> Iterator[str]:
    """The CSV lines, one per event, times in UTC. `masked` for an account that may not see whole user ids: also leaves
    out the filters of the event, which may hold them."""
    yield safe_csv.BOM + safe_csv.csv_line(_COLUMNS)
    for event in events:
        row = _masked(event) if masked else event
        yield safe_csv.csv_line(
            [
                row.pk,
                row.at.astimezone(UTC).isoformat(timespec="milliseconds"),
                row.account,
                row.account_id,
                row.address,
                row.action,
                describe(row),
                row.outcome,
                row.thread_id,
                row.user_id,
                json.dumps(row.detail, ensure_ascii=False) if row.detail else "",
                row.request_id,
                row.upstream_request_id,
            ]
        )


def _masked(event: AuditEvent) -> AuditEvent:
    """A masked copy of an event, not to be saved."""
    user_ids = (event.user_id,)
    detail = event.detail if isinstance(event.detail, dict) else {}
    shown = {name: value for name, value in detail.items() if name not in {*ENCODED, "words", "typed", "file"}}
    masked = copy(event)
    masked.user_id = event.user_id and masking.mask_id(event.user_id)
    masked.detail = masking.deep(shown, user_ids)
    return masked
