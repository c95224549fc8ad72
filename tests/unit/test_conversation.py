"""From items to entries: what divides them, what counts them, what addresses them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit.types import AssistantMessage, ClientToolCall, TextPart, ThreadItem, Unknown, WidgetItem
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
    made = conversation.entries(window(*items), ItemQuery(since=since), "/threads/t/", ZoneInfo(zone))
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


def test_the_count_goes_along() -> None:
    first = conversation.progress(window(said(1, START), said(2, START), has_next=True), ItemQuery(), "/threads/t/")
    assert first.count == 2
    assert first.next_url == f"/threads/t/?limit=100&after=i2&count=2&since={int(START.timestamp())}"
    assert first.first_url is None
    onward = ItemQuery(after="i2", count=2)
    last = conversation.progress(window(said(3, START), has_previous=True), onward, "/threads/t/")
    assert (last.count, last.next_url, last.previous_url) == (3, None, "/threads/t/?before=i3")


def test_who_starts_in_the_middle_is_not_told_a_count() -> None:
    for query in (
        ItemQuery(at="i3", count=None),
        ItemQuery(before="i3", count=None),
        ItemQuery(after="i2", count=None),
    ):
        more = conversation.progress(window(said(3, START), has_next=True), query, "/threads/t/")
        assert more.count is None
        assert more.first_url == "/threads/t/"
        assert "count" not in (more.next_url or "")


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
