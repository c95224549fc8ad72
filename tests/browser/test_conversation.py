"""Reading a conversation: arriving in it, going on in it, finding in it, taking it along."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from threads.emulator import Fault

from .conftest import Open, Stage
from .serving import NAME, PASSWORD
from .steps import focused, following, rows, settled
from .talking import (
    EVERY_KIND,
    LONG,
    OTHER_SPELLING,
    Patchy,
    called,
    item,
    item_ids,
    items,
    marked,
    more,
    reads,
    said,
    shown_items,
    talk,
    thread,
    to_the_end,
)
from .watching import Watch

_MORNING = int(datetime(2026, 11, 2, 10, 0, tzinfo=UTC).timestamp())
_HOUR = 3600


@pytest.fixture
def upstream(stage: Stage) -> Patchy:
    patchy = Patchy()
    stage.playing = patchy
    return patchy


def _find(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Find in this conversation")


# Arriving


def test_a_row_opens_its_conversation(signed_in: Open, upstream: Patchy) -> None:
    page = signed_in("/threads/", permissions=["clipboard-read", "clipboard-write"])
    thread_id = list(upstream.thread_ids())[EVERY_KIND]
    about = thread(upstream, thread_id)
    rows(page).filter(has_text="Every kind of item").first.get_by_role("link", name="Every kind of item").click()
    expect(page).to_have_url(re.compile(f"/threads/{thread_id}/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Every kind of item")
    expect(page.locator(".about .status")).to_contain_text("Locked")
    expect(page.locator(".about .status")).to_contain_text(about["status"]["reason"])
    expect(page.locator(".about time")).to_have_attribute(
        "datetime", datetime.fromtimestamp(about["created_at"], UTC).isoformat()
    )
    page.locator(".about").get_by_role("button", name="Copy thread id").click()
    expect(page.locator("#announcer")).to_have_text(f"Copied {thread_id}")
    assert page.evaluate("navigator.clipboard.readText()") == thread_id
    page.get_by_title("All threads of this user").click()
    expect(page).to_have_url(f"/threads/?user={quote(about['user'])}")
    expect(rows(page)).to_have_count(len(list(upstream.thread_ids(user=about["user"]))))


def test_the_margin_has_the_other_threads_of_the_user(page: Page, upstream: Patchy) -> None:
    user = upstream.users()[0]
    theirs = list(upstream.thread_ids(user=user))
    page.goto(f"/threads/{theirs[2]}/")
    margin = page.get_by_role("complementary", name="Threads of this user")
    links = margin.locator("li a")
    expect(links.first).to_be_visible()
    leads = [re.search(r"/threads/([^/]+)/", link.get_attribute("href") or "") for link in links.all()]
    shown = [found.group(1) for found in leads if found]
    assert shown == [each for each in theirs[:20] if each != theirs[2]]
    links.nth(3).click()
    expect(page.locator("#main")).to_have_attribute("data-thread-id", shown[3])


def test_a_thread_that_is_the_only_one_says_so(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{upstream.arrive(1, 'somebody new')[0]}/")
    expect(page.get_by_role("complementary")).to_contain_text("This is the only one.")


def test_the_margin_survives_a_fault(page: Page, upstream: Patchy) -> None:
    def fail(route: Route) -> None:
        upstream.fault = Fault.HTML_200
        route.continue_()

    ids = list(upstream.thread_ids(user=upstream.users()[0]))
    page.route("**/others/**", fail)
    page.goto(f"/threads/{ids[0]}/")
    expect(page.get_by_role("complementary")).to_contain_text("the other threads can't be shown")
    expect(page.locator("#items .item").first).to_be_visible()


def test_oldest_first_in_both_spellings(page: Page, upstream: Patchy) -> None:
    ids = list(upstream.thread_ids())
    seen = []
    for place in (EVERY_KIND, OTHER_SPELLING):
        page.goto(f"/threads/{ids[place]}/")
        reads(page, item_ids(upstream, ids[place]))
        expect(more(page)).to_have_text(re.compile(r"^\s*The end: all 35\.\s*$"))
        seen.append(page.locator("#items .item").evaluate_all("items => items.map(item => item.className)"))
        times = page.locator("#items .item time").evaluate_all("times => times.map(time => time.dateTime)")
        assert times == sorted(times)
    assert seen[0] == seen[1]
    kinds = {"user_message", "assistant_message", "tool_call", "tasks", "drawn", "unknown"}
    assert {name.split()[1] for name in seen[0]} == kinds


def test_days_and_pauses_divide_the_items(page: Page, upstream: Patchy) -> None:
    """Also where a day or a pause falls between two pages of items, and never a second time."""
    thread_id = next(upstream.thread_ids())
    starts = [*(60 * minute for minute in range(50)), 3 * _HOUR, 3 * _HOUR + 60, 24 * _HOUR]
    upstream.set_items(thread_id, [said("Hello", created_at=_MORNING + after) for after in starts])
    page.goto(f"/threads/{thread_id}/")
    to_the_end(page)
    expect(page.locator("#items .item")).to_have_count(len(starts))
    expect(page.locator(".divider")).to_have_text(
        ["Monday, 2 Nov 2026", "2 hours later", "21 hours later", "Tuesday, 3 Nov 2026"]
    )
    expect(page.locator(".item").nth(50).locator(".divider")).to_have_text("2 hours later")


def test_exact_times_on_demand(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("Hello", created_at=_MORNING + 65)])
    page.goto(f"/threads/{thread_id}/")
    time = page.locator("#items .item time")
    exact, clock = time.get_by_text("2 Nov 2026, 10:01:05"), time.get_by_text("10:01", exact=True)
    expect(clock).to_be_visible()
    expect(exact).to_be_hidden()
    page.get_by_label("Exact times").check()
    expect(exact).to_be_visible()
    expect(clock).to_be_hidden()
    page.get_by_label("Exact times").uncheck()
    expect(exact).to_be_hidden()


def test_no_such_thread(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(404)
    page.goto("/threads/cthr_nowhere/")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such thread")
    page.get_by_role("link", name="Back to the list").click()
    expect(rows(page)).to_have_count(20)


def test_a_thread_without_items(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [])
    page.goto(f"/threads/{thread_id}/")
    expect(more(page)).to_contain_text("Nothing has been said in this thread.")


# The address of an item


def _landed(page: Page, item_id: str) -> None:
    expect(item(page, item_id)).to_be_focused()
    expect(item(page, item_id)).to_have_class(re.compile(r"\bhere\b"))
    expect(item(page, item_id).locator(".who")).to_be_in_viewport()
    expect(page.locator("#items .here")).to_have_count(1)


def test_the_address_of_an_item_leads_to_it(signed_in: Open, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 120)
    page = signed_in(f"/threads/{thread_id}/", permissions=["clipboard-read", "clipboard-write"])
    item(page, ids[20]).locator(".who a").click()
    expect(page.locator("#announcer")).to_have_text("Copied the address of this item.")
    _landed(page, ids[20])
    assert shown_items(page)[:20] == ids[:20], "what was read before has gone"
    address = page.evaluate("navigator.clipboard.readText()")
    assert page.url == address
    other = page.context.new_page()
    other.goto(address)
    _landed(other, ids[20])
    assert shown_items(other)[0] == ids[20]


@pytest.mark.parametrize("address", ["?at={}#item-{}", "#item-{}"], ids=["with at", "hash alone"])
def test_an_item_far_down(page: Page, upstream: Patchy, address: str) -> None:
    long = list(upstream.thread_ids())[LONG]
    ids = item_ids(upstream, long)
    page.goto(f"/threads/{long}/" + address.format(ids[6999], ids[6999]))
    _landed(page, ids[6999])
    assert shown_items(page) == ids[6999 : 6999 + len(shown_items(page))]
    expect(more(page)).to_contain_text("items from the middle; more to come")
    page.get_by_role("link", name="Earlier items").click()
    expect(page.locator("#items .item").first).to_have_id(f"item-{ids[6949]}")
    assert shown_items(page)[:50] == ids[6949:6999]
    page.get_by_role("link", name="From the beginning").click()
    expect(page.locator("#items .item").first).to_have_id(f"item-{ids[0]}")
    expect(page.get_by_role("link", name="Earlier items")).to_have_count(0)
    expect(more(page)).to_contain_text(re.compile("[0-9]+ loaded, more to come"))


def test_a_hash_in_an_open_page_leads_to_its_item(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 300)
    page.goto(f"/threads/{thread_id}/")
    page.evaluate("hash => { location.hash = hash; }", f"item-{ids[30]}")
    _landed(page, ids[30])
    page.evaluate("hash => { location.hash = hash; }", f"item-{ids[280]}")
    _landed(page, ids[280])
    assert shown_items(page)[0] == ids[280]


def test_earlier_items_up_to_the_first(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 130)
    page.goto(f"/threads/{thread_id}/?at={ids[110]}")
    for start in (60, 10, 0):
        page.get_by_role("link", name="Earlier items").click()
        expect(page.locator("#items .item").first).to_have_id(f"item-{ids[start]}")
    expect(page.get_by_role("link", name="Earlier items")).to_have_count(0)


def test_an_item_that_is_gone(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(404)
    thread_id, ids = talk(upstream, 10)
    page.goto(f"/threads/{thread_id}/?at=cti_gone#item-cti_gone")
    alert = more(page).get_by_role("alert")
    expect(alert).to_contain_text("This place in the conversation is gone")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.locator("#main").get_by_role("link", name="beginning").click()
    reads(page, ids)


def test_trying_again_puts_no_page_into_the_page(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(404, 502)
    thread_id, ids = talk(upstream, 60)
    upstream.hole = ids[29]
    page.goto(f"/threads/{thread_id}/?at={ids[30]}")
    again = page.get_by_role("link", name="Go on from here")
    again.click()
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    upstream.hole = None
    again.click()
    reads(page, ids[30:])
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


# Going on


def test_items_load_by_themselves_near_the_end(page: Page, upstream: Patchy, watch: Watch) -> None:
    thread_id, ids = talk(upstream, 400)
    page.goto(f"/threads/{thread_id}/")
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
    page.goto(f"/threads/{thread_id}/")
    for count in (150, 250, 350, 400):
        page.get_by_role("link", name="More items").dispatch_event("click")  # where it stands, unscrolled
        reads(page, ids[:count])
        if count < 400:
            expect(more(page)).to_contain_text(f"{count} loaded, more to come")
    expect(more(page)).to_contain_text("The end: all 400.")


@pytest.mark.parametrize("latency", [0, 80])
def test_scrolling_and_clicking_at_once(page: Page, upstream: Patchy, latency: int) -> None:
    thread_id, ids = talk(upstream, 700)
    page.goto(f"/threads/{thread_id}/")
    upstream.latency_ms = latency
    page.evaluate(
        """async () => {
          const until = performance.now() + 8000;
          let link = document.querySelector("#next-items");
          for (; link && performance.now() < until; link = document.querySelector("#next-items")) {
            scrollTo(0, document.documentElement.scrollHeight);
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
    page.goto(f"/threads/{thread_id}/")
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
    if page.locator("#all").count():
        page.get_by_role("button", name="Load all").click()
    reads(page, ids)


def test_all_of_ten_thousand(page: Page, upstream: Patchy) -> None:
    long = list(upstream.thread_ids())[LONG]
    ids = item_ids(upstream, long)
    page.goto(f"/threads/{long}/")
    page.locator("#all").click()
    expect(page.locator("#items .item").nth(400)).to_be_attached()
    page.locator("#stop").click()
    expect(page.locator("#all")).to_be_visible()
    page.wait_for_timeout(150)
    stopped = len(shown_items(page))
    assert 400 < stopped < 10_000
    expect(more(page)).to_contain_text(f"{stopped:,} loaded, more to come")
    page.locator("#all").click()
    expect(page.locator("#loading")).to_be_visible()
    expect(page.locator("#loading")).to_be_hidden(timeout=30_000)
    expect(more(page)).to_have_text(re.compile(r"^\s*The end: all 10,000\.\s*$"))
    expect(page.locator("#announcer")).to_have_text("The end: all 10,000.")
    assert shown_items(page) == ids
    expect(page.locator("#items")).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_load_all_can_be_stopped(page: Page, upstream: Patchy, by: str) -> None:
    """By whoever began it, from where they are: the button neither runs away nor loses the focus."""
    thread_id = talk(upstream, 2000)[0]
    page.goto(f"/threads/{thread_id}/")
    upstream.latency_ms = 100
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


@pytest.mark.parametrize("way", ["More items", "Load all"])
def test_a_fault_half_way_keeps_what_is_there(page: Page, upstream: Patchy, watch: Watch, way: str) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 450)
    upstream.hole = ids[249]
    page.goto(f"/threads/{thread_id}/")
    if way == "Load all":
        page.get_by_role("button", name=way).click()
    else:
        for count in (150, 250):
            page.get_by_role("link", name=way).dispatch_event("click")
            reads(page, ids[:count])
        page.get_by_role("link", name=way).dispatch_event("click")
    alert = more(page).get_by_role("alert")
    expect(alert).to_contain_text("The answer made no sense")
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
    page.goto(f"/threads/{thread_id}/")
    page.get_by_role("button", name="Load all").click()
    again = page.get_by_role("link", name="Go on from here")
    expect(again).to_be_visible()
    upstream.hole = None
    again.click()
    page.get_by_role("button", name="Load all").click()
    reads(page, ids)


def test_the_desk_out_of_reach_half_way(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_message("net::ERR_FAILED", "htmx:afterRequest", "htmx:sendError")
    thread_id, ids = talk(upstream, 250)
    page.goto(f"/threads/{thread_id}/")
    page.route("**/threads/**", lambda route: route.abort())
    page.get_by_role("button", name="Load all").click()
    expect(page.locator("#offline")).to_be_visible()
    assert shown_items(page) == ids[:50]
    page.unroute("**/threads/**")
    page.get_by_role("button", name="Load all").click()
    reads(page, ids)
    expect(page.locator("#offline")).to_be_hidden()


def test_items_that_come_while_one_reads(page: Page, upstream: Patchy) -> None:
    thread_id = talk(upstream, 60)[0]
    page.goto(f"/threads/{thread_id}/")
    upstream.add_items(thread_id, [said("One more thing.")])
    to_the_end(page)
    reads(page, item_ids(upstream, thread_id))
    expect(more(page)).to_contain_text("The end: all 61.")


def test_without_javascript(signed_in: Open, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 420)
    page = signed_in(f"/threads/{thread_id}/", java_script_enabled=False)
    seen: list[str] = []
    while True:
        seen += page.locator("#items .item").evaluate_all("items => items.map(item => item.id.slice(5))")
        if not following(page).count():
            break
        expect(more(page)).to_contain_text(f"{len(seen)} loaded, more to come")
        following(page).click()
    assert seen == ids
    expect(more(page)).to_contain_text("The end: all 420.")
    for name in ("Load all", "Print", "Copy thread id", "Keys"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(_find(page)).to_have_count(0)
    expect(page.locator(".item time .exact").first).to_be_visible()


def test_without_javascript_a_fault_half_way(signed_in: Open, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 120)
    upstream.hole = ids[49]
    page = signed_in(f"/threads/{thread_id}/", java_script_enabled=False)
    following(page).click()
    expect(page.get_by_role("alert").filter(has_text="The answer made no sense")).to_be_visible()
    upstream.hole = None
    page.get_by_role("link", name="Go on from here").click()
    reads(page, ids[50:])


# Finding


def _needles(upstream: Patchy) -> str:
    """A thread of 300 messages with a needle in the 3rd, the 10th, the 30th, and the 300th."""
    thread_id = next(upstream.thread_ids())
    texts = [f"Message {number}{' with a needle' if number in (3, 10, 30, 300) else ''}." for number in range(1, 301)]
    upstream.set_items(thread_id, [said(text) for text in texts])
    return thread_id


def test_find_counts_and_steps(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/")
    found = page.locator("#found")
    rest = " in what is loaded; load all to search the rest"
    _find(page).fill("NEEDLE")
    expect(found).to_have_text(f"1 of 3{rest}")
    for key, at in (("Enter", 2), ("Enter", 3), ("Enter", 1), ("Shift+Enter", 3), ("Shift+Enter", 2)):
        _find(page).press(key)
        expect(found).to_have_text(f"{at} of 3{rest}")
        assert marked(page) == "needle"
    page.get_by_role("button", name="Next match").click()
    expect(found).to_have_text(f"3 of 3{rest}")
    page.get_by_role("button", name="Previous match").click()
    expect(found).to_have_text(f"2 of 3{rest}")
    page.get_by_role("button", name="Load all").click()
    expect(found).to_have_text("2 of 4")
    page.get_by_role("button", name="Next match").click()
    page.get_by_role("button", name="Next match").click()
    expect(found).to_have_text("4 of 4")
    assert marked(page) == "needle"
    _find(page).fill("")
    expect(found).to_have_text("")


def test_find_says_when_there_is_no_match(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/")
    _find(page).fill("haystack")
    expect(page.locator("#found")).to_have_text("No match in what is loaded; load all to search the rest")
    page.get_by_role("button", name="Load all").click()
    expect(page.locator("#found")).to_have_text("No match")
    _find(page).press("Enter")
    expect(page.locator("#found")).to_have_text("No match")


def test_find_says_that_what_came_before_is_not_loaded(page: Page, upstream: Patchy) -> None:
    thread_id = _needles(upstream)
    ids = item_ids(upstream, thread_id)
    page.goto(f"/threads/{thread_id}/?at={ids[290]}")
    expect(more(page)).to_contain_text("The end of the conversation.")
    _find(page).fill("Message 5.")
    expect(page.locator("#found")).to_have_text(re.compile("No match in what is loaded"))


def test_find_opens_what_is_folded(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [called("many words " * 100 + "needle"), said("Thanks")])
    page.goto(f"/threads/{thread_id}/")
    fold = page.locator("details").filter(has_text="Output")
    expect(fold).not_to_have_attribute("open", "")
    _find(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    expect(fold).to_have_attribute("open", "")
    assert marked(page) == "needle"


@pytest.mark.parametrize("kind", [called, said], ids=["fold", "message"])
def test_find_shows_the_match_in_a_long_text(page: Page, upstream: Patchy, kind: object) -> None:
    assert callable(kind)
    thread_id = next(upstream.thread_ids())
    text = "".join(f"Line {number}\n" for number in range(300)) + "a needle\n" + "rest\n" * 40
    upstream.set_items(thread_id, [kind(text), said("Thanks")])
    page.goto(f"/threads/{thread_id}/")
    _find(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    assert marked(page) == "needle"


def test_find_finds_only_what_can_be_seen(page: Page, upstream: Patchy) -> None:
    """An item carries its time twice, once as it is shown and once for who wants it exact: neither was said."""
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("Hello", created_at=_MORNING), said("Hello", created_at=_MORNING + 60)])
    page.goto(f"/threads/{thread_id}/")
    _find(page).fill("10:0")
    expect(page.locator("#found")).to_have_text("No match")
    _find(page).fill("hello")
    expect(page.locator("#found")).to_have_text("1 of 2")


def test_find_marks_the_right_letters(page: Page, upstream: Patchy) -> None:
    """A capital of Turkish is two letters when it is small."""
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("İİİİ Ines, 🙏 the needle is here")])
    page.goto(f"/threads/{thread_id}/")
    _find(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    assert marked(page) == "needle"


def test_leaving_the_find_field(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/")
    _find(page).fill("needle")
    _find(page).press("Escape")
    expect(_find(page)).to_have_value("")
    expect(page.locator("#found")).to_have_text("")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page).to_have_url(re.compile("/threads/cthr_"))


# Taking along


def _download(page: Page, name: str) -> tuple[str, str]:
    """The name of the file that a link gives, and what is in it."""
    with page.expect_download() as started:
        page.get_by_role("link", name=name, exact=True).click()
    return started.value.suggested_filename, Path(started.value.path()).read_text(encoding="utf-8")


def test_downloads_of_every_kind(page: Page, upstream: Patchy) -> None:
    thread_id = list(upstream.thread_ids())[EVERY_KIND]
    page.goto(f"/threads/{thread_id}/")
    name, text = _download(page, "JSON")
    file = json.loads(text)
    assert name == f"{thread_id}.json"
    assert file["items"] == items(upstream, thread_id)
    assert file["thread"] == thread(upstream, thread_id)
    assert (file["count"], file["complete"]) == (35, True)
    name, text = _download(page, "Markdown")
    assert name == f"{thread_id}.md"
    assert text.startswith("# Every kind of item\n")
    assert len(re.findall("(?m)^## (?:Customer|Assistant|Tool call|Tasks?|Widget|Unknown item)\\b.*, .*$", text)) == 35
    assert text.endswith("End of the conversation: all 35 items.\n")
    for part in (thread_id, "hugo.olsen14@mail.example", "Handed to logistics", "MX-77120-B", "structured_input"):
        assert part in text


def test_downloads_of_ten_thousand(page: Page, upstream: Patchy) -> None:
    long = list(upstream.thread_ids())[LONG]
    ids = item_ids(upstream, long)
    page.goto(f"/threads/{long}/")
    file = json.loads(_download(page, "JSON")[1])
    assert [each["id"] for each in file["items"]] == ids
    assert (file["count"], file["complete"]) == (10_000, True)
    assert _download(page, "Markdown")[1].endswith("End of the conversation: all 10000 items.\n")


def test_a_download_that_fails_half_way_says_so(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 350)
    upstream.hole = ids[199]
    page.goto(f"/threads/{thread_id}/")
    file = json.loads(_download(page, "JSON")[1])
    assert [each["id"] for each in file["items"]] == ids[:200]
    assert (file["count"], file["complete"]) == (200, False)
    assert file["error"]
    assert "This transcript is partial: 200 items" in _download(page, "Markdown")[1][-300:]


def _on_paper(page: Page, thread_id: str, about: list[str], tmp_path: Path) -> None:
    page.emulate_media(media="print")
    header = page.locator(".about")
    for text in about:
        expect(header).to_contain_text(text)
    expect(header).to_be_visible()
    expect(header.get_by_text(thread_id)).to_be_visible()
    for gone in (".ways", ".tools", ".others", "#more .button", ".top"):
        for each in page.locator(gone).all():
            expect(each).to_be_hidden()
    expect(page.locator(".item time .exact").first).to_be_visible()
    pdf = tmp_path / "page.pdf"
    assert page.pdf(path=pdf).startswith(b"%PDF-")
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
        bare = re.sub(r"\s", "", text)
        assert [part for part in about if re.sub(r"\s", "", part) not in bare] == []


def test_on_paper(page: Page, upstream: Patchy, tmp_path: Path) -> None:
    thread_id = list(upstream.thread_ids())[EVERY_KIND]
    about = thread(upstream, thread_id)
    created = datetime.fromtimestamp(about["created_at"], UTC)
    page.goto(f"/threads/{thread_id}/")
    expected = [thread_id, about["user"], "Locked", about["status"]["reason"], f"{created:%Y, %H:%M}"]
    _on_paper(page, thread_id, expected, tmp_path)


def test_a_print_is_of_the_whole_conversation_unfolded(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 320)
    upstream.add_items(thread_id, [called("many words " * 100)])
    page.add_init_script("window.print = () => { window.printed = document.querySelectorAll('#items .item').length; }")
    page.goto(f"/threads/{thread_id}/")
    page.get_by_role("button", name="Print").click()
    page.wait_for_function("() => window.printed")
    assert page.evaluate("window.printed") == 321
    fold = page.locator("details").last
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(fold).to_have_attribute("open", "")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(fold).not_to_have_attribute("open", "")
    page.goto(f"/threads/{thread_id}/?at={ids[310]}")
    page.get_by_role("button", name="Print").click()
    page.wait_for_function("() => window.printed")
    assert page.evaluate("window.printed") == 321, "what came before the item is missing"


def test_no_print_of_a_part(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 320)
    upstream.hole = ids[149]
    page.add_init_script("window.print = () => { window.printed = true; }")
    page.goto(f"/threads/{thread_id}/")
    page.get_by_role("button", name="Print").click()
    expect(more(page).get_by_role("alert")).to_be_visible()
    page.wait_for_timeout(100)
    assert page.evaluate("window.printed") is None


# Signed out in between


def _sign_in(page: Page) -> None:
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_back_after_signing_out_shows_nothing(signed_out: Open, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 30)
    page = signed_out(f"/threads/{thread_id}/")
    _sign_in(page)
    reads(page, ids)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.locator(".item, .about")).to_have_count(0)


@pytest.mark.parametrize("way", ["More items", "Load all"])
def test_session_ends_while_reading(page: Page, upstream: Patchy, way: str) -> None:
    thread_id = talk(upstream, 200)[0]
    page.goto(f"/threads/{thread_id}/")
    page.context.clear_cookies(name="sessionid")
    page.locator("#more").get_by_text(way).dispatch_event("click")
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.locator(".item")).to_have_count(0)
    _sign_in(page)
    expect(page.locator("#main")).to_have_attribute("data-thread-id", thread_id)


def test_focused_item_can_be_seen(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 30)
    page.goto(f"/threads/{thread_id}/?at={ids[4]}#item-{ids[4]}")
    _landed(page, ids[4])
    assert focused(page)["visible"]
