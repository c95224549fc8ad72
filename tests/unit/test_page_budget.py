"""No page takes more than it is allowed, whatever stands on it."""

from __future__ import annotations

import json
from datetime import UTC

import pytest

from threads.chatkit import ThreadItem
from threads.chatkit.items import item
from threads.rendering.page_budget import MAX_CHARACTERS, MAX_ITEM_PARTS, PageBudget
from threads.rendering.widgets import draw
from threads.sources.query import ItemQuery
from threads.sources.window import Window
from threads.web.presenters import conversation

SLOW = "*_*_ab " * 2_800


def read(*raw: dict[str, object]) -> list[conversation.ItemEntry]:
    items: tuple[ThreadItem, ...] = tuple(item({"id": f"i{number}"} | each) for number, each in enumerate(raw))
    return conversation.entries(Window(items, "a", "b", False, False), ItemQuery(), "/threads/t/", UTC)


def test_what_is_left_out_is_counted() -> None:
    budget = PageBudget()
    assert "left out" not in budget.plain("a" * (MAX_CHARACTERS - 1))
    assert "9 more characters are left out" in budget.plain("a" * 10)
    assert "(5 more characters are left out; the download has them)" in budget.cut("aaaaa")


def test_the_parts_of_one_item_are_as_many_as_a_person_can_read() -> None:
    shown, left_out = PageBudget().fit(range(1_000))
    assert (len(shown), left_out) == (MAX_ITEM_PARTS, 1_000 - MAX_ITEM_PARTS)


def test_the_markdown_of_widgets_counts_too() -> None:
    widget = json.dumps({"type": "Card", "children": [{"type": "Markdown", "value": "**a** " * 2_000}] * 20})
    budget = PageBudget()
    assert draw(widget, budget)
    assert budget.markdown_left < 0
    assert budget.markdown("**a**").startswith('<div class="plain">')


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "assistant_message", "content": [1] * 5_000},
        {"type": "user_message", "attachments": [{}] * 5_000, "content": []},
        {"type": "task_group", "tasks": [{}] * 5_000},
    ],
    ids=lambda raw: str(raw["type"]),
)
def test_an_item_of_thousands_of_parts_shows_some_and_says_so(raw: dict[str, object]) -> None:
    body = read(raw)[0].body
    assert body["left_out"] == 5_000 - MAX_ITEM_PARTS


def test_the_whole_page_is_bounded() -> None:
    said: dict[str, object] = {"type": "assistant_message", "content": [{"type": "output_text", "text": SLOW}]}
    widget: dict[str, object] = {"type": "widget", "widget": json.dumps({"type": "Text", "value": "a" * 50_000})}
    texts = [str(each.body) for each in read(*[said] * 60, *[widget] * 60)]
    assert sum(map(len, texts)) < 3 * MAX_CHARACTERS
