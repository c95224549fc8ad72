"""The promise of the pager: forward to the end and back again, every thread once, the same pages, whatever the upstream
takes `before` for, in both orders, with ties, and while new threads arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit import ApiConfig, ChatKitClient, Garbled
from threads.emulator import BeforeReading, Emulator, EmulatorAdapter, HasMoreReading
from threads.sources import query_forms
from threads.sources.live import LiveSource
from threads.sources.query import ThreadQuery
from threads.web import links
from threads.web.presenters import thread_list
from threads.web.presenters.thread_list import Pager

NOW = 1_790_000_000.0

desks = st.builds(
    Emulator,
    threads=st.integers(0, 70),
    seed=st.integers(0, 3),
    now=st.just(NOW),
    before=st.sampled_from(BeforeReading),
    has_more=st.sampled_from(HasMoreReading),
)
orders = st.sampled_from(["asc", "desc"])
limits = st.integers(1, 30) | st.just(100)


class Reader:
    """Follows the pager's own links, as a browser does."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._source = LiveSource(ChatKitClient(ApiConfig("sk-test"), adapter=EmulatorAdapter(emulator)))

    def open(self, query: ThreadQuery) -> tuple[list[str], Pager]:
        calls = len(self._emulator.calls)
        window = self._source.list_threads(query)
        assert len(self._emulator.calls) - calls == 1, "a page costs one call"
        assert "before=" not in self._emulator.calls[-1][2]
        return [thread.id or "" for thread in window.rows], thread_list.pager(query, window)

    def follow(self, url: str) -> tuple[list[str], Pager]:
        query, errors = query_forms.parse_thread_query(QueryDict(urlsplit(url).query).dict(), masked=False)
        assert query is not None, errors
        return self.open(query)

    def walk(self, start: tuple[list[str], Pager], link: str) -> Iterator[tuple[list[str], Pager]]:
        here = start
        yield here
        while url := getattr(here[1], link):
            here = self.follow(url)
            yield here


def rows(pages: list[tuple[list[str], Pager]]) -> list[list[str]]:
    return [ids for ids, _ in pages]


@given(desks, orders, limits, st.booleans())
def test_forward_and_back_are_the_same_pages(emulator: Emulator, order: str, limit: int, one_user: bool) -> None:
    reader = Reader(emulator)
    everybody = reader.open(ThreadQuery(limit=100))[0]
    user = None
    if one_user and everybody:
        user = LiveSource(reader._source._client).list_threads(ThreadQuery(limit=1)).rows[0].user
    query = ThreadQuery(user=user, order="asc" if order == "asc" else "desc", limit=limit)
    truth = list(emulator.thread_ids(order=order, user=user))

    forward = list(reader.walk(reader.open(query), "next_url"))
    assert [each for page in rows(forward) for each in page] == truth
    assert forward[0][1].previous_url is None

    back = list(reader.walk(forward[-1], "previous_url"))
    assert rows(back)[::-1] == rows(forward)
    assert not any(pager.newer_arrived for _, pager in back)

    again = list(reader.walk(back[-1], "next_url"))
    assert rows(again) == rows(forward)


@given(desks, limits, st.integers(0, 5), st.integers(1, 12))
def test_threads_that_arrive_move_no_page_and_are_shown_as_new(
    emulator: Emulator, limit: int, pages: int, arriving: int
) -> None:
    reader = Reader(emulator)
    before = list(emulator.thread_ids())
    here = first = reader.open(ThreadQuery(limit=limit))
    seen = [first]
    for _ in range(pages):
        if here[1].next_url:
            here = reader.follow(here[1].next_url)
            seen.append(here)
    arrived = emulator.arrive(arriving)[::-1]

    back = list(reader.walk(here, "previous_url"))
    if len(seen) == 1:
        return  # nobody has left the first page: it shows what is new when it is opened anew
    assert rows(back)[: len(seen)] == rows(seen)[::-1]
    assert [pager.newer_arrived for _, pager in back] == [number == len(seen) - 1 for number in range(len(back))], (
        "the newest page, and no other, says that newer ones have come"
    )
    assert [each for page in rows(back[len(seen) :])[::-1] for each in page] == arrived
    assert list(emulator.thread_ids()) == arrived + before


@given(desks, limits)
def test_arrivals_while_going_forward_repeat_and_skip_nothing(emulator: Emulator, limit: int) -> None:
    reader = Reader(emulator)
    before = list(emulator.thread_ids())
    here = reader.open(ThreadQuery(limit=limit))
    seen = list(here[0])
    while here[1].next_url:
        emulator.arrive(1)
        here = reader.follow(here[1].next_url)
        seen += here[0]
    assert seen == before


def test_an_upstream_that_ignores_the_order_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator(threads=50, seed=1, now=NOW)
    client = ChatKitClient(ApiConfig("sk-test"), adapter=EmulatorAdapter(emulator))
    in_one_order = client.list_threads
    monkeypatch.setattr(client, "list_threads", lambda **asked: in_one_order(**asked | {"order": "desc"}))
    with pytest.raises(Garbled):
        LiveSource(client).list_threads(ThreadQuery(before=list(emulator.thread_ids())[10]))


def test_the_corpus_has_ties() -> None:
    emulator = Emulator(threads=70, seed=1, now=NOW)
    source = LiveSource(ChatKitClient(ApiConfig("sk-test"), adapter=EmulatorAdapter(emulator)))
    times = [thread.created_at for thread in source.list_threads(ThreadQuery(limit=100)).rows]
    assert len(times) == 70
    assert len(set(times)) < 70


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_an_empty_page_offers_the_first_one(order: str) -> None:
    emulator = Emulator(threads=5, seed=1, now=NOW)
    reader = Reader(emulator)
    ids = list(emulator.thread_ids(order=order))
    start = ThreadQuery(order="asc" if order == "asc" else "desc")
    for query in (replace(start, after=ids[-1]), replace(start, before=ids[0])):
        found, pager = reader.open(query)
        assert found == []
        assert (pager.previous_url, pager.next_url) == (None, None)
        assert pager.first_url == links.list_url(start)
