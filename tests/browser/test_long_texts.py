"""A message of 90,000 letters is on the screen as soon as any other, whatever the letters are."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from tests.browser.talking import open_find
from threads.emulator import Emulator

_LENGTH = 90_000
_TEXTS = {
    "kerning": "A",
    "joined letters": "ل",
    "changes of direction": "aא",
    "marks": "e" + "\u0301" * 100,
    "no spaces": "ก",
}

_MOST = 5.0
"""Seconds, of which a browser takes some tenths; it took a minute."""

_SHOWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def test_a_word_without_end_holds_nobody_up(page: Page, upstream: Emulator) -> None:
    thread = next(upstream.thread_ids())
    texts = [(text * _LENGTH)[:_LENGTH] for text in _TEXTS.values()]
    customer = [
        {"type": "chatkit.user_message", "content": [{"type": "input_text", "text": text}], "attachments": []}
        for text in texts
    ]
    assistant = {"type": "output_text", "text": texts[0], "annotations": []}
    upstream.set_items(thread, [*customer, {"type": "chatkit.assistant_message", "content": [assistant]}])
    page.goto("/threads/")  # what a desk does at its first page is not counted
    began = time.monotonic()
    page.goto(f"/threads/{thread}/")
    expect(page.locator(".item")).to_have_count(len(texts) + 1)
    page.evaluate(_SHOWN)
    loaded = time.monotonic()
    page.set_viewport_size({"width": 600, "height": 700})
    page.evaluate(_SHOWN)
    resized = time.monotonic()
    assert loaded - began < _MOST
    assert resized - loaded < _MOST
    shown = page.locator(".said").evaluate_all("said => said.map((each) => each.textContent.trim())")
    assert shown == [*texts, texts[0]]
    open_find(page).fill("e\u0301\u0301")
    page.keyboard.press("Enter")
    expect(page.locator(".find output")).to_contain_text("1 of", timeout=30_000)
    prose = "Words as people write them. " * 4_000
    upstream.set_items(thread, [{**customer[0], "content": [{"type": "input_text", "text": prose + "At last."}]}])
    page.goto(f"/threads/{thread}/")
    expect(page.locator(".piece")).to_have_count(1)
    needle = open_find(page)
    for typed, found in (("at last", "No match"), ("write", "1 of 2000 or more")):
        needle.fill(typed)
        expect(page.locator(".find output")).to_have_text(f"{found} in what is shown; the download has the rest")
