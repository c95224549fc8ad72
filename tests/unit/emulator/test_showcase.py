"""The four conversations worth a look."""

import json
import re
import time
import tracemalloc
from itertools import pairwise
from typing import Any
from unittest.mock import Mock

import pytest

from tests.support.calls import NOW, call, get, ids, items_at, items_of, thread_at, walk
from threads.emulator import Emulator
from threads.emulator.world import showcase
from threads.emulator.world.content.showcase_widgets import BASICS, CHARTS, FORM, ORDER, STOPS

TYPES = {"user_message", "assistant_message", "widget", "client_tool_call", "task", "task_group", "structured_input"}
COMPONENTS = set(
    "Card ListView ListViewItem Basic Box Row Col Form Divider Spacer Icon Image Badge Button Checkbox Input Textarea "
    "Select DatePicker RadioGroup Label Text Title Caption Markdown Transition Chart".split()
)
PARCEL, UNPREFIXED, LONG, HOSTILE = (scene.place for scene in showcase.SHOWCASE)


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    return Emulator(400, now=NOW, showcase=True)


def own(item: dict[str, Any]) -> dict[str, Any]:
    """An item's own fields, its type without the prefix."""
    shared = ("id", "object", "thread_id", "created_at")
    fields = {name: value for name, value in item.items() if name not in shared}
    return {**fields, "type": item["type"].removeprefix("chatkit.")}


def test_the_docstring_says_where_they_are(emulator: Emulator) -> None:
    assert re.search(r"the 2nd, 5th, 8th and 12th", Emulator.__doc__ or "")
    rows = get(emulator)["data"]
    shown = {place: (rows[place]["title"], rows[place]["status"]["type"]) for place in (1, 4, 7, 11)}
    assert shown == {
        1: ("Every kind of item", "locked"),
        4: ("Every kind of item, in the documentation's spelling", "closed"),
        7: ("A very long conversation", "active"),
        11: ("What a stranger may write", "closed"),
    }
    for place in shown:
        assert get(emulator, f"/{rows[place]['id']}") == rows[place]


def test_all_else_is_as_without_it(emulator: Emulator) -> None:
    plain = Emulator(400, now=NOW)
    rows, expected = get(emulator, limit=100)["data"], get(plain, limit=100)["data"]
    changed = [place for place in range(100) if rows[place] != expected[place]]
    assert changed == [PARCEL, UNPREFIXED, LONG, HOSTILE]
    for place in range(13):
        thread_id = rows[place]["id"]
        same = get(emulator, items_of(thread_id)) == get(plain, items_of(thread_id))
        assert same == (place not in changed)


@pytest.mark.parametrize("threads", [0, 1, 11, 12])
def test_small_worlds_have_none(threads: int) -> None:
    emulator = Emulator(threads, now=NOW, showcase=True)
    titles = {get(emulator, f"/{thread_id}")["title"] for thread_id in emulator.thread_ids()}
    assert ("Every kind of item" in titles) == ("What a stranger may write" in titles) == (threads == 12)
    assert all(walk(emulator, items_of(thread_id), limit=100) for thread_id in emulator.thread_ids())


def test_every_type_in_both_spellings(emulator: Emulator) -> None:
    prefixed, plain = items_at(emulator, PARCEL), items_at(emulator, UNPREFIXED)
    assert {item["type"] for item in prefixed} == {f"chatkit.{name}" for name in TYPES}
    assert {item["type"] for item in plain} == TYPES
    assert [own(item) for item in prefixed] == [own(item) for item in plain]


def test_every_variant_of_every_field(emulator: Emulator) -> None:
    items = [own(item) for item in items_at(emulator, PARCEL)]
    users = [item for item in items if item["type"] == "user_message"]
    attachments = [(one["type"], one["preview_url"] is None) for item in users for one in item["attachments"]]
    assert sorted(attachments) == [("file", True), ("image", False), ("image", True)]
    chosen = [item["inference_options"] for item in users if item["inference_options"]]
    assert {(one["tool_choice"] is None, one["model"] is None) for one in chosen} == {
        (one, other) for one in (True, False) for other in (True, False)
    }
    assert {part["type"] for item in users for part in item["content"]} == {"input_text", "quoted_text"}
    answers = [item["content"] for item in items if item["type"] == "assistant_message"]
    assert {len(content) for content in answers} >= {1, 2}
    assert {note["type"] for content in answers for part in content for note in part["annotations"]} == {"url", "file"}
    calls = [item for item in items if item["type"] == "client_tool_call"]
    assert {(one["status"], one["output"] is None) for one in calls} >= {
        ("completed", False),
        ("completed", True),
        ("in_progress", True),
    }
    assert {one["arguments"][0] for one in calls} == {"{", "p"}
    tasks = [item for item in items if item["type"] == "task"]
    assert {task["task_type"] for task in tasks} == {"custom", "thought"}
    assert len({(task["heading"] is None, task["summary"] is None) for task in tasks}) == 4
    assert sorted(bool(item["tasks"]) for item in items if item["type"] == "task_group") == [False, True]


def test_every_component_of_the_published_set(emulator: Emulator) -> None:
    def kinds(part: Any) -> set[str]:
        children = part.get("children", [])
        return {part["type"]}.union(*map(kinds, [children] if isinstance(children, dict) else children))

    assert set().union(*map(kinds, (ORDER, STOPS, FORM, CHARTS, BASICS))) == COMPONENTS
    texts = [item["widget"] for item in items_at(emulator, PARCEL) if item["type"] == "chatkit.widget"]
    broken = [text for text in texts if not text.endswith("}")]
    seen = set().union(*(kinds(json.loads(text)) for text in texts if text not in broken))
    assert seen - COMPONENTS == {"StarRating", "Map"}
    assert seen > COMPONENTS
    assert len(broken) == 1
    assert set(re.findall(r'"type": "(bar|line|area)"', " ".join(texts))) == {"bar", "line", "area"}


@pytest.mark.parametrize("place", [PARCEL, UNPREFIXED, LONG, HOSTILE])
def test_times_ascend_and_end_by_now(emulator: Emulator, place: int) -> None:
    items = items_at(emulator, place)
    times = [item["created_at"] for item in items]
    assert times == sorted(times)
    assert times[-1] <= NOW
    assert {item["thread_id"] for item in items} == {thread_at(emulator, place)}


def test_the_parcel_takes_three_days(emulator: Emulator) -> None:
    times = [item["created_at"] for item in items_at(emulator, PARCEL)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert 2 * 86_400 < times[-1] - times[0] < 4 * 86_400
    assert sum(gap > 86_400 for gap in gaps) == 2
    assert any(3600 < gap < 86_400 for gap in gaps)
    assert any(60 < gap < 3600 for gap in gaps)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_ten_thousand_items_each_once(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Mock(wraps=showcase.play)
    monkeypatch.setattr("threads.emulator.world.state.play", made)
    emulator = Emulator(400, now=NOW, showcase=True)
    tail = items_of(thread_at(emulator, LONG))
    for other in list(emulator.thread_ids())[20:100]:  # more than are kept of computed conversations
        get(emulator, items_of(other))
    assert made.call_count == 0
    found = walk(emulator, tail, limit=100, order=order)
    assert len(found) == len(set(found)) == 10_000
    assert len(emulator.calls) == 180
    assert made.call_count == 1
    assert ids(get(emulator, tail, limit=2, order=order, before=found[5000])) == found[4998:5000]


def test_the_long_one_is_varied(emulator: Emulator) -> None:
    items = items_at(emulator, LONG)
    assert {item["type"] for item in items} == {f"chatkit.{name}" for name in TYPES - {"structured_input"}}
    assert len({json.dumps(own(item)) for item in items}) > 6000


def test_construction_costs_nothing() -> None:
    tracemalloc.start()
    try:
        started = time.perf_counter()
        emulator = Emulator(1_000_000, now=NOW, showcase=True)
        get(emulator, limit=100)
        took = time.perf_counter() - started
        shown = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        plain = Emulator(1_000_000, now=NOW)
        get(plain, limit=100)
        without = tracemalloc.get_traced_memory()[0] - shown
    finally:
        tracemalloc.stop()
    assert took < 2
    assert shown < without + 2_000_000


def test_the_hostile_one_survives_the_wire(emulator: Emulator) -> None:
    thread_id = thread_at(emulator, HOSTILE)
    body = call(emulator, items_of(thread_id), limit=100).body
    assert body.isascii()
    items = items_at(emulator, HOSTILE)
    text = json.dumps(items, ensure_ascii=False)
    for trick in ("<script>", "hx-get", "JaVaScRiPt:", "data:text/html", "\u202e", "\ud800", "مرحبًا", "שלום", "नमस्ते"):
        assert json.dumps(trick, ensure_ascii=False)[1:-1] in text, trick
    assert max(len(part) for part in re.findall(r"\S+", text)) > 100_000
    assert len(text) < 5_000_000


def test_hostile_addresses_are_nobodys(emulator: Emulator) -> None:
    text = json.dumps(items_at(emulator, HOSTILE))
    hosts = set(re.findall(r"https?://(?:[^/\s\"'()<>\\]*@)?([a-z0-9.-]+)", text))
    known = {"www.w3.org", "xn--hop-7cd.example"}
    assert {host for host in hosts if not host.endswith(".example")} <= known


def test_every_hostile_message_says_what_it_is(emulator: Emulator) -> None:
    for item in items_at(emulator, HOSTILE):
        if item["type"].endswith("_message"):
            words = item["content"][0]["text"]
            assert re.match(r"[A-Z0-9][^:<>\[\]{}]{2,90}:", words), words[:100]


def test_a_deleted_scene_is_forgotten_and_a_scene_can_be_changed() -> None:
    emulator = Emulator(50, now=NOW, showcase=True)
    parcel, long = thread_at(emulator, PARCEL), thread_at(emulator, LONG)
    emulator.set_items(parcel, [])
    emulator.set_title(parcel, "Renamed")
    emulator.set_status(parcel, "active")
    assert get(emulator, items_of(parcel))["data"] == []
    assert get(emulator, f"/{parcel}")["title"] == "Renamed"
    emulator.add_items(long, [{"type": "chatkit.task", "task_type": "custom", "heading": None, "summary": None}])
    assert len(walk(emulator, items_of(long), limit=100)) == 10_001
    emulator.delete(long)
    assert len(emulator._state._scripted) == 3
    assert call(emulator, items_of(long)).status == 404
