"""The world: repeatable, as large as wanted, and believable."""

import json
import re
import tracemalloc
from collections import Counter
from itertools import pairwise
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.calls import NOW, get, ids, items_of, walk
from threads.emulator import Emulator
from threads.emulator.world.usernames import AWKWARD_USERNAMES
from threads.emulator.world.world import World


@pytest.fixture(scope="module")
def default() -> Emulator:
    return Emulator(now=NOW)


def test_the_same_arguments_give_the_same_world() -> None:
    one, other = Emulator(300, seed=3, now=NOW), Emulator(300, seed=3, now=NOW)
    page = get(one, limit=100)
    assert page == get(other, limit=100)
    for thread_id in ids(page)[:20]:
        assert get(one, items_of(thread_id)) == get(other, items_of(thread_id))
    assert page != get(Emulator(300, seed=4, now=NOW), limit=100)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 400), st.integers(0, 99), st.floats(1e9, 3e9))
def test_times_never_decrease_and_end_a_little_before_now(threads: int, seed: int, now: float) -> None:
    world = World(threads, seed, now)
    times = [world.created_at(index) for index in range(threads)]
    assert times == sorted(times)
    assert all(now - 200 <= time <= now - 60 for time in times[-1:])


def test_threads_share_seconds_and_prefer_office_hours() -> None:
    world = World(5000, 7, NOW)
    times = [world.created_at(index) for index in range(5000)]
    together = Counter(Counter(times).values())
    assert together[2] > 10
    assert max(together) > 20, "a second that fills more than a page"
    assert 110 * 86_400 < times[-1] - times[0] < 130 * 86_400
    hours = Counter(time // 3600 % 24 for time in times)
    assert hours[10] > 10 * hours[3]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 300), st.integers(0, 99))
def test_every_thread_is_its_users_and_nobody_elses(threads: int, seed: int) -> None:
    world = World(threads, seed, NOW)
    dealt = {user: list(world.threads_of(user)) for user in world.users.names()}
    assert sorted(index for own in dealt.values() for index in own) == list(range(threads))
    for user, own in dealt.items():
        assert own == sorted(own)
        assert all(world.user_of(index) == user for index in own)


def test_users_have_different_habits() -> None:
    world = World(5000, 7, NOW)
    counts = {user: len(world.threads_of(user)) for user in world.users.names()}
    assert len(counts) > 400
    assert max(counts.values()) > 200
    assert sum(count <= 3 for count in counts.values()) > 200
    assert all(counts[user] > 40 for user in AWKWARD_USERNAMES.values())
    assert any(user.startswith("auth0|") for user in counts)


@pytest.mark.slow
def test_a_million_threads_take_little_memory_and_a_deep_page_is_there() -> None:
    tracemalloc.start()
    try:
        emulator = Emulator(1_000_000, now=NOW)
        newest = get(emulator)["data"][0]["id"]
        deep = emulator._world.thread_id(123_456)
        page = get(emulator, after=deep, limit=100)
        own = get(emulator, user=emulator.users()[0], limit=100, order="asc")
        emulator.delete(newest)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(page["data"]) == 100
    assert page["has_more"]
    assert [row["user"] for row in own["data"]] == [emulator.users()[0]] * 100
    assert peak < 20_000_000


def test_page_one_shows_one_of_everything(default: Emulator) -> None:
    rows = get(default)["data"]
    states = {(row["status"]["type"], row["status"].get("reason") is not None) for row in rows}
    assert states >= {("active", False), ("locked", True), ("locked", False), ("closed", True)}
    titles = [row["title"] for row in rows]
    assert None in titles
    assert "New thread" in titles
    assert any(title and len(title) > 150 for title in titles)
    assert rows[0]["status"] == {"type": "active"}


def test_the_world_is_believable_as_a_whole() -> None:
    world = World(5000, 7, NOW)
    rows = [world.thread(index, "u", 0) for index in range(0, 5000, 3)]
    titles = Counter(row["title"] for row in rows)
    shares = {kind: titles[kind] / len(rows) for kind in (None, "New thread")}
    assert 0.08 < shares[None] < 0.16
    assert 0.05 < shares["New thread"] < 0.11
    states = Counter(row["status"]["type"] for row in rows)
    assert states["active"] > 0.78 * len(rows)
    assert states["locked"] > states["closed"] > 0.04 * len(rows)
    text = " ".join(filter(None, titles))
    for script in ("[؀-ۿ]", "[一-鿿]", "[äöü]", "[\U0001f300-\U0001faff]", "<b>"):
        assert re.search(script, text), script
    assert not re.search(r"{\w+}", json.dumps([rows, world.items(4321, 0)]))
    assert len(titles) > 800


def test_conversations_have_all_types_in_both_spellings(default: Emulator) -> None:
    types: Counter[str] = Counter()
    for thread_id in list(default.thread_ids())[:300]:
        page = get(default, items_of(thread_id), limit=100, order="asc")
        kinds = {item["type"] for item in page["data"]}
        assert len({kind.startswith("chatkit.") for kind in kinds}) == 1
        assert 1 <= len(page["data"]) <= 40
        types.update(kinds)
    for name in ("user_message", "assistant_message", "widget", "client_tool_call", "task", "task_group"):
        assert types[f"chatkit.{name}"] > types[name] > 0


def test_items_follow_their_thread_in_time(default: Emulator) -> None:
    for row in get(default, limit=100)["data"]:
        items = get(default, items_of(row["id"]), limit=100, order="asc")["data"]
        times = [item["created_at"] for item in items]
        assert row["created_at"] < times[0]
        assert all(one <= other for one, other in pairwise(times))
        assert times[-1] <= NOW
        assert items[0]["type"].endswith("user_message")
        assert {item["thread_id"] for item in items} == {row["id"]}


def test_json_in_items_is_json(default: Emulator) -> None:
    for thread_id in list(default.thread_ids())[:100]:
        for item in get(default, items_of(thread_id), limit=100)["data"]:
            for name in ("widget", "arguments", "output"):
                if item.get(name) is not None:
                    assert json.loads(item[name])


@pytest.mark.parametrize("threads", [0, 1, 2, 3, 7])
def test_small_worlds_are_complete(threads: int) -> None:
    emulator = Emulator(threads, now=NOW)
    assert walk(emulator, limit=2) == list(emulator.thread_ids())
    assert len(walk(emulator, limit=2)) == threads
    [arrived] = emulator.arrive()
    assert walk(emulator, limit=2)[0] == arrived


def test_a_world_without_ties_has_the_ids_it_always_had() -> None:
    world = World(5000, 7, NOW)
    assert world.thread_id(0) == "cthr_5f846d2dd75aafab5e0efce8a885cefe1aa79798ad1d1cf9"
    assert world.thread_id(4999) == "cthr_bc41d110ed81e8397a8142e10f863a3c4f138a72f4a29e0e"
    assert world.item_id(3, 2) == "cti_4b903aed8381b6f9276b264449077f13b18603acfeae8b2c"
    assert (world.user_of(10), world.created_at(4999)) == ("user_a21425ac51a12f0f", 1_789_999_870)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 400), st.integers(0, 99), st.integers(2, 50))
def test_ties_share_the_time_of_their_oldest_and_are_ordered_by_id(threads: int, seed: int, ties: int) -> None:
    plain, world = World(threads, seed, NOW), World(threads, seed, NOW, ties)
    rows = [(world.created_at(index), world.thread_id(index)) for index in range(threads)]
    assert [time for time, _ in rows] == [plain.created_at(index // ties * ties) for index in range(threads)]
    assert rows == sorted(rows)
    assert {one for _, one in rows} == {plain.thread_id(index) for index in range(threads)}
    later = range(threads, threads + 3)
    assert [world.thread_id(index) for index in later] == [plain.thread_id(index) for index in later]
    for index in range(threads + 3):
        assert world.index_of(world.thread_id(index)) == index
    assert world.index_of("cthr_invented") is None


def test_ties_that_meet_in_one_second_are_ordered_as_one() -> None:
    world = World(5000, 7, NOW, ties=4)
    rows = [(world.created_at(index), world.thread_id(index)) for index in range(5000)]
    assert max(Counter(time for time, _ in rows).values()) > 4
    assert rows == sorted(rows)


def test_threads_with_ties_page_completely_and_by_id() -> None:
    emulator, again = (Emulator(430, now=NOW, ties=50, showcase=True) for _ in range(2))
    newest = get(emulator, limit=30)["data"]
    assert len({row["created_at"] for row in newest}) == 1
    assert ids(get(emulator, limit=30)) == sorted(ids(get(emulator, limit=30)), reverse=True)
    every = list(emulator.thread_ids())
    assert walk(emulator, limit=7) == every == walk(again, limit=7)
    assert walk(emulator, limit=7, order="asc") == every[::-1]
    assert all(get(emulator, f"/{one}")["id"] == one for one in every)
    user = emulator.users()[0]
    assert walk(emulator, limit=7, user=user) == list(emulator.thread_ids(user=user))
    for one in every[:30]:
        items = get(emulator, items_of(one))
        assert {item["thread_id"] for item in items["data"]} == {one}
        assert get(emulator, items_of(one), before=items["last_id"])["data"] == items["data"][:-1]
    first, second = emulator.arrive(2)
    assert walk(emulator, limit=7) == [second, first, *every]


def test_ties_cost_nothing_that_grows_with_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator(1_000_000, now=NOW, ties=40)
    encode = Mock(wraps=emulator._world._thread_ids.encode)
    monkeypatch.setattr(emulator._world._thread_ids, "encode", encode)
    page = get(emulator, limit=100, after=emulator._world.thread_id(123_456))
    assert len(page["data"]) == 100
    assert 0 < encode.call_count < 2000
