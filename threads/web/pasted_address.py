"""Finds the thread id in an address that an agent pasted into the search field. Makes no call."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from threads.chatkit import MAX_ID

_BEFORE_AN_ID = {"logs", "threads"}
"""Path segments that precede a thread id: on OpenAI's logs pages, in its API, and on this desk."""


def thread_in(text: str) -> str | None:
    """The thread id in the address of a thread; None if `text` is no such address."""
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
