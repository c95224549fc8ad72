"""A real PgBouncer in transaction mode between the desk and PostgreSQL: any transaction may have another connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.desk import desk
from tests.support.seen import Seen
from tests.support.servers import POOL_SIZE, pgbouncer
from tests.support.services import postgres
from tests.support.upstream import NOW
from tests.support.working import manage, started, until
from threads.emulator import Emulator, EmulatorServer

pytestmark = [pytest.mark.timeout(300), pytest.mark.postgres]

_ORDERS = """
import datetime
from django.db import connection
from tests.support.accounts import account
from tests.support.erasing import ordered
from threads.archive.store import word_index
from threads.archive.models import ArchivedThread
from threads.audit.record import Actor, acting_as
from threads.erasure import orders as erasure_orders, vacuum
from threads.exports import orders
from threads.sources.query import ThreadQuery
who = account("somebody", "Exporter")
with acting_as(Actor("somebody", str(who.pk))):
    orders.order_list("csv", ThreadQuery(), datetime.UTC)
orders.notify_workers()
word_index.reindex_threads(ArchivedThread.objects.all()[:5])
assert not vacuum.scrub(whatever_size=True).get("why")
ordered(user={user!r})
erasure_orders.notify_workers()
threads = ArchivedThread.objects.iterator(chunk_size=7)
next(threads)
# Somebody else holds the connection that the first rows came from.
other = connection.copy("other")
other.set_autocommit(False)
with other.cursor() as cursor:
    cursor.execute("SELECT 1")
print(1 + len(list(threads)))
"""


def left_behind(pooled: str) -> Iterator[dict[str, Any]]:
    """What each of the pooler's connections to the server has kept from those who used it."""
    with ExitStack() as stack:
        for _ in range(POOL_SIZE):  # each open transaction has one of them
            connection = stack.enter_context(psycopg.connect(pooled, prepare_threshold=None))
            row = connection.execute(
                "SELECT pg_backend_pid(), current_setting('statement_timeout'), current_setting('lock_timeout'), "
                "(SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()), "
                "(SELECT count(*) FROM pg_cursors), "
                "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
            ).fetchone()
            assert row is not None
            yield dict(
                zip(["pid", "statement", "lock", "prepared", "channels", "cursors", "advisory"], row, strict=True)
            )


def test_everything_through_a_pooler_in_transaction_mode(tmp_path: Path, seen: Seen) -> None:
    emulator = Emulator(threads=45, seed=7, now=NOW)
    threads = list(emulator.thread_ids())
    user = max(emulator.users(), key=lambda each: len(list(emulator.thread_ids(user=each))))
    theirs = len(list(emulator.thread_ids(user=user)))
    with postgres() as url, pgbouncer(url) as (pooled, log), EmulatorServer(emulator) as upstream, ExitStack() as stack:

        def kept(sql: str) -> list[tuple[Any, ...]]:
            with psycopg.connect(url) as connection:
                return connection.execute(sql.encode()).fetchall()

        settings = {"DATABASE_URL": pooled, "QUEUE_URL": pooled, "ARCHIVE_EVERY": "1440", "SESSION_RECHECK": "0"}
        # It is migrated through the pooler, and its account is made.
        made, browser = stack.enter_context(desk(tmp_path / "desk", upstream.base_url, **settings, WEB_CONCURRENCY="2"))
        worker_log = tmp_path / "worker"
        stack.enter_context(started(dict(made.environment), "worker", log=worker_log))
        until(lambda: kept("SELECT 1 FROM archive_syncrun WHERE finished_at IS NOT NULL"))

        pages = ["/threads/", "/threads/?q=refund", "/threads/?status=locked", "/sync/", "/reports/", "/audit/"]
        pages += [f"/threads/{each}/" for each in threads[:4]]
        with ThreadPoolExecutor(10) as pool:
            statuses = list(pool.map(lambda path: browser.get(path).status_code, pages * 3))
        assert statuses == [200] * len(statuses)
        assert browser.get("/readyz").text.splitlines()[1:3] == ["database: ok", "queue: ok"]

        emulator.set_status(threads[-1], "locked", "seen by a whole sync alone")
        for _ in range(3):  # in whichever process
            assert browser.post("/sync/start/").status_code in {302, 303}
        until(lambda: kept("SELECT 1 FROM archive_archivedthread WHERE reason LIKE 'seen by%'"))

        assert manage(dict(made.environment), "shell", "--no-imports", "--command", _ORDERS.format(user=user)) == "45\n"
        until(lambda: kept("SELECT 1 FROM exports_export WHERE outcome = 'whole'"))
        until(lambda: kept("SELECT 1 FROM erasure_erasure WHERE finished_at IS NOT NULL"))
        assert kept("SELECT state, count(*) FROM erasure_target GROUP BY state") == [("erased", theirs)]
        assert kept("SELECT count(*) FROM archive_archivedthread") == [(45 - theirs,)]

        clean = {"statement": "0", "lock": "0", "prepared": 0, "channels": 0, "cursors": 0, "advisory": 0}
        found = list(left_behind(pooled))
        assert len({each.pop("pid") for each in found}) == POOL_SIZE
        assert found == [clean] * POOL_SIZE

        with ExitStack() as held:  # as where there is no server: nobody else gets a connection to it
            for _ in range(POOL_SIZE):
                held.enter_context(psycopg.connect(pooled, prepare_threshold=None)).execute("SELECT 1")
            began = time.monotonic()
            assert browser.get("/threads/").status_code == 503
            assert time.monotonic() - began < 60, "PgBouncer alone would have had it wait for two minutes"
        assert browser.get("/threads/").status_code == 200
        said = f"{made.said()}{worker_log.read_text()}{log.read_text()}"
        assert "Traceback" not in said
        assert "unsupported" not in said
        assert "does not exist" not in said
    seen(f"{len(statuses)} pages of two processes over {POOL_SIZE} connections, sync, export and erasure; none failed")
