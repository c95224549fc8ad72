"""The items of a conversation: their addresses, and loading them as one reads, all of them, and past faults."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Stage
from tests.browser.steps import following, settled
from tests.browser.talking import (
    DRAWN,
    LONG,
    TO_THE_END,
    Patchy,
    find_box,
    item,
    item_ids,
    landed,
    load_all,
    more,
    open_find,
    reads,
    said,
    shown_items,
    talk,
    to_the_end,
)
from tests.browser.watching import Watch


@pytest.fixture
def upstream(stage: Stage) -> Patchy:
    patchy = Patchy()
    stage.playing = patchy
    return patchy


def test_a_conversation_opens_at_its_end(page: Page, upstream: Patchy, watch: Watch) -> None:
    """The last of 10,000 items is on the screen with the first load, and nothing moves afterwards."""
    page.add_init_script(
        """window.shifts = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) window.shifts += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    long = list(upstream.thread_ids())[LONG]
    ids = item_ids(upstream, long)
    page.goto(f"/threads/{long}/")
    reads(page, ids[-50:])
    expect(item(page, ids[-1])).to_be_in_viewport()
    page.wait_for_load_state("networkidle")
    page.evaluate(DRAWN)
    expect(item(page, ids[-1])).to_be_in_viewport()
    assert page.evaluate("window.shifts") == 0
    assert len(watch.documents()) == 1
    page.reload()
    expect(item(page, ids[-1])).to_be_in_viewport()


def test_home_and_end_lead_to_the_ends(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 400)
    page.goto(f"/threads/{thread_id}/?at={ids[200]}#item-{ids[200]}")
    landed(page, ids[200])
    page.keyboard.press("Shift+Home")
    expect(page).to_have_url(re.compile("at="))
    page.keyboard.press("Home")
    expect(page.locator("#items .item").first).to_have_id(f"item-{ids[0]}")
    expect(page).to_have_url(re.compile("from=beginning"))
    page.wait_for_load_state()  # of another page, with its keys
    page.keyboard.press("End")
    expect(item(page, ids[-1])).to_be_in_viewport()
    page.wait_for_load_state()
    page.keyboard.press("Home")
    expect(item(page, ids[0])).to_be_in_viewport()
    to_the_end(page)
    expect(page.locator("#items .item").nth(149)).to_be_attached()
    page.keyboard.press("Home")
    expect(item(page, ids[0])).to_be_in_viewport()
    assert len(shown_items(page)) >= 150, "what was loaded is still there"


def test_the_address_of_an_item_leads_to_it(signed_in: Open, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 120)
    page = signed_in(f"/threads/{thread_id}/?from=beginning", permissions=["clipboard-read", "clipboard-write"])
    item(page, ids[20]).locator(".who a").click()
    expect(page.locator("#announcer")).to_have_text("Copied the address of this item.")
    landed(page, ids[20])
    assert shown_items(page)[:20] == ids[:20], "what was read before has gone"
    address = page.evaluate("navigator.clipboard.readText()")
    assert page.url == address
    other = page.context.new_page()
    other.goto(address)
    landed(other, ids[20])
    assert shown_items(other)[0] == ids[10], "with some of what came before"


@pytest.mark.parametrize("address", ["?at={}#item-{}", "#item-{}"], ids=["with at", "hash alone"])
def test_an_item_far_down(page: Page, upstream: Patchy, address: str) -> None:
    long = list(upstream.thread_ids())[LONG]
    ids = item_ids(upstream, long)
    page.goto(f"/threads/{long}/" + address.format(ids[6999], ids[6999]))
    landed(page, ids[6999])
    assert shown_items(page) == ids[6989 : 6989 + len(shown_items(page))]
    expect(more(page)).to_contain_text("items from the middle; more to come")
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator("#items .item").first).to_have_id(f"item-{ids[6889]}")
    assert shown_items(page)[:140] == ids[6889:7029]
    page.get_by_role("link", name="Beginning of the conversation").click()
    expect(page.locator("#items .item").first).to_have_id(f"item-{ids[0]}")
    expect(page.get_by_role("link", name="Earlier messages")).to_have_count(0)
    expect(more(page)).to_contain_text(re.compile("[0-9]+ loaded, more to come"))


def test_a_hash_in_an_open_page_leads_to_its_item(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 300)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    page.evaluate("hash => { location.hash = hash; }", f"item-{ids[30]}")
    landed(page, ids[30])
    page.evaluate("hash => { location.hash = hash; }", f"item-{ids[280]}")
    landed(page, ids[280])
    assert shown_items(page)[0] == ids[270]


def test_earlier_items_up_to_the_first(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 330)
    page.goto(f"/threads/{thread_id}/?at={ids[310]}")
    for start in (200, 100, 0):
        page.get_by_role("link", name="Earlier messages").click()
        reads(page, ids[start:])
    expect(page.get_by_role("link", name="Earlier messages")).to_have_count(0)
    expect(page.locator("#earlier")).to_contain_text("The beginning: all 330.")
    page.goto(f"/threads/{thread_id}/?at={ids[100]}")
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator("#earlier")).to_contain_text("The beginning of the conversation")


@pytest.mark.parametrize("focus", [False, True], ids=["by pointer", "by key"])
def test_earlier_items_leave_those_in_view_where_they_are(page: Page, upstream: Patchy, focus: bool) -> None:
    thread_id, ids = talk(upstream, 400)
    page.goto(f"/threads/{thread_id}/")
    earlier = page.get_by_role("link", name="Earlier messages")
    for first in (350, 250, 150, 50):
        earlier.scroll_into_view_if_needed()
        before = item(page, ids[first]).bounding_box()
        if focus:
            earlier.press("Enter")
        else:
            earlier.click()
        reads(page, ids[max(first - 100, 0) :])
        expect(item(page, ids[first])).to_be_focused()
        page.evaluate(DRAWN)
        after = item(page, ids[first]).bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) <= 1
    page.keyboard.press("k")
    expect(item(page, ids[49])).to_be_focused()


def test_an_item_that_is_gone(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(404)
    thread_id, ids = talk(upstream, 10)
    page.goto(f"/threads/{thread_id}/?at=cti_gone#item-cti_gone")
    alert = more(page).get_by_role("alert")
    expect(alert).to_contain_text("This message is gone")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.locator("#main").get_by_role("link", name="beginning").click()
    reads(page, ids)


def test_trying_again_puts_no_page_into_the_page(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(404, 502)
    thread_id, ids = talk(upstream, 60)
    upstream.hole = ids[29]
    page.goto(f"/threads/{thread_id}/?at={ids[30]}")
    again = page.get_by_role("link", name="Try again")
    again.click()
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    upstream.hole = None
    again.click()
    reads(page, ids[20:])
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("banner")).to_have_count(1)


@pytest.mark.parametrize("hash_", ["#item-%", "#item-%E0%A4%A", "#item-", "#item-nobody%20here"])
def test_a_hash_that_nobody_made(page: Page, upstream: Patchy, watch: Watch, hash_: str) -> None:
    watch.expect_status(404)
    thread_id, ids = talk(upstream, 10)
    page.goto(f"/threads/{thread_id}/{hash_}")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.goto(f"/threads/{thread_id}/")
    reads(page, ids)


def test_items_load_by_themselves_near_the_end(page: Page, upstream: Patchy, watch: Watch) -> None:
    thread_id, ids = talk(upstream, 400)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    expect(more(page)).to_contain_text("50 loaded, more to come")
    page.wait_for_timeout(300)
    assert shown_items(page) == ids[:50], "far from the end nothing more is asked for"
    for count in (150, 250, 350):
        to_the_end(page)
        expect(page.locator("#items .item").nth(count - 1)).to_be_attached()
    to_the_end(page)
    reads(page, ids)
    expect(more(page)).to_have_text(re.compile(r"^\s*The end: all 400\.\s*$"))
    assert len(watch.documents()) == 1


def test_the_button_does_the_same(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 400)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    for count in (150, 250, 350, 400):
        page.get_by_role("link", name="Later messages").dispatch_event("click")  # where it stands, unscrolled
        reads(page, ids[:count])
        settled(page)
        if count < 400:
            expect(more(page)).to_contain_text(f"{count} loaded, more to come")
    expect(more(page)).to_contain_text("The end: all 400.")


@pytest.mark.parametrize("latency", [0, 80])
def test_scrolling_and_clicking_at_once(page: Page, upstream: Patchy, latency: int) -> None:
    thread_id, ids = talk(upstream, 700)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    upstream.latency_ms = latency
    page.evaluate(
        f"async () => {{ const toTheEnd = {TO_THE_END};"
        """
          const until = performance.now() + 8000;
          let link = document.querySelector("#next-items");
          for (; link && performance.now() < until; link = document.querySelector("#next-items")) {
            toTheEnd();
            if ("htmx-internal-data" in link) for (let clicks = 0; clicks < 3; clicks++) link.click();
            await new Promise((done) => setTimeout(done, 17));
          }
        }"""
    )
    reads(page, ids)
    expect(more(page)).to_contain_text("The end: all 700.")


def test_load_all_while_items_are_on_their_way(page: Page, upstream: Patchy, watch: Watch) -> None:
    """The press that comes while a page loads by itself, stopped and pressed again: still each item once."""
    watch.expect_message("htmx:afterRequest", "htmx:sendAbort")
    thread_id, ids = talk(upstream, 700)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    upstream.latency_ms = 150
    for _ in range(3):
        to_the_end(page)
        page.wait_for_timeout(40)
        page.locator("#all").dispatch_event("click")
        page.wait_for_timeout(220)
        page.locator("#all").dispatch_event("click")
        page.wait_for_timeout(30)
    upstream.latency_ms = 0
    page.wait_for_timeout(300)
    shown = shown_items(page)
    assert shown == ids[: len(shown)]
    if page.locator("#all").get_attribute("hidden") is None:
        load_all(page)
    reads(page, ids)


@pytest.mark.parametrize(("address", "place"), [("", "#earlier"), ("?from=beginning", "#more")], ids=["up", "down"])
def test_all_of_ten_thousand(page: Page, upstream: Patchy, address: str, place: str) -> None:
    long = list(upstream.thread_ids())[LONG]
    ids = item_ids(upstream, long)
    page.goto(f"/threads/{long}/{address}")
    load_all(page)
    expect(page.locator("#items .item").nth(400)).to_be_attached()
    page.locator("#stop").click()
    expect(page.locator("#all")).to_be_visible()
    page.wait_for_timeout(150)
    stopped = len(shown_items(page))
    assert 400 < stopped < 10_000
    loaded = f"{stopped:,} loaded, more to come" if address else f"The latest {stopped:,} are loaded"
    expect(page.locator(place)).to_contain_text(loaded)
    page.locator("#all").click()
    expect(page.locator("#loading")).to_be_visible()
    expect(page.locator("#loading")).to_be_hidden(timeout=30_000)
    end = "The end: all 10,000." if address else "The beginning: all 10,000."
    expect(page.locator(place)).to_contain_text(end)
    expect(page.locator("#announcer")).to_have_text(end)
    assert shown_items(page) == ids
    expect(page.locator("#items")).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_load_all_can_be_stopped(page: Page, upstream: Patchy, by: str) -> None:
    """By whoever began it, from where they are: the button neither runs away nor loses the focus."""
    thread_id = talk(upstream, 2000)[0]
    page.goto(f"/threads/{thread_id}/")
    upstream.latency_ms = 100
    open_find(page)
    button = page.get_by_role("button", name="Load all")
    if by == "keyboard":
        button.press("Enter")
    else:
        button.click()
    expect(page.locator("#items .item").nth(200)).to_be_attached()
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_in_viewport(timeout=1000)
    if by == "keyboard":
        expect(stop).to_be_focused(timeout=1000)
        page.keyboard.press("Enter")
    else:
        stop.click()
    expect(page.get_by_role("button", name="Load all")).to_be_visible()
    assert len(shown_items(page)) < 2000


@pytest.mark.parametrize("way", ["Earlier messages", "Load all"])
def test_a_fault_on_the_way_up_keeps_what_is_there(page: Page, upstream: Patchy, watch: Watch, way: str) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 260)
    upstream.hole = ids[110]
    page.goto(f"/threads/{thread_id}/")
    if way == "Load all":
        load_all(page)
        reads(page, ids[110:])
    else:
        page.get_by_role("link", name=way).click()
        reads(page, ids[110:])
        page.get_by_role("link", name=way).click()
    alert = page.locator("#earlier").get_by_role("alert")
    expect(alert).to_contain_text("OpenAI's answer isn't valid")
    expect(alert).to_contain_text("The 150 items below stay as they are.")
    reads(page, ids[110:])
    upstream.hole = None
    page.get_by_role("link", name="Go on from here").click()
    reads(page, ids[10:])
    load_all(page)
    reads(page, ids)


@pytest.mark.parametrize("way", ["Later messages", "Load all"])
def test_a_fault_half_way_keeps_what_is_there(page: Page, upstream: Patchy, watch: Watch, way: str) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 450)
    upstream.hole = ids[249]
    page.goto(f"/threads/{thread_id}/?from=beginning")
    if way == "Load all":
        load_all(page)
    else:
        for count in (150, 250):
            page.get_by_role("link", name=way).dispatch_event("click")
            reads(page, ids[:count])
        page.get_by_role("link", name=way).dispatch_event("click")
    alert = more(page).get_by_role("alert")
    expect(alert).to_contain_text("OpenAI's answer isn't valid")
    expect(alert).to_contain_text("The 250 items above stay as they are.")
    reads(page, ids[:250])
    page.get_by_role("link", name="Go on from here").click()  # too early
    settled(page)
    expect(alert).to_be_visible()
    reads(page, ids[:250])
    upstream.hole = None
    page.get_by_role("link", name="Go on from here").click()
    expect(page.locator("#items .item").nth(349)).to_be_attached()
    to_the_end(page)
    reads(page, ids)
    expect(more(page)).to_contain_text("The end: all 450.")


def test_load_all_goes_on_after_a_fault(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 800)
    upstream.hole = ids[249]
    page.goto(f"/threads/{thread_id}/?from=beginning")
    load_all(page)
    again = page.get_by_role("link", name="Go on from here")
    expect(again).to_be_visible()
    upstream.hole = None
    again.click()
    load_all(page)
    reads(page, ids)


def test_the_desk_out_of_reach_half_way(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_message("net::ERR_FAILED", "htmx:afterRequest", "htmx:sendError")
    thread_id, ids = talk(upstream, 250)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    page.route("**/threads/**", lambda route: route.abort())
    load_all(page)
    expect(page.locator("#offline")).to_be_visible()
    assert shown_items(page) == ids[:50]
    page.unroute("**/threads/**")
    load_all(page)
    reads(page, ids)
    expect(page.locator("#offline")).to_be_hidden()


def test_items_that_come_while_one_reads(page: Page, upstream: Patchy) -> None:
    thread_id = talk(upstream, 60)[0]
    page.goto(f"/threads/{thread_id}/?from=beginning")
    upstream.add_items(thread_id, [said("One more thing.")])
    to_the_end(page)
    reads(page, item_ids(upstream, thread_id))
    expect(more(page)).to_contain_text("The end: all 61.")


def test_without_javascript(signed_in: Open, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 420)
    page = signed_in(f"/threads/{thread_id}/?from=beginning", java_script_enabled=False)
    seen: list[str] = []
    while True:
        seen += page.locator("#items .item").evaluate_all("items => items.map(item => item.id.slice(5))")
        if not following(page).count():
            break
        expect(more(page)).to_contain_text(f"{len(seen)} loaded, more to come")
        following(page).click()
        page.wait_for_load_state()  # a page that is half there has no link yet
    assert seen == ids
    expect(more(page)).to_contain_text("The end: all 420.")
    for name in ("Load all", "Print", "Copy thread id", "Find in this", "Copy link", "Keyboard shortcuts"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(find_box(page)).to_have_count(0)
    expect(page.locator(".item .who a").first).to_have_attribute("title", re.compile(r"\d\d:\d\d:\d\d"))


def test_without_javascript_a_fault_half_way(signed_in: Open, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 120)
    upstream.hole = ids[49]
    page = signed_in(f"/threads/{thread_id}/?from=beginning", java_script_enabled=False)
    following(page).click()
    expect(page.get_by_role("alert").filter(has_text="OpenAI's answer isn't valid")).to_be_visible()
    upstream.hole = None
    page.get_by_role("link", name="Try again").click()
    reads(page, ids[50:])
