"""The sync page: the report on the archive, the sync that is running, and the backlog, in words."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from threads.archive.report import ATTACHMENTS_NOTE, ArchiveReport
from threads.archive.sync import status
from threads.lib import times
from threads.web import links

from .statuses import WORDS

_MAX_TROUBLES, _MAX_WITHHELD, _MAX_OVERSIZED = 50, 500, 50
"""Threads that the page names; the report names all."""


def report_context(found: ArchiveReport, now: datetime, zone: tzinfo) -> dict[str, Any]:
    """The context of what the archive holds, whether it is complete, and what is wrong with it."""
    complete = found.complete
    since = found.swept_at or found.started_at
    return {
        "report": found,
        "attachments": ATTACHMENTS_NOTE,
        "hours": complete.bound // timedelta(hours=1),
        "listed": times.exact_to_seconds(complete.listed_at, zone) if complete.listed_at else None,
        "list_ended": times.exact_to_seconds(complete.ended_at, zone) if complete.ended_at else None,
        "checked": times.exact_to_seconds(complete.checked_at, zone) if complete.checked_at else None,
        "failed_since": times.exact(found.failed_at, zone) if found.failed_at else None,
        "withheld_since": times.exact(found.breaker.since, zone) if found.breaker else None,
        "withheld": [
            {"id": each.thread_id, "url": links.thread_url(each.thread_id), "title": each.title or "No title"}
            for each in found.withheld[:_MAX_WITHHELD]
        ],
        # Deletions found after the page was rendered are not accepted with it.
        "accepted_until": max((each.since for each in found.withheld), default=now).isoformat(),
        "first": times.exact(found.first_at, zone) if found.first_at else None,
        "last": times.exact(found.last_at, zone) if found.last_at else None,
        "complete": times.exact_to_seconds(complete.as_of, zone) if complete.as_of else None,
        "statuses": [
            (
                WORDS.get(label, label),
                count,
                f"{reverse('threads')}?{urlencode({'status': label})}" if label != "none given" else None,
            )
            for label, count in found.by_status.items()
        ],
        "oldest": times.exact(since, zone) if since else None,
        "troubles": [
            {
                "id": each.thread_id,
                "url": links.thread_url(each.thread_id),
                "why": each.why,
                "failures": each.failures,
                "again": times.relative(each.retry_at, now) if each.retry_at and each.retry_at > now else "soon",
            }
            for each in found.troubles[:_MAX_TROUBLES]
        ],
        "oversized": [
            {"id": each.thread_id, "url": links.thread_url(each.thread_id), "item": each.item_id, "why": each.why}
            for each in found.oversized[:_MAX_OVERSIZED]
        ],
    }  # fmt: skip


def run_context(found: status.RunningSync) -> dict[str, Any]:
    """The context of a sync that is running."""
    return {
        "phase": found.said,
        "rate": None if found.rate is None else _per_minute(found.rate),
        "left": found.left,
        "time_left": None if found.seconds_left is None else times.time_left(found.seconds_left),
        "new_threads": found.new_threads,
        "new_items": found.new_items,
        "refusals": found.refusals,
    }


def _per_minute(rate: float) -> str:
    """Such as "293 threads per minute" for a rate in threads per second."""
    return f"{60 * rate:,.0f} threads per minute" if 60 * rate >= 10 else f"{60 * rate:.2g} threads per minute"


def backlog_context(found: status.PendingConversations | None) -> dict[str, Any] | None:
    """The context of the conversations that are still to be read, None if there are none."""
    if found is None:
        return None
    return {
        "conversations": found.conversations,
        "time": times.time_left(found.seconds),
        "per_minute": f"{found.per_minute:,.0f}",
    }
