"""Conversations to read: what they hold, what of it a page shows, and an upstream that fails in the middle of one."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

from playwright.sync_api import Error, Locator, Page, expect

from threads.emulator import Emulator, EmulatorReply, Fault

EVERY_KIND, OTHER_SPELLING, LONG, HOSTILE = 1, 4, 7, 11
"""The showcase, by place in the list of all threads, newest first."""

_HEADERS = {"authorization": "Bearer sk-test", "openai-beta": "chatkit_beta=v1"}

DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Two frames later, in JavaScript."""

TO_THE_END = """() => {
  for (const each of [document.documentElement, document.getElementById("talk")]) each.scrollTop = each.scrollHeight;
}"""
"""Scrolls to the end, in JavaScript: the window, or the conversation where it scrolls by itself."""

MORNING = int(datetime(2026, 11, 2, 10, 0, tzinfo=UTC).timestamp())
HOUR = 3600


class Patchy(Emulator):
    """The showcase among 205 threads. While `hole` is set, no page of items that follows that item can be had."""

    def __init__(self) -> None:
        super().__init__(threads=205, seed=7, now=time.time() - 300, showcase=True)
        self.hole: str | None = None
        self._broken = Emulator(threads=0, fault=Fault.HTML_200)

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> EmulatorReply:
        broken = self.hole is not None and f"after={self.hole}" in query
        return (
            self._broken.handle(method, path, query, headers)
            if broken
            else super().handle(method, path, query, headers)
        )


def _ask(upstream: Emulator, path: str, query: str = "") -> dict[str, Any]:
    reply = upstream.handle("GET", f"/v1/chatkit/threads/{path}", query, _HEADERS)
    assert reply.status == 200
    return cast(dict[str, Any], json.loads(reply.body))


def thread(upstream: Emulator, thread_id: str) -> dict[str, Any]:
    return _ask(upstream, thread_id)


def items(upstream: Emulator, thread_id: str) -> list[dict[str, Any]]:
    """All items of a thread, oldest first."""
    found: list[dict[str, Any]] = []
    more = True
    while more:
        place = f"&after={found[-1]['id']}" if found else ""
        reply = _ask(upstream, f"{thread_id}/items", f"limit=100&order=asc{place}")
        found += reply["data"]
        more = reply["has_more"]
    return found


def item_ids(upstream: Emulator, thread_id: str) -> list[str]:
    return [item["id"] for item in items(upstream, thread_id)]


def said(text: str, **fields: Any) -> dict[str, Any]:
    """A message of the customer."""
    content = [{"type": "input_text", "text": text}]
    return {"type": "chatkit.user_message", "content": content, "attachments": [], "inference_options": None} | fields


def called(output: str) -> dict[str, Any]:
    """A call of a tool that gave `output`."""
    about = {"status": "completed", "call_id": "call_1", "name": "look_up"}
    return {"type": "chatkit.client_tool_call", "arguments": "{}", "output": output} | about


def talk(upstream: Emulator, count: int, place: int = 0) -> tuple[str, list[str]]:
    """Gives the thread at this place `count` short messages; returns its id, and theirs."""
    thread_id = list(upstream.thread_ids())[place]
    upstream.set_items(thread_id, [said(f"Message number {number}.") for number in range(1, count + 1)])
    return thread_id, item_ids(upstream, thread_id)


def shown_items(page: Page) -> list[str]:
    found: list[str] = page.locator("#items .item").evaluate_all("items => items.map(item => item.id.slice(5))")
    return found


def reads(page: Page, ids: Sequence[str]) -> None:
    """The page has these items in this order and no others, or soon will."""
    shown: list[str] = []
    until = time.monotonic() + 10
    while shown != list(ids) and time.monotonic() < until:
        page.wait_for_timeout(50)
        with suppress(Error):  # a page that is being replaced has no items
            shown = shown_items(page)
    assert shown == list(ids)


def item(page: Page, item_id: str) -> Locator:
    return page.locator(f"[id='item-{item_id}']")


def to_the_end(page: Page) -> None:
    page.evaluate(TO_THE_END)


def more(page: Page) -> Locator:
    """What stands below the items: how many there are, and the way on."""
    return page.locator("#more")


def marked(page: Page) -> str:
    """The text of the match that one has stepped to, where all of it can be seen, or soon will; else what is wrong with
    it."""
    found = _marked(page)
    for _ in range(40):
        if not found.startswith("("):
            break
        page.wait_for_timeout(50)
        found = _marked(page)
    return found


def _marked(page: Page) -> str:
    found: str = page.evaluate(
        """() => {
          const [range] = CSS.highlights.get("current") ?? [];
          if (!range) return "(no match)";
          const box = range.getBoundingClientRect();
          if (!box.width) return `(not drawn) ${range}`;
          if (box.top < 0 || box.bottom > innerHeight) return `(outside of the window) ${range}`;
          const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
          return at?.contains(range.startContainer) ? `${range}` : `(covered) ${range}`;
        }"""
    )
    return found


def landed(page: Page, item_id: str) -> None:
    """The page has come to this item: highlighted, focused, in sight."""
    expect(item(page, item_id)).to_be_focused()
    expect(item(page, item_id)).to_have_class(re.compile(r"\bhere\b"))
    expect(item(page, item_id).locator(".who")).to_be_in_viewport()
    expect(page.locator("#items .here")).to_have_count(1)


def find_box(page: Page) -> Locator:
    """The field that finds in a conversation."""
    return page.get_by_role("searchbox", name="Find in this conversation")


def conversation_menu(page: Page, name: str) -> None:
    """Presses what the menu of the conversation has under this name."""
    page.locator("#pane .menu > summary").click()
    page.locator("#pane .menu").get_by_role("button", name=name).click()


def open_find(page: Page) -> Locator:
    """Opens the box that finds in a conversation; returns its field."""
    conversation_menu(page, "Find in this conversation")
    expect(find_box(page)).to_be_focused()
    return find_box(page)


def load_all(page: Page) -> None:
    """Presses Load all, which stands in the box that finds."""
    open_find(page)
    page.get_by_role("button", name="Load all").click()
