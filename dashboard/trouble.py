"""What a page says when our own database fails: a matter for who runs the desk, and no mistake in the request."""

from __future__ import annotations

from typing import NamedTuple

from django.db import InterfaceError, OperationalError, ProgrammingError

from threads.audit.record import NotRecordedError

_NOT_THERE = ("no such table", "no such column", "does not exist")


class Words(NamedTuple):
    title: str
    text: str


def of(error: BaseException | None) -> Words | None:
    """The words for `error`, None where it is not the database that failed."""
    if isinstance(error, OperationalError | ProgrammingError) and any(each in str(error) for each in _NOT_THERE):
        return Words(
            "The database is not set up",
            "It is older than this version of Threadkeeper. Someone who runs Threadkeeper has to run "
            "“python manage.py migrate”.",
        )
    if isinstance(error, NotRecordedError):
        return Words(
            "This can't be recorded",
            "What is not in the audit trail is not done, and the trail can't be written: nothing was changed. Someone "
            "who runs Threadkeeper has to look at the log.",
        )
    if isinstance(error, OperationalError | InterfaceError):
        return Words(
            "The database can't be reached",
            "It is busy, full or being restarted, so nothing was saved or changed. This often passes by itself: try "
            "again in a moment.",
        )
    return None
