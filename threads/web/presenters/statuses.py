"""Words and CSS classes for the statuses of threads."""

from __future__ import annotations

from threads.chatkit import Status

WORDS = {"active": "Active", "locked": "Locked", "closed": "Closed"}
"""The statuses that the API documents. Others are shown as they came."""

ICONS = {"active": "active", "locked": "lock", "closed": "closed", "unknown": "unknown"}
"""The symbols in `static/icons.svg`, by CSS class."""

NOT_GIVEN = "Not given"


def status_word(status: Status | None) -> str:
    """A status as the pages show it."""
    return WORDS.get(status.label, status.label) if status else NOT_GIVEN


def status_class(label: str | None) -> str:
    """The CSS class of a status, which selects its icon and colour."""
    return label if label in WORDS else "unknown"
