"""Browser benchmarks: from the click to the paint, loading a long conversation, and the first load."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Response, sync_playwright

from benchmarks.load import WrongReplyError
from benchmarks.results_table import ResultRow
from benchmarks.server import LONG
from benchmarks.serving import Served
from benchmarks.stage import SOME, Stage
from threads.chatkit import ApiConfig, ChatKitClient

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync"""

# From the time stamp of the event to the first frame with the new rows.
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


MEDIUM = 11
"""Position in the list of a conversation of some hundred items."""

LIST = "[...document.querySelectorAll('tr[data-thread-id]')].map((each) => each.dataset.threadId)"
ITEMS = "[...document.querySelectorAll('li.item')].map((each) => each.id)"


def turning(stage: Stage) -> Iterator[ResultRow]:
    """Next and Previous at 300 ms upstream, after half a second of hover or focus."""
    rest = stage.pick(500, 50)
    with stage.upstream(300, SOME) as base_url, stage.desk(base_url) as ours, _browser(ours) as context:
        turned = _Pager(stage, _opened(context, f"{ours.url}/threads/"))
        forth = [turned.press("next", rest) for _ in range(stage.pick(15, 2))]
        yield ResultRow("Next, by mouse, press to painted", "ms", forth, target="≤ 50")
        back = [turned.press("prev", rest) for _ in range(stage.pick(12, 1))]
        yield ResultRow("Previous, by mouse", "ms", back, target="≤ 50")
        keys = [turned.enter("next", rest) for _ in range(stage.pick(12, 1))]
        yield ResultRow("Next, by keyboard", "ms", keys, target="≤ 50")
        turned = _Pager(stage, _opened(context, f"{ours.url}/threads/"))
        yield ResultRow("Next, pressed at once", "ms", [turned.press("next") for _ in range(stage.pick(8, 1))])
    with stage.upstream(0, SOME) as base_url, stage.desk(base_url) as ours, _browser(ours) as context:
        page = _opened(context, f"{ours.url}/threads/?limit=100")
        turned = _Pager(stage, page, 100)
        for _ in range(stage.pick(8, 1)):
            turned.press("next", rest)
        longest = max([0.0, *page.evaluate("window.longTasks")])
        yield ResultRow("longest task while turning pages of 100 (0: none over 50)", "ms", [longest], target="≤ 50")


def reading(stage: Stage) -> Iterator[ResultRow]:
    """Load all of a conversation of 10,000 items."""
    (thread,) = stage.ids(1, SOME, begin=stage.pick(LONG, MEDIUM))
    with stage.upstream(0, SOME) as base_url, stage.desk(base_url) as ours, _browser(ours) as context:
        client = ChatKitClient(ApiConfig("sk-bench", base_url))
        last = client.list_items(thread, order="desc", limit=1).rows[0].id
        client.close()
        page = _opened(context, f"{ours.url}/threads/{thread}/")
        page.keyboard.press("/")  # opens the form that it stands in
        page.locator("#all").wait_for()
        started = time.perf_counter()
        page.locator("#all").click()
        page.locator("#earlier", has_text="The beginning: all").wait_for(timeout=120_000)
        took = time.perf_counter() - started
        found, longest = page.evaluate(ITEMS), max([0.0, *page.evaluate("window.longTasks")])
        number = len(set(found))
        if found[-1] != f"item-{last}" or number != len(found) or number <= 100 or number != stage.pick(10_000, number):
            raise WrongReplyError(f"{number:,} items of {len(found):,} places, the last of them {found[-1]}")
        yield ResultRow(f"Load all of {number:,} items", "s", [took])
        yield ResultRow("the longest task meanwhile (0: none over 50)", "ms", [longest])


def weight(stage: Stage) -> Iterator[ResultRow]:
    """The first load with an empty cache."""
    with stage.upstream(0, SOME) as base_url, stage.desk(base_url) as ours, _browser(ours) as context:
        page = context.new_page()
        sizes: list[float] = []
        session: CDPSession = context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        seen = [_first_load(stage, page, ours)]
        yield ResultRow("first load", "bytes", [sum(sizes)], target="≤ 40,000")
        yield ResultRow("requests of the first load", "", [len(sizes)], target="≤ 5")
        yield ResultRow("layout shift", "", [max(each["shift"] for each in seen)], target="0")
    with stage.upstream(300, SOME) as base_url, stage.desk(base_url) as ours, _browser(ours) as context:
        seen = [_first_load(stage, _signed_in(context.browser, ours).new_page(), ours) for _ in range(stage.pick(7, 1))]
        paint = [each["paint"] for each in seen]
        for name, what, target in (
            ("document", "largest paint at 300 ms upstream, beside the document's load", "< 1.1"),
            ("arrived", "the same, beside the arrival of its last byte", ""),
        ):
            times = [each[name] for each in seen]
            ratio = statistics.median(a / b for a, b in zip(paint, times, strict=True))
            yield ResultRow(what, "ms", paint, times, ratio, target)


def _first_load(stage: Stage, page: Page, served: Served) -> dict[str, float]:
    response = page.goto(f"{served.url}/threads/", wait_until="networkidle")
    _see(page, response, stage.ids(20, SOME))
    seen: dict[str, float] = page.evaluate(SEEN)
    if not seen["paint"]:
        raise WrongReplyError("nothing was painted")
    return seen


def _see(page: Page, response: Response | None, ids: Sequence[str]) -> None:
    """Raises `WrongReplyError` if the list has other rows, or the status is not 200."""
    found = page.evaluate(LIST)
    if (response and response.status != 200) or found != list(ids):
        raise WrongReplyError(f"{page.url}: {len(found)} rows instead of {len(ids)}, or others")


def _opened(context: BrowserContext, url: str) -> Page:
    """Opens the page and installs the timer for clicks."""
    page = context.new_page()
    response = page.goto(url)
    if response is None or response.status != 200:
        raise WrongReplyError(f"{url}: status {response and response.status} instead of 200")
    page.evaluate(PRESS_TO_PAINT)
    return page


class _Pager:
    """Pages through a list and checks the rows of each page."""

    def __init__(self, stage: Stage, page: Page, limit: int = 20) -> None:
        self._stage, self._page, self._limit = stage, page, limit
        self._number = 0
        self._see()

    def press(self, rel: str, rest: float = 0) -> float:
        """Milliseconds from mouse down to the paint, after hovering for `rest` milliseconds."""
        self._page.evaluate("window.painted = null")
        box = self._page.locator(f"a[rel={rel}]").bounding_box()
        assert box
        self._page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self._page.wait_for_timeout(rest)
        self._page.mouse.down()
        self._page.mouse.up()
        return self._turned(rel)

    def enter(self, rel: str, rest: float) -> float:
        self._page.evaluate("window.painted = null")
        self._page.locator(f"a[rel={rel}]").focus()
        self._page.wait_for_timeout(rest)
        self._page.keyboard.press("Enter")
        return self._turned(rel)

    def _turned(self, rel: str) -> float:
        took = _painted(self._page)
        self._number += 1 if rel == "next" else -1
        self._see()
        return took

    def _see(self) -> None:
        _see(self._page, None, self._stage.ids(self._limit, SOME, begin=self._number * self._limit))


@contextmanager
def _browser(served: Served) -> Iterator[BrowserContext]:
    """A new browser, signed in."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        yield _signed_in(browser, served)
        browser.close()


def _signed_in(browser: Browser | None, served: Served) -> BrowserContext:
    """A signed-in profile with an empty cache."""
    assert browser
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC")
    pairs = (pair.split("=", 1) for pair in served.cookie.split("; "))
    context.add_cookies([{"name": name, "value": value, "url": served.url} for name, value in pairs])
    return context


def _painted(page: Page) -> float:
    """Polls from outside, since the content security policy forbids Playwright's polling inside the page."""
    for _ in range(500):
        painted = page.evaluate("window.painted")
        if painted is not None:
            return float(painted)
        page.wait_for_timeout(20)
    raise RuntimeError("no new page was painted")
