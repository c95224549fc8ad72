"""What a text in the search box means: a thread, a customer, or words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings

from threads.archive import thread_info
from threads.archive.search.source import ArchiveSource
from threads.archive.statement_timeout import QueryTimeout, limit_statements
from threads.chatkit import MAX_USER, ChatKitError, is_identifier
from threads.sources.query import ThreadQuery

from .conversations import thread_exists
from .fallback import ask_live_or_archive


@dataclass(frozen=True, slots=True)
class BoxMeaning:
    """A thread id, or a user id, or neither: then the text is words. `by_part` tells that the text is only a part of
    the user id."""

    thread_id: str | None = None
    user: str | None = None
    by_part: bool = False


_WORDS = BoxMeaning()


def interpret(text: str, *, masked: bool) -> BoxMeaning:
    """What a text typed into the search box means. The archive decides where it can; the live API is asked for what
    the archive does not know, unless the text is several words or some thread has it as a word.

    For a `masked` account no part of a user id means that user, and nothing here depends on such a part. Raises
    `ChatKitError` where the live API alone could tell.
    """
    plain = text.strip()
    if not thread_info.is_available():
        if settings.ARCHIVE == "off":
            return _thread(plain) or BoxMeaning(user=text)
        return _live(plain) or _WORDS
    for name in dict.fromkeys((text, plain)):
        if thread_info.is_user(name):
            return BoxMeaning(user=name)
    if thread_info.is_archived_cursor(plain):
        return BoxMeaning(thread_id=plain)
    user, is_beginning = (None, False) if masked else thread_info.only_user_with(plain)
    by_part = None if user is None else BoxMeaning(user=user, by_part=True)
    if by_part and is_beginning:
        return by_part
    if len(plain.split()) > 1 or _has_threads(plain):
        return _WORDS
    if by_part:
        return by_part
    with suppress(ChatKitError):
        return _live(plain) or _WORDS
    return _WORDS


def _has_threads(words: str) -> bool:
    try:
        with limit_statements():
            return bool(ArchiveSource().list_threads(ThreadQuery(q=words, limit=1, sort="created")).rows)
    except QueryTimeout:
        return True


def _live(plain: str) -> BoxMeaning | None:
    if settings.ARCHIVE_ONLY:
        return None
    if len(plain) <= MAX_USER:
        query = ThreadQuery(user=plain, limit=1)
        window, _ = ask_live_or_archive(lambda source: source.list_threads(query))
        if any(row.is_of(plain) for row in window.rows):
            return BoxMeaning(user=plain)
    return _thread(plain)


def _thread(plain: str) -> BoxMeaning | None:
    return BoxMeaning(thread_id=plain) if is_identifier(plain) and thread_exists(plain) else None
