"""What a page says when our own database fails: a matter for who runs the desk, and no mistake in the request."""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, connections
from django.db.migrations.executor import MigrationExecutor

from threads.audit.record import NotRecordedError

from .monitoring.health import own_connection

_log = logging.getLogger(__name__)


class Words(NamedTuple):
    title: str
    text: str


_BEHIND = Words(
    "The database is not set up",
    "It is older than this version of Threadkeeper. Someone who runs Threadkeeper has to run "
    "“python manage.py migrate”.",
)
_AHEAD = Words(
    "This server is out of date",
    "The database belongs to a newer version of Threadkeeper. Someone who runs Threadkeeper has to start that version "
    "here.",
)
_DAMAGED = Words(
    "Part of the database is missing",
    "A table or a column is not there, although all migrations are applied. Someone who runs Threadkeeper has to look "
    "at the log, and may have to restore a backup.",
)
_POOLER = Words(
    "The database lost track",
    "A statement went to another connection than the one that it belongs to, as a connection pooler may do that is not "
    "in transaction or session mode. Someone who runs Threadkeeper has to look at the log.",
)
_REFUSED = Words(
    "The database refuses Threadkeeper",
    "Its name, its account, its password or a right of that account is not as it should be. Waiting does not help: "
    "someone who runs Threadkeeper has to look at the log and at DATABASE_URL.",
)
_NOT_RECORDED = Words(
    "This can't be recorded",
    "What is not in the audit trail is not done, and the trail can't be written: nothing was changed. Someone who runs "
    "Threadkeeper has to look at the log.",
)
_AWAY = Words(
    "The database can't be reached",
    "It is busy, full or being restarted, so nothing was saved or changed. This often passes by itself: try again in a "
    "moment.",
)

_MISSING = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
_LOST = (
    psycopg.errors.InvalidSqlStatementName,
    psycopg.errors.DuplicatePreparedStatement,
    psycopg.errors.InvalidCursorName,
    psycopg.errors.DuplicateCursor,
)
_REFUSING = re.compile(
    r"FATAL: .*(database|role) \".*\" does not exist|FATAL: .*authentication failed|FATAL: .*no pg_hba\.conf entry|"
    r"FATAL: .*permission denied for database|FATAL: .*no such (database|user)"
)
"""An attempt to connect that fails has no code, only the words of the server or of a pooler before it."""


def of(error: BaseException | None) -> Words | None:
    """The words for `error`, None where it is not the database that failed."""
    if isinstance(error, NotRecordedError):
        return _NOT_RECORDED
    if not isinstance(error, OperationalError | ProgrammingError | InterfaceError):
        return None
    cause = error.__cause__
    if isinstance(cause, _MISSING) or str(error).startswith(("no such table", "no such column")):
        return _missing()
    if isinstance(cause, _LOST):
        return _POOLER
    if isinstance(cause, psycopg.errors.InsufficientPrivilege) or _REFUSING.search(str(error)):
        return _REFUSED
    return None if isinstance(error, ProgrammingError) else _AWAY


def _missing() -> Words:
    """Why a table or a column is missing, by the migrations that the database knows and those that there are here."""
    try:
        with own_connection() as using:
            executor = MigrationExecutor(connections[using])
            loader = executor.loader
            if executor.migration_plan(loader.graph.leaf_nodes()):
                return _BEHIND
            known = {each for each in loader.applied_migrations if each[0] in loader.migrated_apps}
            return _AHEAD if known - set(loader.disk_migrations or ()) else _DAMAGED
    except DatabaseError:
        _log.warning("The migrations could not be looked at", exc_info=True)
        return _DAMAGED
