"""Fills a database with the emulator's data as after a complete sync, in minutes.

`python -m benchmarks.filling --threads 1000000 --database sqlite`
`python -m benchmarks.filling --threads 1000000 --database postgres://postgres@127.0.0.1/tkbench`
`python -m benchmarks.filling --like /tmp/tkbench/1000000.sqlite3 --database postgres://postgres@127.0.0.1/tkbench`

Rows, counters and index words come from the same functions as in a sync, but are written in bulk, and PostgreSQL
creates its indexes afterwards. A PostgreSQL database can copy its rows from a filled SQLite file, which is faster than
generating them again. An existing database is replaced.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from django.db.models import Model

DIRECTORY = Path("/tmp/tkbench")
SEED, NOW = 7, 1_790_000_000.0

ITEMS = 6, 7
"""Maximum items per thread, alternating: with the short threads, an average of 5.2 instead of 9.5."""

_CHUNK_ROWS = 5000
_CHUNKS_AHEAD = 4
_WORKERS = 2

_COPIED = ("archive_archivedthread", "archive_archiveditem", "archive_searchdoc")
_LATER = (*_COPIED, "archive_word", "archive_archiveduser")
"""Tables whose indexes are created after filling."""


class ThreadRows(NamedTuple):
    """A thread: its columns by name, its index words, and its items as rows."""

    columns: dict[str, Any]
    words: set[str]
    items: list[tuple[Any, ...]]


def address(threads: int, database: str) -> str:
    """The database URL: `database` itself, or for "sqlite" that of a file."""
    return f"sqlite:///{DIRECTORY / f'{threads}.sqlite3'}" if database == "sqlite" else database


def set_up_django(url: str) -> None:
    """Sets up Django with this database, once per process."""
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django  # noqa: PLC0415  # the import reads the settings

    django.setup()


def _generated(threads: int, low: int, high: int) -> list[ThreadRows]:
    """The threads from `low` up to but not including `high`."""
    from django.db import connection  # noqa: PLC0415

    from threads.archive.models import ArchivedThread  # noqa: PLC0415
    from threads.archive.store import word_index, write  # noqa: PLC0415
    from threads.archive.store.tokens import words  # noqa: PLC0415
    from threads.chatkit.decode import thread as read_thread  # noqa: PLC0415
    from threads.chatkit.items import item as read_item  # noqa: PLC0415
    from threads.emulator.world.world import World  # noqa: PLC0415

    world = _worlds.setdefault(threads, World(threads, SEED, NOW))
    now = datetime.fromtimestamp(NOW, UTC)
    adapted = connection.ops.adapt_datetimefield_value
    made = []
    for number in range(low, high):
        at = world.created_at(number)
        row = read_thread(world.thread(number, world.user_of(number), at))
        thread = write._filled(ArchivedThread(number=number + 1), row, now)  # noqa: SLF001
        rows = [read_item(raw) for raw in world.items(number, at)[: ITEMS[number % 2]]]
        items = [write.item_row(thread, place, each) for place, each in enumerate(rows)]
        write.add_to_counts(thread, rows)
        thread.last_item_id, thread.read_at = items[-1].item_id, now
        thread.due_at = now + write._recheck_after(now - (thread.last_activity_at or now))  # noqa: SLF001
        found = set(words(word_index.folded_head(thread)))
        for each in items:
            found.update(words(each.text))
        columns = {name: value for name, value in vars(thread).items() if name != "_state"}
        kept = [
            (number + 1, each.place, each.item_id, adapted(each.created_at), each.type, each.raw, each.text)
            for each in items
        ]
        made.append(ThreadRows(columns, found, kept))
    return made


_worlds: dict[int, Any] = {}


def _chunks(threads: int, url: str) -> Iterator[list[ThreadRows]]:
    """Yields all threads in chunks, oldest first, with a few chunks in progress, so that memory stays flat."""
    workers = ProcessPoolExecutor(_WORKERS, get_context("spawn"), set_up_django, (url,))
    with workers:
        under_way: deque[Future[list[ThreadRows]]] = deque()
        for low in range(0, threads, _CHUNK_ROWS):
            under_way.append(workers.submit(_generated, threads, low, min(low + _CHUNK_ROWS, threads)))
            if len(under_way) > _CHUNKS_AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def fill(threads: int, url: str, like: Path | None = None) -> None:
    """Creates the database and fills it, or copies the rows of the SQLite file `like`."""
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection, transaction  # noqa: PLC0415

    _recreate(url)
    set_up_django(url)
    call_command("migrate", verbosity=0)
    started = time.perf_counter()
    sqlite = connection.vendor == "sqlite"
    later = [] if sqlite else _drop_indexes()
    with connection.cursor() as cursor:
        if sqlite:
            # After a crash the file is created again, so no journal is needed.
            cursor.execute("PRAGMA journal_mode=OFF")
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-1000000")
            cursor.execute("INSERT INTO archive_words_index(archive_words_index, rank) VALUES ('hashsize', 67108864)")
        else:
            cursor.execute("SET synchronous_commit = off")
            cursor.execute("SET maintenance_work_mem = '1GB'")
    done = items = 0
    last = ""
    if like is not None:
        with transaction.atomic():
            _copy_sqlite(like)
    else:
        for chunk in _chunks(threads, url):
            with transaction.atomic():
                last = _store(chunk)
            done, items = done + len(chunk), items + sum(len(each.items) for each in chunk)
            print(f"{done:,} threads, {items:,} items, {time.perf_counter() - started:,.0f} s", flush=True)
        _progress(last, items)
    if not sqlite:
        _reset_sequences()
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute("INSERT INTO archive_words_index(archive_words_index, rank) VALUES ('hashsize', 1048576)")
            cursor.execute("PRAGMA journal_mode=WAL")
        for statement in later:
            print(f"{time.perf_counter() - started:,.0f} s: {statement[:110]}", flush=True)
            cursor.execute(statement)
        if not sqlite:
            # As autovacuum does within minutes.
            cursor.execute("VACUUM ANALYZE")
    print(f"{time.perf_counter() - started:,.0f} s in all", flush=True)


def _store(chunk: Sequence[ThreadRows]) -> str:
    """Writes a chunk. Returns the id of its last thread."""
    from django.db import connection  # noqa: PLC0415

    from threads.archive.models import ArchivedThread  # noqa: PLC0415
    from threads.archive.store import counters, word_index  # noqa: PLC0415

    threads = [ArchivedThread(**each.columns) for each in chunk]
    counters.set_keys(threads)
    counters.update_counts([], [each for each in map(counters.counter_keys, threads) if each])
    counters.extend_days(threads)
    columns = _columns(ArchivedThread)
    adapted = connection.ops.adapt_datetimefield_value
    rows = [[_plain(getattr(each, name), adapted) for name in columns] for each in threads]
    _insert("archive_archivedthread", columns, rows)
    names = ["thread_id", "place", "item_id", "created_at", "type", "raw", "text"]
    _insert("archive_archiveditem", names, [row for each in chunk for row in each.items])
    documents = [
        (thread.number, word_index.index_text(thread, each.words)) for thread, each in zip(threads, chunk, strict=True)
    ]
    _insert("archive_searchdoc", ["thread_id", "words"], documents)
    word_index.store_words(set().union(*(each.words for each in chunk)))
    return threads[-1].thread_id


def _columns(model: type[Model]) -> list[str]:
    return [field.column or "" for field in model._meta.concrete_fields]  # noqa: SLF001  # Django documents it


def _plain(value: Any, adapted: Any) -> Any:
    return adapted(value) if isinstance(value, datetime) else value


def _insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from django.db import connection  # noqa: PLC0415

    names = ", ".join(f'"{each}"' for each in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
            return
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _drop_indexes() -> list[str]:
    """Drops the indexes of the large tables, except keys. Returns the statements that create them again."""
    from django.db import connection  # noqa: PLC0415

    later = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('f', 'u') ORDER BY contype = 'f', conname",
            [list(_COPIED)],
        )
        constraints = cursor.fetchall()
        for table, name, definition in constraints:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            later.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid::regclass::text = ANY(%s) AND NOT indisunique AND NOT indisprimary",
            [list(_LATER)],
        )
        for name, definition in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")
            later.append(definition)
    return later


def _progress(last: str, items: int) -> None:
    from threads.archive.models import Progress  # noqa: PLC0415

    now = datetime.fromtimestamp(NOW, UTC)
    times = {"started_at": now, "reached_end_at": now, "swept_at": now, "compared_at": now}
    Progress.objects.create(pk=1, cursor=last, items=items, **times)


def _reset_sequences() -> None:
    """Resets the sequences, since the rows have explicit ids."""
    from django.apps import apps  # noqa: PLC0415
    from django.core.management.color import no_style  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        models = list(apps.get_app_config("archive").get_models())
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def _copy_sqlite(path: Path) -> None:
    """Copies every table of a SQLite file, and adds the block word that only PostgreSQL's index needs."""
    import sqlite3  # noqa: PLC0415

    from threads.archive import models  # noqa: PLC0415
    from threads.archive.store.word_index import RUN_BITS, run_word  # noqa: PLC0415

    tables = [
        models.ArchivedUser, models.ThreadState, models.Reason, models.ArchivedThread, models.ArchivedItem,
        models.SearchDoc, models.Word, models.QuarterCount, models.Day, models.Progress,
    ]  # fmt: skip
    source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for model in tables:
        columns, table = _columns(model), f"archive_{model.__name__.lower()}"
        names = ", ".join(f'"{each}"' for each in columns)
        rows = source.execute(f"SELECT {names} FROM {table}")
        while chunk := rows.fetchmany(_CHUNK_ROWS):
            if model is models.SearchDoc:
                chunk = [(number, f"{run_word(number >> RUN_BITS)} {text}") for number, text in chunk]
            _insert(table, columns, chunk)
    source.close()


def _recreate(url: str) -> None:
    """Deletes the SQLite file, or creates an empty PostgreSQL database."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            each.unlink(missing_ok=True)
        return
    import psycopg  # noqa: PLC0415

    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1_000_000)
    parser.add_argument(
        "--database", default="sqlite", help='a database URL, or "sqlite" for a file under /tmp/tkbench'
    )
    parser.add_argument("--like", type=Path, help="a SQLite file to copy into a PostgreSQL database")
    options = parser.parse_args()
    fill(options.threads, address(options.threads, options.database), options.like)


if __name__ == "__main__":
    main()
