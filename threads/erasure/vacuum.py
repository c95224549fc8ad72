"""Removes the bytes of deleted rows from the files of the database.

A database that deletes a row marks its space as free, and leaves the bytes there until it reuses the space. What each
database needs is in docs/adr/0014-erasure.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from threads.archive.store import sqlite_wal

log = logging.getLogger(__name__)

_TABLES = (
    "archive_archiveditem",
    "archive_archivedthread",
    "archive_searchdoc",
    "archive_word",
    "archive_archiveduser",
    "archive_reason",
)
"""The tables with texts of threads."""

_INDEXES = ("archive_words_index", "archive_parts_index")
_PAGES = 500
"""Index pages that one transaction merges, so that other writers don't wait for long."""

_TRIES, _PAUSE = 5, 1.0
_POLL = 0.05
_LOCK_TIMEOUT = "5s"

Alive = Callable[[], None]


def prepare() -> None:
    """Sets up the connection of an erasure, outside of a transaction. SQLite then overwrites deleted rows where that is
    cheap, and flushes each commit to disk."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.execute("PRAGMA synchronous = FULL")


def scrub(alive: Alive = lambda: None, *, whatever_size: bool = False) -> dict[str, Any]:
    """Rewrites the database where it is no larger than ERASE_REWRITE_MB, or `whatever_size`; else does what needs no
    long lock. Returns the result for JSON: `rewritten`, `bytes`, and `why` it was not rewritten. Calls `alive` between
    steps."""
    done: dict[str, Any] = {"rewritten": False}
    for attempt in range(_TRIES):
        alive()
        try:
            size = _size()
            rewrite = whatever_size or size <= settings.ERASE_REWRITE_MB * 1024 * 1024
            if connection.vendor == "sqlite":
                _sqlite(alive, rewrite=rewrite)
            else:
                _postgresql(alive, rewrite=rewrite)
        except DatabaseError as error:  # a lock timeout, or a full disk
            log.warning("The files of the database can't be scrubbed: %s", error)
            done["why"] = "the database was busy, or there was no room: see the log"
            if attempt + 1 < _TRIES:
                time.sleep(_PAUSE)
        else:
            if rewrite:
                return {"rewritten": True, "bytes": size}
            return {"rewritten": False, "bytes": size, "why": "the database is larger than ERASE_REWRITE_MB"}
    return done


def _size() -> int:
    """Bytes that would be rewritten."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        else:
            cursor.execute(
                "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name", [list(_TABLES)]
            )
        return int(cursor.fetchone()[0] or 0)


def _sqlite(alive: Alive, *, rewrite: bool) -> None:
    """The full-text index keeps deleted words in its older segments until these are merged; split pages keep moved
    bytes until VACUUM; and the write-ahead log keeps both."""
    with connection.cursor() as cursor:
        for table in _INDEXES:
            _merge(cursor, table, alive)
        if rewrite:
            cursor.execute("VACUUM")
        alive()
    until = time.monotonic() + connection.settings_dict["OPTIONS"].get("timeout", 0)
    while not sqlite_wal.checkpoint():
        if time.monotonic() >= until:
            raise DatabaseError("somebody is reading what the write-ahead log holds")
        time.sleep(_POLL)


def _merge(cursor: Any, table: str, alive: Alive) -> None:
    """All parts of a full-text index into one, a few pages at a time. The negative number begins that."""
    pages = -_PAGES
    while True:
        cursor.execute("SELECT total_changes()")
        before = cursor.fetchone()[0]
        cursor.execute(f"INSERT INTO {table}({table}, rank) VALUES ('merge', %s)", [pages])  # noqa: S608
        cursor.execute("SELECT total_changes()")
        if cursor.fetchone()[0] - before < 2:  # SQLite's sign that nothing is left to merge
            return
        pages = _PAGES
        alive()


def _postgresql(alive: Alive, *, rewrite: bool) -> None:
    """VACUUM frees the space of a row and leaves its bytes there, and a word index keeps each word for ever: only a
    rewritten table with its indexes has neither. Raises `DatabaseError` on a lock timeout, which is set in a
    transaction, since behind a connection pooler others share the connection."""
    for table in _TABLES:
        alive()
        if rewrite:
            _rewrite(table)
        else:
            _vacuum(table)


def _rewrite(table: str) -> None:
    """CLUSTER rewrites as much as VACUUM FULL, and may run in a transaction, with which the lock timeout ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        cursor.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE indrelid = %s::regclass AND indisprimary",
            [table],
        )
        cursor.execute(f'CLUSTER {table} USING "{cursor.fetchone()[0]}"')
        cursor.execute(f"ANALYZE {table}")


def _vacuum(table: str) -> None:
    skipped: list[str] = []

    def notice(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.sqlstate == psycopg.errors.LockNotAvailable.sqlstate:
            skipped.append(diagnostic.message_primary or "")

    connection.ensure_connection()
    server = connection.connection
    server.add_notice_handler(notice)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM (SKIP_LOCKED) {table}")
    finally:
        server.remove_notice_handler(notice)
    if skipped:
        raise DatabaseError(skipped[0])
