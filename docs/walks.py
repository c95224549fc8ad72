"""Walks through the desk as a support agent and prints what each walk costs: `python docs/walks.py`. Needs Chromium.

Each figure has the bound that the design promises; the exit status is 1 if one is missed. The desk is the demo.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.chromium import FLAGS, find  # noqa: E402
from tests.support.serving import Desk, serve  # noqa: E402

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

_WHOLE_ROWS = """() => {
  const edge = (element) => element?.checkVisibility() ? element.getBoundingClientRect() : null;
  const box = document.getElementById("rows").getBoundingClientRect();
  const top = Math.max(0, box.top, edge(document.querySelector("#threads thead"))?.bottom ?? 0);
  const bottom = Math.min(innerHeight, edge(document.querySelector(".foot"))?.top ?? innerHeight);
  return [...document.querySelectorAll("#threads tr[data-thread-id]")]
    .map((row) => row.getBoundingClientRect())
    .filter((row) => row.top >= top - 1 && row.bottom <= bottom + 1).length;
}"""

_FIRST_ROW_TOP = "document.querySelector('#threads tr[data-thread-id]').getBoundingClientRect().top"

_CONTROLS_ABOVE = """() => {
  const top = document.querySelector("#threads tr[data-thread-id]").getBoundingClientRect().top;
  return [...document.querySelectorAll("a[href], button, input, select, summary")].filter((each) => {
    const box = each.getBoundingClientRect();
    return each.checkVisibility({ visibilityProperty: true }) && box.width > 4 && box.bottom <= top;
  }).length;
}"""

_FIRST_MESSAGE_TOP = "document.querySelector('#items .item').getBoundingClientRect().top"

_LISTED = "rows => rows.map((row) => row.dataset.threadId)"

_WATCH_SHIFTS = """
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""


class Walks:
    """Figures of the walks, with the bounds that they must keep."""

    def __init__(self, browser: Browser, desk: Desk) -> None:
        self._browser, self._desk = browser, desk
        self.missed = 0

    def say(self, what: str, figure: float, bound: float, *, least: bool = False, unit: str = "") -> None:
        """Prints a figure beside the most, or the `least`, that it may be."""
        met = figure >= bound if least else figure <= bound
        self.missed += not met
        sign = "≥" if least else "≤"
        print(f"{'' if met else 'MISSED '}{what}: {figure:,.6g}{unit} ({sign} {bound:,.6g}{unit})", flush=True)

    @contextmanager
    def page(self, size: dict[str, int]) -> Iterator[Page]:
        """The list, in a browser that has been at the desk for the first time."""
        options: dict[str, Any] = {"viewport": size, "timezone_id": "Europe/London", "base_url": self._desk.url}
        with self._browser.new_context(**options) as context:
            page = context.new_page()
            page.add_init_script(_WATCH_SHIFTS)
            page.goto("/")
            page.get_by_role("button", name="Open the demo").click()
            expect(page.get_by_role("link", name="Next", exact=True)).to_be_visible()
            page.wait_for_load_state("networkidle")
            yield page

    def density(self) -> None:
        with self.page(WIDE) as page:
            self.say("rows whole at 1440 × 900", page.evaluate(_WHOLE_ROWS), 20, least=True)
            self.say("first row, from the top", page.evaluate(_FIRST_ROW_TOP), 148, unit=" px")
            self.say("controls above the first row", page.evaluate(_CONTROLS_ABOVE), 20)
            self.say("layout shift of the list", page.evaluate("window.shifted"), 0)
            page.locator("a.title").first.click()
            expect(page.locator("#items .item").first).to_be_visible()
            self.say("rows whole beside a conversation", page.evaluate(_WHOLE_ROWS), 12, least=True)
        with self.page(PHONE) as page:
            self.say("rows whole at 390 × 844", page.evaluate(_WHOLE_ROWS), 10, least=True)

    def customer_to_reason(self) -> None:
        with self.page(WIDE) as page:
            page.keyboard.press("/")
            page.keyboard.type("kenji.kaya2@mail.example")
            page.keyboard.press("Enter")
            page.wait_for_url("**user=kenji**")
            expect(page.locator("tr:focus-within")).to_have_count(1)
            tabs = 0
            while not page.evaluate("document.activeElement.closest('#threads') !== null") and tabs < 50:
                page.keyboard.press("Tab")
                tabs += 1
            self.say("Tabs from the box to the first result", tabs, 0)
            page.locator(".strip").get_by_role("link", name="locked").click()
            expect(page.locator("#threads tr.active")).to_have_count(0)
            reason = page.locator("#threads tr.locked .why").first
            box = reason.bounding_box()
            self.say("the locked thread's reason, from the top", box["y"] if box else 10_000, 900, unit=" px")
            page.locator("#threads tr.locked a.title").first.click()
            expect(page.locator("#items .item").first).to_be_visible()
            self.say("first message, at 1440", page.evaluate(_FIRST_MESSAGE_TOP), 270, unit=" px")
            address = page.url
        with self.page(PHONE) as page:
            page.goto(address)
            page.wait_for_load_state("networkidle")
            page.evaluate("scrollTo(0, 0)")
            self.say("first message, at 390", page.evaluate(_FIRST_MESSAGE_TOP), 220, unit=" px")

    def end_of_a_long_one(self) -> None:
        with self.page(WIDE) as page:
            page.get_by_role("link", name="A very long conversation").click()
            expect(page.locator("#items .item").last).to_be_in_viewport()
            presses = 0
            self.say("presses from opening to the last of 10,000 items", presses, 0)

    def triage(self) -> None:
        with self.page(WIDE) as page:
            page.locator("#viewbar").get_by_role("link", name="Locked").click()
            expect(page.locator("#threads tr.active")).to_have_count(0)
            self.say("presses to the locked threads", 1, 1)
            listed = page.locator("#threads tr[data-thread-id]").evaluate_all(_LISTED)
            page.locator("a.title").first.click()
            expect(page.locator("#pane")).to_have_attribute("data-thread-id", listed[0])
            for expected in listed[1:8]:
                page.keyboard.press("]")
                expect(page.locator("#pane")).to_have_attribute("data-thread-id", expected)
            page.keyboard.press("u")
            page.wait_for_url("**/threads/?status=locked**")
            page.wait_for_load_state("networkidle")
            back = page.locator("#threads tr[data-thread-id]").evaluate_all(_LISTED)
            self.say("threads of the list that are not there after the way back", len(set(listed) - set(back)), 0)
            focused = page.evaluate("document.activeElement.closest('tr')?.dataset.threadId ?? ''")
            self.say("rows between the thread one came from and the focus", abs(back.index(focused) - 7), 0)

    def weight(self) -> None:
        for what, size, path in (("list", WIDE, "/threads/"), ("conversation", WIDE, None)):
            with self.page(size) as page:
                address = path or page.locator("#threads tr.active a.title").first.get_attribute("href") or ""
                cookies = page.context.cookies()
            options: dict[str, Any] = {"base_url": self._desk.url, "viewport": size, "timezone_id": "Europe/London"}
            with self._browser.new_context(**options) as context:
                context.add_cookies(cookies)  # type: ignore[arg-type]
                page, weights = context.new_page(), list[float]()
                session = context.new_cdp_session(page)
                session.on("Network.loadingFinished", lambda event, to=weights: to.append(event["encodedDataLength"]))
                session.send("Network.enable")
                response = page.goto(address)
                assert response is not None
                assert response.status == 200
                page.wait_for_load_state("networkidle")
                self.say(f"first load of a {what}", sum(weights) / 1000, 40, unit=" kB")


def main() -> None:
    chromium = find()
    if chromium is None:
        sys.exit("Chromium not found. Install it (apt-get install chromium) or set CHROMIUM to its path.")
    with (
        tempfile.TemporaryDirectory() as data,
        serve(Path(data) / "demo", {}) as desk,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=FLAGS) as browser,
    ):
        desk.manage("archive", "sync")
        walks = Walks(browser, desk)
        for walk in (walks.density, walks.customer_to_reason, walks.end_of_a_long_one, walks.triage, walks.weight):
            walk()
    sys.exit(walks.missed > 0)


if __name__ == "__main__":
    main()
