"""What a search may cost, and what page and file say where it is not all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tests.support.exporting import own_place
from tests.support.reader import Get
from tests.support.syncing import spoken, sync
from threads.archive import statement_timeout, thread_info
from threads.archive.search import engines
from threads.archive.search import words as search
from threads.archive.store import word_index
from threads.audit import descriptions
from threads.audit.models import AuditEvent
from threads.audit.record import Actor, acting_as
from threads.emulator import Emulator
from threads.exports import list_pages, orders, storage, tasks
from threads.exports.models import Export
from threads.jobs import queue
from threads.sources.query import ThreadQuery

__all__ = ["own_place"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def copied(emulator: Emulator, agent: Client) -> Emulator:
    ids = list(emulator.thread_ids())
    for each, letter in zip(ids, "abcdefghijkl", strict=False):
        emulator.set_items(each, [spoken(f"zeppelin{letter}")])
    sync(emulator)
    return emulator


def slow(found: Any) -> Callable[..., Any]:
    """Takes some tenths of a second in the database."""

    def ask(*_arguments: object, **_how: object) -> Any:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) "
                    "SELECT count(*) FROM n"
                )
            else:
                cursor.execute("SELECT pg_sleep(0.4)")
            cursor.fetchall()
        return found

    return ask


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_timeout, "SQLITE_SECONDS", 0.1)
    monkeypatch.setattr(statement_timeout, "POSTGRESQL_SECONDS", 0.1)


def exported(kind: str, query: ThreadQuery) -> tuple[Export, str]:
    user = User.objects.get(username="agent")
    with acting_as(Actor("agent", str(user.pk), "", "")):
        export = orders.order_list(kind, query, ZoneInfo("UTC"))
    tasks.work()
    export.refresh_from_db()
    return export, storage.path(export.pk).read_text(encoding="utf-8")


def test_a_page_is_not_waited_for_and_a_file_is(
    get: Get, agent: Client, copied: Emulator, hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [
        each for chunk in engines.matching_numbers([["zeppelina"]], 0, 10**9, descending=True, size=9) for each in chunk
    ]
    monkeypatch.setattr(engines, "matching_numbers", slow([numbers]))
    page = get("/threads/?q=zeppelina&status=active", status=503)
    assert "This search takes too long" in page.said()
    assert page.one("input", id="search").get("value") == "zeppelina"
    assert "OpenAI can't be reached" not in page.said()
    ways = [(page.said(each), each.get("href")) for each in page.one("div", id="summary").iter("a")]
    assert ways == [("Clear filters", "/threads/")]
    thread = next(copied.thread_ids())
    assert agent.get("/step/", {"from": thread, "list": "q=zeppelina", "to": "next"}).status_code == 503
    recorded = AuditEvent.objects.filter(action="search").order_by("id")
    assert [(each.outcome, each.detail["list"], each.detail["words"]) for each in recorded] == [
        ("failed", "status=active&q=zeppelina", ["zeppelina"]), ("failed", "q=zeppelina", ["zeppelina"])
    ]  # fmt: skip
    assert [descriptions.describe(each) for each in recorded] == [
        "Searched threads",
        "Stepped through the threads of a list",
    ]
    assert ("Reason", "it took too long") in descriptions.details(recorded[0])
    export, text = exported("csv", ThreadQuery(q="zeppelina"))
    assert (export.outcome, export.done) == ("whole", 1)
    assert thread in text


@pytest.mark.slow
def test_a_file_that_takes_longer_than_a_page_is_left_to_a_worker(
    agent: Client, copied: Emulator, hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page of it, and one after others."""
    monkeypatch.setattr(queue, "try_enqueue", lambda *_: None)
    monkeypatch.setattr(list_pages, "MAX_LIMIT", 5)
    found, matching = slow(None), engines.matching_numbers
    for pages in (0, 1):
        asked = iter(range(9))

        def some(*args: Any, left: Iterator[int] = asked, fast: int = pages, **how: Any) -> Any:
            if next(left) >= fast:
                found()
            return matching(*args, **how)

        with monkeypatch.context() as patch:
            patch.setattr(engines, "matching_numbers", some)
            response = agent.post(f"/exports/list/?q=zeppel&order={'asc' if pages else 'desc'}", {"format": "csv"})
            assert response.status_code == 302
            export = Export.objects.get(finished_at=None)
            assert response["Location"] == f"/exports/{export.pk}/"
            assert (export.pages, export.holder, export.reason) == (pages, "", "")
            if connection.vendor == "postgresql":  # the test's own transaction has kept it
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL statement_timeout = 0")
            tasks.work()
        export.refresh_from_db()
        assert (export.outcome, export.done) == ("whole", 12)


def test_rows_come_where_the_text_around_a_match_is_too_slow(
    get: Get, copied: Emulator, hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_info, "best_item", slow(None))
    page = get("/threads/?q=zeppelina")
    assert len(page.thread_ids) == 1
    assert "without the text around them" in page.said()


def _cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_index, "MOST", 20)


def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_EXPANDED", 3)


LACKS = [(_few, "part of very many words"), (_cut, "more words than can be searched")]


@pytest.fixture(params=LACKS, ids=["parts", "cut"])
def lacking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    change, says = request.param
    change(monkeypatch)
    return str(says)


def test_list_and_file_of_a_search_that_is_not_all_say_so(get: Get, lacking: str, copied: Emulator) -> None:
    thread_info.clear_cache()
    assert lacking in get("/threads/?q=zeppel").said()
    for kind in ("csv", "jsonl"):
        export, text = exported(kind, ThreadQuery(q="zeppel"))
        assert f"-PARTIAL.{kind}" in export.name
        last = text.splitlines()[-1]
        assert lacking in last
        assert "PARTIAL" in last if kind == "csv" else json.loads(last)["partial"]


def test_a_conversation_says_which_words_are_not_found(
    get: Get, copied: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = next(copied.thread_ids())
    assert "more words than can be searched" not in get(f"/threads/{thread}/").said()
    _cut(monkeypatch)
    copied.set_title(thread, "Lamp")
    sync(copied, everything=True)
    assert "more words than can be searched" in get(f"/threads/{thread}/").said()
    assert "more words than can be searched" in get("/sync/").said()


def test_four_kilobytes_of_numbers_are_a_search_of_32_words(
    copied: Emulator, django_assert_max_num_queries: Any
) -> None:
    typed = ".".join(f"{number:03}" for number in range(1000))
    with django_assert_max_num_queries(3 * search.MOST_WORDS):
        found = search.parse(typed)
    assert sum(map(len, found.groups)) <= search.MOST_EXPANDED
