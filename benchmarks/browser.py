"""The browser: from the press to the paint, and what the first load weighs."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from .serving import Served, desk, upstream
from .table import Row

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync"""

# From the event's own time stamp to the first frame after the new rows are in the page.
PRESS_TO_PAINT = """
(() => {
  window.painted = null;
  const first = () => document.querySelector("[data-thread-id]")?.dataset.threadId;
  const watch = (event) => {
    if (!event.target.closest?.("a[rel]") || (event.type === "keydown" && event.key !== "Enter")) return;
    const before = first(), start = event.timeStamp;
    const look = () => {
      if (first() === before) return requestAnimationFrame(look);
      requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now() - start; }));
    };
    look();
  };
  addEventListener("mouseup", watch, true);
  addEventListener("keydown", watch, true);
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((each) => each.duration)))
    .observe({ type: "longtask" });
})()
"""
SEEN = """
() => new Promise((resolve) => {
  const seen = { paint: 0, shift: 0 };
  new PerformanceObserver((list) => { for (const each of list.getEntries()) seen.paint = each.startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => { for (const each of list.getEntries()) seen.shift += each.value; })
    .observe({ type: "layout-shift", buffered: true });
  const page = performance.getEntriesByType("navigation")[0];
  setTimeout(() => resolve({ ...seen, arrived: page.responseEnd, document: page.duration }), 500);
})
"""


def turning(data: Path) -> Iterator[Row]:
    """Next and Previous at 300 ms upstream, after the pointer or the focus has been on them for half a second."""
    with upstream(300, 5000) as base_url, desk(base_url, data) as ours, _browser(ours) as context:
        page = context.new_page()
        page.goto(f"{ours.url}/threads/")
        page.evaluate(PRESS_TO_PAINT)
        yield Row("Next, by mouse, press to painted", "ms", [_press(page, "next") for _ in range(15)], target="≤ 50")
        yield Row("Previous, by mouse", "ms", [_press(page, "prev") for _ in range(12)], target="≤ 50")
        yield Row("Next, by keyboard", "ms", [_enter(page, "next") for _ in range(12)], target="≤ 50")
        page.goto(f"{ours.url}/threads/")
        page.evaluate(PRESS_TO_PAINT)
        yield Row("Next, pressed at once", "ms", [_press(page, "next", rest=0) for _ in range(8)])
    with upstream(0, 5000) as base_url, desk(base_url, data) as ours, _browser(ours) as context:
        page = context.new_page()
        page.goto(f"{ours.url}/threads/?limit=100")
        page.evaluate(PRESS_TO_PAINT)
        for _ in range(8):
            _press(page, "next")
        longest = max([0.0, *page.evaluate("window.longTasks")])
        yield Row("longest task while turning pages of 100 (0: none over 50)", "ms", [longest], target="≤ 50")


def reading(data: Path) -> Iterator[Row]:
    """A conversation of 10,000 items, loaded to its end in one go."""
    with upstream(0, 5000) as base_url, desk(base_url, data) as ours, _browser(ours) as context:
        page = context.new_page()
        page.goto(f"{ours.url}/threads/")
        page.get_by_role("link", name="A very long conversation").click()
        page.locator("#all").wait_for()
        page.evaluate(PRESS_TO_PAINT)
        started = time.perf_counter()
        page.locator("#all").click()
        page.locator("#more", has_text="The end: all 10,000.").wait_for(timeout=120_000)
        yield Row("Load all of 10,000 items", "s", [time.perf_counter() - started])
        longest = max([0.0, *page.evaluate("window.longTasks")])
        yield Row("the longest task meanwhile (0: none over 50)", "ms", [longest])


def weight(data: Path) -> Iterator[Row]:
    """The first load, with an empty cache."""
    with upstream(0, 5000) as base_url, desk(base_url, data) as ours, _browser(ours) as context:
        page = context.new_page()
        sizes: list[float] = []
        session: CDPSession = context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(f"{ours.url}/threads/", wait_until="networkidle")
        yield Row("first load", "bytes", [sum(sizes)], target="≤ 40,000")
        yield Row("requests of the first load", "", [len(sizes)], target="≤ 5")
        seen = [page.evaluate(SEEN)]
        yield Row("layout shift", "", [max(each["shift"] for each in seen)], target="0")
    with upstream(300, 5000) as base_url, desk(base_url, data) as ours, _browser(ours) as context:
        seen = []
        for _ in range(7):
            page = _signed_in(context.browser, ours).new_page()
            page.goto(f"{ours.url}/threads/", wait_until="networkidle")
            seen.append(page.evaluate(SEEN))
        paint = [each["paint"] for each in seen]
        for name, what, target in (
            ("document", "largest paint at 300 ms upstream, beside the document's load", "< 1.1"),
            ("arrived", "the same, beside the arrival of its last byte", ""),
        ):
            times = [each[name] for each in seen]
            ratio = statistics.median(a / b for a, b in zip(paint, times, strict=True))
            yield Row(what, "ms", paint, times, ratio, target)


@contextmanager
def _browser(served: Served) -> Iterator[BrowserContext]:
    """A browser of its own, signed in."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        yield _signed_in(browser, served)
        browser.close()


def _signed_in(browser: Browser | None, served: Served) -> BrowserContext:
    """A profile with an empty cache, in which somebody is signed in."""
    assert browser
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC")
    pairs = (pair.split("=", 1) for pair in served.cookie.split("; "))
    context.add_cookies([{"name": name, "value": value, "url": served.url} for name, value in pairs])
    return context


def _press(page: Page, rel: str, rest: float = 500) -> float:
    page.evaluate("window.painted = null")
    box = page.locator(f"a[rel={rel}]").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(rest)
    page.mouse.down()
    page.mouse.up()
    return _painted(page)


def _enter(page: Page, rel: str) -> float:
    page.evaluate("window.painted = null")
    page.locator(f"a[rel={rel}]").focus()
    page.wait_for_timeout(500)
    page.keyboard.press("Enter")
    return _painted(page)


def _painted(page: Page) -> float:
    """Polls from outside: what Playwright polls with inside, the content security policy forbids."""
    for _ in range(500):
        painted = page.evaluate("window.painted")
        if painted is not None:
            return float(painted)
        page.wait_for_timeout(20)
    raise RuntimeError("no new page was painted")
