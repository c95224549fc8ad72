"""Texts of the error pages for database failures: these concern the operator, not the request."""

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


class ErrorText(NamedTuple):
    """Title and text of an error page."""

    title: str
    text: str


_BEHIND = ErrorText(
    "The database is not set up",
    "It is older than this version of Threadkeeper. Someone who runs Threadkeeper has to run "
    "“python manage.py migrate”.",
)
_AHEAD = ErrorText(
    "This server is out of date",
    "The database belongs to a newer version of Threadkeeper. Someone who runs Threadkeeper has to start that version "
    "here.",
)
_DAMAGED = ErrorText(
    "Part of the database is missing",
    "A table or a column is not there, although all migrations are applied. Someone who runs Threadkeeper has to look "
    "at the log, and may have to restore a backup.",
)
_POOLER = ErrorText(
    "The database lost track",
    "A statement went to another connection than the one that it belongs to, as a connection pooler may do that is not "
    "in transaction or session mode. Someone who runs Threadkeeper has to look at the log.",
)
_REFUSED = ErrorText(
    "The database refuses Threadkeeper",
    "Its name, its account, its password or a right of that account is not as it should be. Waiting does not help: "
    "someone who runs Threadkeeper has to look at the log and at DATABASE_URL.",
)
_NOT_RECORDED = ErrorText(
    "This can't be recorded",
    "The audit log can't be written, so nothing was changed: what can't be recorded is not done. Someone who runs "
    "Threadkeeper has to look at the log.",
)
_UNAVAILABLE = ErrorText(
    "The database can't be reached",
    "It is busy, full or being restarted, so nothing was saved or changed. This often passes by itself: try again in a "
    "moment.",
)

_MISSING_ERRORS = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
_LOST_ERRORS = (
    psycopg.errors.InvalidSqlStatementName,
    psycopg.errors.DuplicatePreparedStatement,
    psycopg.errors.InvalidCursorName,
    psycopg.errors.DuplicateCursor,
)
_REFUSED_MESSAGE = re.compile(
    r"FATAL: .*(database|role) \".*\" does not exist|FATAL: .*authentication failed|FATAL: .*no pg_hba\.conf entry|"
    r"FATAL: .*permission denied for database|FATAL: .*no such (database|user)"
)
"""Messages of refused connections, which have no error code: only the text of the server or of a pooler."""


def explain(error: BaseException | None) -> ErrorText | None:
    """The page's text for `error`; None if it is no database failure."""
    if isinstance(error, NotRecordedError):
        return _NOT_RECORDED
    if not isinstance(error, OperationalError | ProgrammingError | InterfaceError):
        return None
    cause = error.__cause__
    if isinstance(cause, _MISSING_ERRORS) or str(error).startswith(("no such table", "no such column")):
        return _explain_missing()
    if isinstance(cause, _LOST_ERRORS):
        return _POOLER
    if isinstance(cause, psycopg.errors.InsufficientPrivilege) or _REFUSED_MESSAGE.search(str(error)):
        return _REFUSED
    return None if isinstance(error, ProgrammingError) else _UNAVAILABLE


def _explain_missing() -> ErrorText:
    """The text for a missing table or column, by comparing applied with shipped migrations."""
    try:
        with own_connection() as using:
            executor = MigrationExecutor(connections[using])
            loader = executor.loader
            if executor.migration_plan(loader.graph.leaf_nodes()):
                return _BEHIND
            applied = {each for each in loader.applied_migrations if each[0] in loader.migrated_apps}
            return _AHEAD if applied - set(loader.disk_migrations or ()) else _DAMAGED
    except DatabaseError:
        _log.warning("The applied migrations can't be read", exc_info=True)
        return _DAMAGED
