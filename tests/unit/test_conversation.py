"""From items to entries: what divides them, what counts them, what addresses them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit.types import (
    AssistantMessage,
    Body,
    ClientToolCall,
    Task,
    TaskGroup,
    TextPart,
    ThreadItem,
    Unknown,
    UserMessage,
    WidgetItem,
)
from threads.sources.query import ItemQuery
from threads.sources.window import Window
from threads.web import links
from threads.web.presenters import conversation

START = datetime(2026, 9, 21, 22, 30, tzinfo=UTC)


def window(*items: ThreadItem, has_next: bool = False, has_previous: bool = False) -> Window[ThreadItem]:
    ids = [item.id for item in items]
    return Window(items, ids[0] if ids else None, ids[-1] if ids else None, has_previous, has_next)


def said(number: int, at: datetime | None, text: str = "a") -> ThreadItem:
    return ThreadItem(f"i{number}", at, "t", AssistantMessage((TextPart("output_text", text),)))


def dividers(times: list[datetime | None], zone: str = "UTC", since: int | None = None) -> list[tuple[str, ...]]:
    items = [said(number, time) for number, time in enumerate(times)]
    made = conversation.entries(window(*items), ItemQuery(after="i", since=since), "/threads/t/", ZoneInfo(zone))
    return [entry.before for entry in made]


def test_a_day_and_a_pause_divide() -> None:
    times: list[datetime | None] = [START + timedelta(minutes=each) for each in (0, 59, 119, 180, 3000)]
    assert dividers(times) == [
        ("Monday, 21 Sep 2026",),
        (),
        ("Tuesday, 22 Sep 2026",),
        ("1 hour later",),
        ("2 days later", "Thursday, 24 Sep 2026"),
    ]


def test_a_day_is_the_readers_day() -> None:
    times: list[datetime | None] = [START, START + timedelta(minutes=40)]
    assert dividers(times, "Asia/Tokyo") == [("Tuesday, 22 Sep 2026",), ()]


def test_a_page_goes_on_where_the_one_before_it_ended() -> None:
    assert dividers([START + timedelta(minutes=5)], since=int(START.timestamp())) == [()]


def test_an_item_without_a_time_divides_nothing() -> None:
    assert dividers([START, None, START + timedelta(minutes=5)]) == [("Monday, 21 Sep 2026",), (), ()]


@given(st.lists(st.integers(0, 10**6), max_size=30).map(sorted), st.integers(1, 29))
def test_however_it_is_paged_the_dividers_are_the_same(seconds: list[int], cut: int) -> None:
    items = [said(number, START + timedelta(seconds=each)) for number, each in enumerate(seconds)]
    whole = [each.before for each in conversation.entries(window(*items), ItemQuery(), "/", UTC)]
    first, rest = items[:cut], items[cut:]
    paged = [each.before for each in conversation.entries(window(*first), ItemQuery(), "/", UTC)]
    if rest:
        last = first[-1].created_at
        assert last
        onward = ItemQuery(after=first[-1].id, since=int(last.timestamp()))
        paged += [each.before for each in conversation.entries(window(*rest), onward, "/", UTC)]
    assert paged == whole


@given(st.lists(st.none() | st.integers(0, 10**6), max_size=30), st.lists(st.integers(0, 30), max_size=3))
def test_however_it_is_read_backwards_the_dividers_are_the_same(seconds: list[int | None], cuts: list[int]) -> None:
    """What stands above a page gives way to the page before it, which brings what divides the two."""
    times = iter(sorted(each for each in seconds if each is not None))
    items = [
        said(number, None if each is None else START + timedelta(seconds=next(times)))
        for number, each in enumerate(seconds)
    ]
    whole = [each for entry in conversation.entries(window(*items), ItemQuery(), "/", UTC) for each in entry.before]
    shown: list[str] = []
    above: tuple[str, ...] = ()
    query, end = ItemQuery(), len(items)
    part: conversation.Part = "page"
    for start in sorted({0, *(cut for cut in cuts if cut < len(items))}, reverse=True):
        rows = window(*items[start:end], has_previous=start > 0, has_next=end < len(items))
        page = conversation.item_page(rows, query, "/", UTC, part=part)
        shown = [each for block in page.blocks for each in block.before] + [*page.below] + shown
        above = page.above
        back = parse_qs(urlsplit(conversation.progress(rows, query, "/").previous_url or "").query)
        assert start == 0 or back["count"] == [str(len(items) - start)]
        since = int(back["since"][0]) if "since" in back else None
        query = ItemQuery(before="x", count=len(items) - start, since=since)
        part, end = "earlier", start
    assert [*above, *shown] == whole


def test_the_count_goes_along() -> None:
    beginning = ItemQuery(from_beginning=True)
    first = conversation.progress(window(said(1, START), said(2, START), has_next=True), beginning, "/threads/t/")
    since = f"since={int(START.timestamp())}"
    assert first.count == 2
    assert first.next_url == f"/threads/t/?limit=100&after=i2&count=2&{since}"
    assert (first.beginning_url, first.latest_url) == (None, "/threads/t/")
    onward = ItemQuery(after="i2", count=2)
    last = conversation.progress(window(said(3, START), has_previous=True), onward, "/threads/t/")
    assert (last.count, last.next_url, last.latest_url) == (3, None, None)
    assert last.previous_url == f"/threads/t/?limit=100&before=i3&count=1&{since}"


def test_the_count_goes_along_backwards() -> None:
    last = conversation.progress(window(said(3, START), has_previous=True), ItemQuery(), "/threads/t/")
    assert (last.count, last.count_to_end) == (None, 1)
    assert last.beginning_url == "/threads/t/?from=beginning"
    back = ItemQuery(before="i3", count=1)
    first = conversation.progress(window(said(1, START), said(2, START), has_next=True), back, "/threads/t/")
    assert (first.count, first.count_to_end, first.previous_url, first.beginning_url) == (2, 3, None, None)
    whole = conversation.progress(window(said(1, START)), ItemQuery(), "/threads/t/")
    assert (whole.count, whole.previous_url, whole.next_url) == (1, None, None)


def test_who_starts_in_the_middle_is_not_told_a_count() -> None:
    for query in (
        ItemQuery(at="i3", count=None),
        ItemQuery(before="i4", count=None),
        ItemQuery(after="i2", count=None),
    ):
        page = window(said(3, START), has_next=True, has_previous=True)
        more = conversation.progress(page, query, "/threads/t/")
        assert (more.count, more.count_to_end) == (None, None)
        assert more.beginning_url == "/threads/t/?from=beginning"
        assert "count" not in (more.next_url or "")
        assert "count" not in (more.previous_url or "")


def call(number: int, name: str, status: str = "completed", at: datetime | None = START) -> ThreadItem:
    return ThreadItem(f"i{number}", at, "t", ClientToolCall(status, "c", name, "{}", None))


def folded(*items: ThreadItem, at: str | None = None) -> list[conversation.Block]:
    return conversation.item_page(window(*items), ItemQuery(at=at), "/", UTC).blocks


def test_consecutive_steps_are_one_line() -> None:
    task = ThreadItem("i3", START, "t", Task("custom", "checking the card's status", "Long."))
    group = ThreadItem("i4", START, "t", TaskGroup((Task("thought", None, "Hm."), Task("custom", "Look", None))))
    widget = ThreadItem("i6", START, "t", WidgetItem("{}"))
    unknown = ThreadItem("i7", START, "t", Unknown("x.y", {}))
    blocks = folded(said(1, START), call(2, "block_card"), task, group, said(5, START), widget, unknown, call(8, "a"))
    assert [len(block.entries) for block in blocks] == [1, 3, 1, 1, 1, 1]
    assert [block.count for block in blocks] == [0, 4, 0, 0, 0, 1], "a group of tasks is as many steps"
    names = [(step.name, step.outcome) for step in blocks[1].steps]
    assert names == [("block_card", "done"), ("checking the card's status", ""), ("Thought", ""), ("Look", "")]
    assert not any(block.open for block in blocks)


def test_the_line_of_steps_says_what_failed() -> None:
    (block,) = folded(*(call(number, f"n{number}") for number in range(4)), call(5, "a", "failed"), call(6, "b"))
    assert (block.count, len(block.steps), block.unnamed, block.unnamed_failed) == (6, 4, 2, 1)
    (block,) = folded(call(1, "a", "failed"), call(2, "b", "in_progress"), call(3, "c", "Warten"), call(4, "", "error"))
    said = [(step.outcome, step.failed) for step in block.steps]
    assert said == [("failed", True), ("in progress", False), ("Warten", False), ("error", True)]
    (block,) = folded(replace(call(1, "a"), problems=("name is a number",)))
    assert block.unread


def test_a_group_of_steps_ends_where_a_day_begins() -> None:
    blocks = folded(
        call(1, "a"), call(2, "b", at=START + timedelta(hours=2)), call(3, "c", at=START + timedelta(hours=2))
    )
    assert [len(block.entries) for block in blocks] == [1, 2]
    assert blocks[1].before == ("2 hours later", "Tuesday, 22 Sep 2026")


def test_the_group_of_the_item_of_the_address_is_open() -> None:
    blocks = folded(call(1, "a"), call(2, "b"), said(3, START), call(4, "c"), at="i2")
    assert [block.open for block in blocks] == [True, False, False]


_KINDS = st.sampled_from(["message", "call", "task", "widget", "unknown"])


@given(st.lists(st.tuples(_KINDS, st.integers(0, 9_000)), max_size=25))
def test_folding_loses_and_doubles_nothing(made: list[tuple[str, int]]) -> None:
    bodies: dict[str, Body] = {
        "message": AssistantMessage(()),
        "call": ClientToolCall("completed", None, "a", None, None),
        "task": Task("thought", None, None),
        "widget": WidgetItem("{}"),
        "unknown": Unknown("x", {}),
    }
    moments = [START + timedelta(seconds=sum(each for _, each in made[: place + 1])) for place in range(len(made))]
    items = [ThreadItem(f"i{place}", moments[place], "t", bodies[kind]) for place, (kind, _) in enumerate(made)]
    blocks = folded(*items)
    assert [entry.anchor for block in blocks for entry in block.entries] == [
        f"item-i{each}" for each in range(len(made))
    ]
    for block in blocks:
        assert all(not entry.before for entry in block.entries[1:]), "a divider would be folded"
        assert len(block.entries) == 1 or all(entry.kind in {"tool_call", "tasks"} for entry in block.entries)
    for one, next_ in pairwise(blocks):
        assert not (one.count and next_.count) or next_.before


def test_messages_of_one_side_stand_under_one_name() -> None:
    wrote = UserMessage((), (), None, None)
    minutes = [0, 1, 6, 12, 13, 14, 15]
    bodies: list[Body] = [wrote, wrote, wrote, wrote, AssistantMessage(()), AssistantMessage(()), wrote]
    items = [
        ThreadItem(f"i{minute}", START + timedelta(minutes=minute), "t", body)
        for minute, body in zip(minutes, bodies, strict=True)
    ]
    found = conversation.entries(window(*items), ItemQuery(), "/", UTC)
    assert [entry.same for entry in found] == [False, True, True, False, False, True, False]
    assert [entry.side for entry in found] == ["customer"] * 4 + ["assistant"] * 2 + ["customer"]
    between = conversation.entries(window(items[0], call(9, "a"), items[1]), ItemQuery(), "/", UTC)
    assert [entry.same for entry in between] == [False] * 3
    timeless = conversation.entries(window(items[0], replace(items[1], created_at=None)), ItemQuery(), "/", UTC)
    assert [entry.same for entry in timeless] == [False] * 2, "its time would not be told"


def test_any_id_can_be_an_address() -> None:
    anchor, url = links.item_anchor("a b/%20ü#"), links.item_url("a b/%20ü#", "/threads/t/")
    assert anchor == "item-a%20b%2F%2520%C3%BC%23"
    assert url == "/threads/t/?at=a+b%2F%2520%C3%BC%23#item-a%2520b%252F%252520%25C3%25BC%2523"


def test_a_page_made_to_be_slow_is_shown_as_written_from_somewhere_on() -> None:
    items = [said(number, START, "**a** and some words " * 600) for number in range(10)]
    bodies = [each.body["parts"][0] for each in conversation.entries(window(*items), ItemQuery(), "/", UTC)]
    assert bodies[0].startswith("<p><strong>")
    assert bodies[-1].startswith('<div class="plain"><span class="piece">**a**')


def test_what_is_too_much_for_a_page_is_left_out_and_counted() -> None:
    items = [said(number, START, "a" * 900_000) for number in range(3)]
    bodies = [each.body["parts"][0] for each in conversation.entries(window(*items), ItemQuery(), "/", UTC)]
    assert "… 700,000 more characters are left out of this page" in bodies[-1]
    many = ThreadItem(
        "i", START, "t", AssistantMessage(tuple(TextPart("output_text", str(each)) for each in range(5_000)))
    )
    body = conversation.entries(window(many), ItemQuery(), "/", UTC)[0].body
    assert (len(body["parts"]), body["left_out"]) == (200, 4_800)
    call = ThreadItem("i", START, "t", ClientToolCall("completed", "c", "look", "a" * 1_500_000, "b" * 600_000))
    body = conversation.entries(window(call), ItemQuery(), "/", UTC)[0].body
    assert [fold.cut for fold in body["folds"]] == [False, True]


def test_json_is_indented_and_text_is_left() -> None:
    call = ClientToolCall("completed", "c", "look", '{"a":1}', "not json")
    entry = conversation.entries(window(ThreadItem("i", START, "t", call)), ItemQuery(), "/", UTC)[0]
    assert [fold.text for fold in entry.body["folds"]] == ['{\n  "a": 1\n}', "not json"]


def test_long_json_is_folded() -> None:
    call = ClientToolCall("completed", "c", "look", str(list(range(900))), None)
    entry = conversation.entries(window(ThreadItem("i", START, "t", call)), ItemQuery(), "/", UTC)[0]
    assert [fold.open for fold in entry.body["folds"]] == [False]


def test_what_is_not_known_is_kept_whole() -> None:
    items = ThreadItem("i", START, "t", Unknown("x.y", {"a": ["ü"]})), ThreadItem("j", START, "t", WidgetItem("{"))
    made = conversation.entries(window(*items), ItemQuery(), "/", UTC)
    assert made[0].body["fold"].text == '{\n  "a": [\n    "ü"\n  ]\n}'
    assert made[1].body["drawing"] is None
