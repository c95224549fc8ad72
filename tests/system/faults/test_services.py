"""PostgreSQL and Redis restarted, and away, under a real desk and a real worker."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import requests

from tests.support.desk import Browser, desk, said
from tests.support.seen import Seen
from tests.support.servers import Postgres, Redis, servers
from tests.support.serving import Desk
from tests.support.upstream import NOW
from tests.support.working import started, until
from threads.emulator import Emulator, EmulatorServer

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True, slots=True)
class Shop:
    """All that is running."""

    postgres: Postgres
    redis: Redis
    desk: Desk
    browser: Browser
    emulator: Emulator

    def settled(self) -> None:
        """It answers from the database, as on any day."""
        until(lambda: self.browser.get("/sync/").status_code == 200, 20)

    def kept(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.postgres.url, connect_timeout=5) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("services")
    emulator = Emulator(threads=45, seed=7, now=NOW)
    with servers() as (postgres, redis), EmulatorServer(emulator) as upstream:
        more = {"DATABASE_URL": postgres.url, "QUEUE_URL": redis.url, "ARCHIVE_EVERY": "1440", "SESSION_RECHECK": "0"}
        with desk(folder / "desk", upstream.base_url, **more) as (made, browser):
            yield Shop(postgres, redis, made, browser, emulator)


def test_postgresql_is_restarted_while_a_page_waits(shop: Shop, seen: Seen) -> None:
    shop.settled()
    got: list[requests.Response] = []
    shop.emulator.latency_ms = 1500
    thread = next(shop.emulator.thread_ids())
    asking = threading.Thread(target=lambda: got.append(shop.browser.get(f"/threads/{thread}/")))
    asking.start()
    time.sleep(0.6)  # it waits for the upstream now
    shop.postgres.stop("immediate")
    shop.postgres.start()
    asking.join(20)
    shop.emulator.latency_ms = 0
    assert got
    assert got[0].status_code in {200, 503}
    assert "Traceback" not in got[0].text
    began = time.monotonic()
    assert shop.browser.get(f"/threads/{thread}/").status_code == 200
    assert shop.browser.post("/views/", name="Mine", query="").status_code == 303
    seen(f"{got[0].status_code} for the page under way; the next ones at once ({time.monotonic() - began:.1f} s)")


def crash(shop: Shop) -> None:
    shop.postgres.stop("immediate")
    shop.postgres.start()


def terminate(shop: Shop) -> None:
    """Ends all connections, and returns when the server has closed them: it does so a moment after it was told."""
    ended = shop.kept(
        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    pids = ", ".join(str(pid) for pid, _ in ended) or "0"
    until(lambda: shop.kept(f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({pids})") == [(0,)])


_OPEN = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@pytest.mark.parametrize("drop", [crash, terminate])
def test_postgresql_drops_the_connections_of_a_full_pool(shop: Shop, drop: Callable[[Shop], None], seen: Seen) -> None:
    """Not one page fails afterwards, and /readyz agrees."""
    shop.settled()
    with ThreadPoolExecutor(10) as pool:
        with psycopg.connect(shop.postgres.url) as connection:
            # Whoever asks for the session waits here, with a connection in hand.
            connection.execute("LOCK TABLE accounts_desksession")
            asking = [pool.submit(shop.browser.get, "/sync/") for _ in range(10)]
            until(lambda: shop.kept(f"{_OPEN} AND wait_event_type = 'Lock'") == [(10,)])
        assert {each.result().status_code for each in asking} == {200}
    ((idle,),) = shop.kept(_OPEN)
    assert idle == 10
    drop(shop)
    began = time.monotonic()
    statuses = [shop.browser.get("/sync/").status_code for _ in range(12)]
    assert statuses == [200] * 12
    until(lambda: shop.browser.get("/readyz").status_code == 200, 5)
    seen(f"{idle} connections were open; 12 pages of 12 came in {time.monotonic() - began:.1f} s")


def test_postgresql_is_away(shop: Shop, seen: Seen) -> None:
    shop.settled()
    shop.postgres.stop("immediate")
    try:
        began = time.monotonic()
        response = shop.browser.get("/sync/")
        took = time.monotonic() - began
        alive = shop.browser.get("/healthz").status_code
        # What it knows holds for a second.
        until(lambda: shop.browser.get("/readyz").status_code == 503, 10)
    finally:
        shop.postgres.start()
    assert response.status_code == 503
    assert "The database can't be reached" in said(response)
    assert "127.0.0.1" not in response.text
    assert alive == 200
    assert took < 14
    shop.settled()
    seen(f"503 in words after {took:.1f} s, /healthz 200; as before when it is back")


def test_redis_is_away(shop: Shop, seen: Seen) -> None:
    shop.settled()
    shop.redis.kill()
    try:
        began = time.monotonic()
        response = shop.browser.post("/sync/start/")
        took = time.monotonic() - began
        assert shop.browser.get("/threads/").status_code == 200
    finally:
        shop.redis.start()
    assert response.status_code in {302, 303}
    assert "127.0.0.1" not in response.text
    assert took < 10
    assert "A full sync was requested" in said(shop.browser.get("/sync/"))
    seen(f"it is kept for a worker after {took:.1f} s, reading goes on")


def test_both_are_restarted_under_a_worker(shop: Shop, tmp_path: Path, seen: Seen) -> None:
    """It goes on by itself, and does what is asked of it afterwards."""
    shop.settled()
    log = tmp_path / "log"
    with started(dict(shop.desk.environment), "worker", log=log) as worker:
        # To its end: a run that is cut off there holds its lease for a minute.
        until(lambda: shop.kept("SELECT 1 FROM archive_syncrun WHERE finished_at IS NOT NULL"))
        until(lambda: shop.kept("SELECT 1 FROM archive_lease WHERE until <= now()"))
        shop.redis.kill()
        shop.postgres.stop("immediate")
        time.sleep(0.5)
        shop.postgres.start()
        shop.redis.start()
        newest = next(shop.emulator.thread_ids())
        shop.emulator.set_status(newest, "locked", "after the restart")
        until(lambda: shop.browser.post("/sync/start/").status_code in {302, 303}, 20)
        until(lambda: shop.kept("SELECT 1 FROM archive_archivedthread WHERE reason = 'after the restart'"))
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(25) == 0, log.read_text()
    assert shop.kept("SELECT count(*) FROM archive_archivedthread") == [(45,)]
    seen("the worker lives on and does what was asked of it afterwards")
