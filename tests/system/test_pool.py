"""The connection pool, on a real PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from dashboard.databases.postgresql.pool import Pool, PoolTimeout
from tests.support.services import postgres
from threads.lib.db import is_closed

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres() as address:
        yield address


class Server:
    """Counts what is opened on the server, and closes it from there."""

    def __init__(self, url: str) -> None:
        self.url, self.opened = url, 0

    def connect(self) -> psycopg.Connection[Any]:
        self.opened += 1
        return psycopg.connect(self.url, autocommit=True, application_name="pooled")

    def terminate(self, *pids: int) -> None:
        """All of the pool's connections, or those named."""
        sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'pooled'"
        with psycopg.connect(self.url) as other:
            other.execute(f"{sql} AND datname = current_database() AND (pid = ANY(%s) OR %s)", [list(pids), not pids])


@pytest.fixture
def server(url: str) -> Server:
    return Server(url)


@pytest.fixture
def pool(server: Server) -> Iterator[Pool]:
    made = Pool(server.connect, max_size=4, timeout=0.2)
    yield made
    made.close()


def filled(pool: Pool) -> list[int]:
    """Has four connections open and idle; returns the processes of the server behind them."""
    taken = [pool.getconn() for _ in range(4)]
    for each in taken:
        pool.putconn(each)
    return [each.info.backend_pid for each in taken]


def test_a_connection_is_used_again(pool: Pool, server: Server) -> None:
    for _ in range(5):
        connection = pool.getconn()
        connection.execute("SELECT 1")
        pool.putconn(connection)
    assert server.opened == 1


@pytest.mark.parametrize("trusted", [0.0, 60.0], ids=["asked", "believed"])
@pytest.mark.parametrize("those", [slice(0, 4), slice(3, 4)], ids=["all", "the last used"])
def test_what_the_server_has_closed_is_never_given(
    pool: Pool, server: Server, monkeypatch: pytest.MonkeyPatch, trusted: float, those: slice
) -> None:
    """And with the first of them all others go: a restart that one noticed happened to all."""
    monkeypatch.setattr("dashboard.databases.postgresql.pool._TRUST_SECONDS", trusted)
    server.terminate(*filled(pool)[those])
    taken = [pool.getconn() for _ in range(4)]
    for each in taken:
        assert each.execute("SELECT 1").fetchone() == (1,)
        pool.putconn(each)
    assert server.opened == 8


def test_a_failure_in_use_empties_the_pool(pool: Pool, server: Server) -> None:
    pids = filled(pool)
    connection = pool.getconn()
    server.terminate(*pids)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    pool.putconn(connection)
    assert not pool._idle


def test_no_more_than_its_size_are_open_and_a_wait_ends(pool: Pool, server: Server) -> None:
    taken = [pool.getconn() for _ in range(4)]
    with pytest.raises(PoolTimeout):
        pool.getconn()
    threading.Timer(0.05, pool.putconn, [taken.pop()]).start()
    taken.append(pool.getconn())
    for each in taken:
        pool.putconn(each)
    assert server.opened == 4


def test_a_server_that_is_away_is_said_at_once_and_costs_no_place(url: str) -> None:
    server = Server(url)
    server.url = "postgres://nobody@127.0.0.1:1/none"
    pool = Pool(server.connect, max_size=1, timeout=30)
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            pool.getconn()
        assert time.monotonic() - began < 10
    server.url = url  # it is back
    connection = pool.getconn()
    assert connection.execute("SELECT 1").fetchone() == (1,)
    pool.putconn(connection)
    pool.close()


def test_a_transaction_that_was_left_open_is_ended(pool: Pool) -> None:
    connection = pool.getconn()
    connection.autocommit = False
    connection.execute("CREATE TEMPORARY TABLE left_open ()")
    pool.putconn(connection)
    again = pool.getconn()
    assert again is connection
    assert again.autocommit
    assert again.execute("SELECT to_regclass('left_open')").fetchone() == (None,)
    pool.putconn(again)


def test_old_and_unused_connections_are_closed(server: Server) -> None:
    aged = Pool(server.connect, max_size=2, timeout=1, max_lifetime=0)
    connection = aged.getconn()
    aged.putconn(connection)
    assert connection.closed
    unused = Pool(server.connect, max_size=2, timeout=1, max_idle=0.01)
    first, second = unused.getconn(), unused.getconn()
    unused.putconn(first)
    time.sleep(0.02)
    unused.putconn(second)
    assert [first.closed, second.closed] == [True, False]
    unused.close()
    assert [first.closed, second.closed] == [True, True]
    third = Pool(server.connect, max_size=1, timeout=1)
    late = third.getconn()
    third.close()
    third.putconn(late)
    assert late.closed


def test_many_at_once_while_the_server_drops_connections(server: Server) -> None:
    """A query may fail under way; nothing that is idle fails, and every place is there afterwards."""
    pool = Pool(server.connect, max_size=4, timeout=20)
    failed = []

    def ask(number: int) -> None:
        connection = pool.getconn()
        try:
            connection.execute("SELECT pg_sleep(0.002)")
        except psycopg.OperationalError:
            failed.append(number)
        finally:
            pool.putconn(connection)

    with ThreadPoolExecutor(12) as threads:
        for each in [threads.submit(ask, number) for number in range(120)]:
            if not each.done() and len(failed) == 0 and server.opened >= 4:
                server.terminate()
            each.result()
    assert len(failed) <= 4 * 120 // 10
    filled(pool)
    assert len(pool._idle) == 4
    pool.close()


def test_is_closed_waits_for_nothing(server: Server) -> None:
    connection = server.connect()
    assert not is_closed(connection)
    server.terminate(connection.info.backend_pid)
    assert is_closed(connection)
    connection.close()
    assert is_closed(connection)
