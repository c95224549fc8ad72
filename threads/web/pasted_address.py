"""What an agent has in hand, read as far as it can be without asking anybody."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from threads.chatkit import MAX_ID

_BEFORE_AN_ID = {"logs", "threads"}
"""The parts of a path that a thread id stands behind: on OpenAI's logs pages, in its API, and here."""


def thread_in(text: str) -> str | None:
    """The thread id in an address of a thread, None where `text` is no such address."""
    text = text.strip()
    if "://" not in text and not text.startswith("/"):
        return None
    try:
        parts = urlsplit(text).path.split("/")
    except ValueError:
        return None
    for place, part in enumerate(parts[:-1]):
        if part in _BEFORE_AN_ID and 0 < len(parts[place + 1]) <= 3 * MAX_ID:
            return unquote(parts[place + 1])
    return None
