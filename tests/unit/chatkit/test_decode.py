"""Pages and rows."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit import Garbled, Status, decode
from threads.chatkit.items import item
from threads.chatkit.parse import parse
from threads.chatkit.types import (
    AssistantMessage,
    Citation,
    ClientToolCall,
    Task,
    TaskGroup,
    Unknown,
    UserMessage,
    WidgetItem,
)
from threads.chatkit.values import is_identifier

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
threads = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("id", "created_at", "title", "status", "user", "type", "content", "tasks"), json_values),
)


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"cthr_{number}", "object": "chatkit.thread", "created_at": 1_700_000_000 + number} | fields


def page(*rows: Any, **fields: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(rows), "has_more": False} | fields


def test_a_thread_is_read_whole() -> None:
    thread = decode.thread(row(1, title="T", user="u", status={"type": "locked", "reason": "R"}))
    assert (thread.id, thread.title, thread.user) == ("cthr_1", "T", "u")
    assert thread.status == Status("locked", "R")
    assert thread.problems == ()


def test_a_row_as_the_documentation_shows_it_has_no_problems() -> None:
    thread = decode.thread({"id": "cthr_1", "object": "chatkit.thread", "title": None})
    assert thread.problems == ()
    assert (thread.status, thread.user, thread.created_at) == (None, None, None)


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        ("text", "object"),
        (None, "object"),
        ({"title": "no id"}, "id"),
        (row(1, id=7), "id"),
        (row(1, title=["x"]), "title"),
        (row(1, status="locked"), "status"),
        (row(1, status={}), "status has no type"),
        (row(1, created_at="yesterday"), "created_at"),
        (row(1, created_at=10**18), "created_at"),
    ],
)
def test_a_bad_row_says_what_is_wrong_with_it(raw: object, word: str) -> None:
    thread = decode.thread(raw)
    assert word in " ".join(thread.problems)


def test_an_unknown_status_keeps_its_label() -> None:
    assert decode.thread(row(1, status={"type": "archived"})).status == Status("archived", None)


@given(st.lists(json_values | threads, max_size=8), st.integers(1, 5))
def test_any_rows_make_a_page_and_none_is_lost(data: list[Any], limit: int) -> None:
    decoded = decode.page(page(*data), decode.thread, limit=limit)
    kept = [each.id for each in decoded.rows if each.id is not None]
    assert len(kept) == len(set(kept))
    ids = [each["id"] for each in data if isinstance(each, dict) and isinstance(each.get("id"), str)]
    ids = [each for each in ids if is_identifier(each)]
    if len(data) <= limit:
        assert set(kept) == set(ids)
        assert not decoded.has_more
    assert len(decoded.rows) <= limit


@given(st.lists(json_values | threads, max_size=8))
def test_any_items_make_a_page(data: list[Any]) -> None:
    decode.page(page(*data), item, limit=100)


@given(json_values)
def test_any_json_makes_a_page_or_is_garbled(raw: object) -> None:
    for read in (
        partial(decode.single_thread, thread_id="cthr_1"),
        decode.deletion,
        lambda value: decode.page(value, decode.thread, limit=20),
    ):
        try:
            read(raw)
        except Garbled:
            pass


def test_cursors_are_the_upstreams_own() -> None:
    decoded = decode.page(page(row(1), row(2), first_id="a", last_id="z", has_more=True), decode.thread, limit=20)
    assert (decoded.first_id, decoded.last_id, decoded.has_more) == ("a", "z", True)


@pytest.mark.parametrize("cursor", ["\ud800", "", " ", "a\0", "x" * 513, 5, []])
def test_a_cursor_that_can_not_stand_in_an_address_is_taken_from_the_rows(cursor: object) -> None:
    raw = page(row(1), row(2), first_id=cursor, last_id=cursor, has_more=True)
    decoded = decode.page(raw, decode.thread, limit=20)
    assert (decoded.first_id, decoded.last_id) == ("cthr_1", "cthr_2")


def test_cursors_that_are_missing_are_taken_from_the_rows() -> None:
    decoded = decode.page(page("bad", row(1), row(2), "bad", has_more=True), decode.thread, limit=20)
    assert (decoded.first_id, decoded.last_id) == ("cthr_1", "cthr_2")


def test_more_rows_than_asked_for_are_left_to_the_next_page() -> None:
    decoded = decode.page(page(*[row(n) for n in range(9)], last_id="cthr_8"), decode.thread, limit=4)
    assert [each.id for each in decoded.rows] == ["cthr_0", "cthr_1", "cthr_2", "cthr_3"]
    assert decoded.last_id == "cthr_3"
    assert decoded.has_more
    assert decoded.notes


def test_a_row_that_comes_twice_is_shown_once() -> None:
    decoded = decode.page(page(row(1), row(1), row(2)), decode.thread, limit=2)
    assert [each.id for each in decoded.rows] == ["cthr_1", "cthr_2"]
    assert decoded.notes == ()


def test_without_a_word_on_more_a_full_page_may_have_more() -> None:
    full = {"data": [row(1), row(2)]}
    assert decode.page(full, decode.thread, limit=2).has_more
    assert not decode.page(full, decode.thread, limit=3).has_more


@pytest.mark.parametrize(
    "raw",
    [None, [], "x", {}, {"data": None}, {"data": {}}, {"error": {"message": "m"}}, page(has_more=True)],
)
def test_what_is_no_page_is_garbled(raw: object) -> None:
    with pytest.raises(Garbled):
        decode.page(raw, decode.thread, limit=20)


def test_more_that_can_not_be_reached_is_said() -> None:
    decoded = decode.page(page("bad", has_more=True), decode.thread, limit=20)
    assert not decoded.has_more
    assert "no way to reach" in decoded.notes[0]


def test_a_page_that_leads_back_to_its_cursor_is_garbled() -> None:
    decoded = decode.page(page(row(1), row(2)), decode.thread, limit=20)
    assert decode.check_progress(decoded, cursor="cthr_9") is decoded
    for cursor in ("cthr_1", "cthr_2"):
        with pytest.raises(Garbled):
            decode.check_progress(decoded, cursor=cursor)


ITEMS: list[tuple[dict[str, Any], type]] = [
    ({"type": "user_message", "content": [{"type": "quoted_text", "text": "q"}]}, UserMessage),
    (
        {"type": "assistant_message", "content": [{"type": "output_text", "text": "a", "annotations": []}]},
        AssistantMessage,
    ),
    ({"type": "widget", "widget": "{}"}, WidgetItem),
    (
        {"type": "client_tool_call", "status": "completed", "name": "n", "arguments": "{}", "output": None},
        ClientToolCall,
    ),
    ({"type": "task", "task_type": "thought", "heading": "h", "summary": None}, Task),
    ({"type": "task_group", "tasks": [{"type": "custom", "heading": "h"}]}, TaskGroup),
    ({"type": "brand_new"}, Unknown),
]


@pytest.mark.parametrize("prefix", ["", "chatkit."])
@pytest.mark.parametrize(("raw", "kind"), ITEMS)
def test_every_item_type_is_known_in_both_spellings(raw: dict[str, Any], kind: type, prefix: str) -> None:
    decoded = item(raw | {"id": "cti_1", "created_at": 1, "thread_id": "t", "type": prefix + raw["type"]})
    assert isinstance(decoded.body, kind)
    assert decoded.problems == ()


def test_an_item_keeps_what_it_says() -> None:
    raw = {
        "id": "cti_1",
        "type": "chatkit.assistant_message",
        "content": [
            {
                "type": "output_text",
                "text": "see",
                "annotations": [
                    {"type": "url", "source": {"type": "url", "url": "https://a.example"}},
                    {"type": "file", "source": {"type": "file", "filename": "a.pdf"}},
                ],
            }
        ],
    }
    body = item(raw).body
    assert isinstance(body, AssistantMessage)
    assert body.content[0].sources == (Citation("url", "https://a.example"), Citation("file", "a.pdf"))
    asked = item(
        {"id": "i", "type": "user_message", "inference_options": {"tool_choice": {"id": "t"}, "model": "m"}}
    ).body
    assert isinstance(asked, UserMessage)
    assert (asked.tool_choice, asked.model) == ("t", "m")


def test_an_item_that_is_not_an_object_is_kept_whole() -> None:
    decoded = item([1])
    assert decoded.body == Unknown(None, [1])
    assert decoded.problems


def test_lone_surrogates_survive_from_the_wire_to_utf_8() -> None:
    raw = parse(
        json.dumps(row(1, title="\ud800x", user="\udfff", status={"type": "closed", "reason": "\ud83d"})).encode()
    )
    thread = decode.thread(raw)
    assert (thread.title, thread.user) == ("\ufffdx", "\ufffd")
    assert thread.status == Status("closed", "\ufffd")
