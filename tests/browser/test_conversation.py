"""Opening a conversation: what its page says, and coming out of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open, Stage
from tests.browser.steps import focused, menu, rows, show_help
from tests.browser.talking import (
    EVERY_KIND,
    HOUR,
    MORNING,
    OTHER_SPELLING,
    Patchy,
    called,
    item,
    item_ids,
    landed,
    load_all,
    marked,
    more,
    open_find,
    reads,
    said,
    talk,
    thread,
    to_the_end,
)
from tests.browser.watching import Watch
from tests.support.serving import NAME, PASSWORD
from threads.emulator import Fault


@pytest.fixture
def upstream(stage: Stage) -> Patchy:
    patchy = Patchy()
    stage.playing = patchy
    return patchy


def test_a_row_opens_its_conversation(signed_in: Open, upstream: Patchy) -> None:
    page = signed_in("/threads/", permissions=["clipboard-read", "clipboard-write"])
    thread_id = list(upstream.thread_ids())[EVERY_KIND]
    about = thread(upstream, thread_id)
    rows(page).filter(has_text="Every kind of item").first.get_by_role("link", name="Every kind of item").click()
    expect(page).to_have_url(re.compile(f"/threads/{thread_id}/"))
    expect(page.locator("#title")).to_have_text("Every kind of item")
    expect(page.locator("#pane .status")).to_contain_text("Locked")
    expect(page.locator("#pane .status")).to_contain_text(about["status"]["reason"])
    expect(page.locator("#side time").first).to_have_attribute(
        "datetime", datetime.fromtimestamp(about["created_at"], UTC).isoformat()
    )
    page.locator("#side").get_by_role("button", name="Copy thread id").click()
    expect(page.locator("#announcer")).to_have_text(f"Copied {thread_id}")
    assert page.evaluate("navigator.clipboard.readText()") == thread_id
    page.get_by_title("All threads of this customer").click()
    expect(page).to_have_url(f"/threads/?user={quote(about['user'])}")
    expect(rows(page)).to_have_count(len(list(upstream.thread_ids(user=about["user"]))))


def test_the_margin_has_the_other_threads_of_the_user(page: Page, upstream: Patchy) -> None:
    user = upstream.users()[0]
    theirs = list(upstream.thread_ids(user=user))
    page.goto(f"/threads/{theirs[2]}/")
    margin = page.get_by_role("complementary", name="Customer and details")
    links = margin.locator("li a")
    expect(links.first).to_be_visible()
    leads = [re.search(r"/threads/([^/]+)/", link.get_attribute("href") or "") for link in links.all()]
    shown = [found.group(1) for found in leads if found]
    assert shown == [each for each in theirs if each != theirs[2]][:7]
    links.nth(3).click()
    expect(page.locator("#pane")).to_have_attribute("data-thread-id", shown[3])


def test_a_thread_that_is_the_only_one_says_so(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{upstream.arrive(1, 'somebody new')[0]}/")
    expect(page.get_by_role("complementary")).to_contain_text("This is the only one.")


def test_the_margin_survives_a_fault(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(502)  # of the list beside it, should it come after the fault

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


def _steps(upstream: Patchy) -> tuple[str, list[str]]:
    """A thread with two groups of steps; returns its id, and those of its items."""
    thread_id = next(upstream.thread_ids())
    failed = called("504 upstream timeout") | {"name": "find_dispute", "status": "failed"}
    calls = [called("{}") | {"name": "block_card"}, called("a needle"), failed]
    upstream.set_items(thread_id, [said("Block it"), *calls[:2], said("And the money?"), calls[2], said("Thanks")])
    return thread_id, item_ids(upstream, thread_id)


def test_steps_are_folded_to_a_line(page: Page, upstream: Patchy) -> None:
    thread_id, ids = _steps(upstream)
    page.goto(f"/threads/{thread_id}/")
    groups, lines = page.locator(".steps > details"), page.locator(".steps > details > summary")
    expect(lines).to_have_text(
        [re.compile(r"2 steps:\s+block_card done,\s+look_up done"), re.compile(r"1 step:\s+find_dispute failed")]
    )
    expect(lines.locator(".failed")).to_have_text(["failed"])
    reads(page, ids)
    for hidden in (1, 2, 4):
        expect(item(page, ids[hidden])).to_be_hidden()
    lines.first.click()
    expect(item(page, ids[2])).to_be_visible()
    expect(item(page, ids[4])).to_be_hidden()
    page.keyboard.press("t")
    expect(groups.nth(1)).to_have_attribute("open", "")
    expect(groups.first).to_have_attribute("open", "")
    page.keyboard.press("t")
    for group in groups.all():
        expect(group).not_to_have_attribute("open", "")
    show_help(page)
    page.get_by_label("Use these shortcuts").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("t")
    for group in groups.all():
        expect(group).not_to_have_attribute("open", "")


def test_j_and_k_pass_a_folded_group_by_its_line(page: Page, upstream: Patchy) -> None:
    thread_id, ids = _steps(upstream)
    page.goto(f"/threads/{thread_id}/")
    page.keyboard.press("k")
    expect(item(page, ids[-1])).to_be_focused()
    page.goto(f"/threads/{thread_id}/?from=beginning")
    page.keyboard.press("j")
    expect(item(page, ids[0])).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(".steps summary").first).to_be_focused()
    page.keyboard.press("j")
    expect(item(page, ids[3])).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    expect(item(page, ids[1])).to_be_focused()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_the_address_of_a_folded_step_opens_its_group(signed_in: Open, upstream: Patchy, javascript: bool) -> None:
    thread_id, ids = _steps(upstream)
    page = signed_in(f"/threads/{thread_id}/?at={ids[2]}#item-{ids[2]}", java_script_enabled=javascript)
    expect(item(page, ids[2])).to_be_visible()
    expect(item(page, ids[4])).to_be_hidden()
    if javascript:
        landed(page, ids[2])
        page.evaluate("hash => { location.hash = hash; }", f"item-{ids[4]}")
        landed(page, ids[4])
        expect(item(page, ids[4])).to_be_visible()


def test_find_opens_a_folded_group(page: Page, upstream: Patchy) -> None:
    thread_id, ids = _steps(upstream)
    page.goto(f"/threads/{thread_id}/")
    open_find(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    expect(item(page, ids[2])).to_be_visible()
    assert marked(page) == "needle"


def test_who_said_it_is_told_for_every_message(page: Page, upstream: Patchy) -> None:
    """Also for those that stand under one name, whose time can be seen at the pointer."""
    thread_id, ids = talk(upstream, 3)
    page.goto(f"/threads/{thread_id}/")
    expect(page.locator("#items .same")).to_have_count(2)
    for each in ids:
        expect(item(page, each).locator(".who")).to_contain_text("Customer")
        assert "Customer" in item(page, each).aria_snapshot()
    time = item(page, ids[1]).locator(".who")
    expect(time).to_have_css("opacity", "0")
    item(page, ids[1]).hover()
    expect(time).to_have_css("opacity", "1")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_a_long_reason_is_two_lines_until_it_is_opened(signed_in: Open, upstream: Patchy, javascript: bool) -> None:
    thread_id = talk(upstream, 3)[0]
    reason = "Payment dispute over £395.99. " * 40 + "The end of it."
    upstream.set_status(thread_id, "locked", reason)
    page = signed_in(f"/threads/{thread_id}/", java_script_enabled=javascript)
    fold = page.locator("#pane .status details")
    expect(fold).to_contain_text("The end of it.")
    closed = fold.bounding_box()
    fold.locator("summary").click()
    opened = fold.bounding_box()
    assert closed
    assert opened
    assert closed["height"] < 60 < opened["height"]
    upstream.set_status(thread_id, "locked", "Short.")
    page.reload()
    expect(page.locator("#pane .status")).to_contain_text("Short.")
    expect(fold).to_have_count(0)


def test_styles_of_widgets_come_with_the_first_widget(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    card = json.dumps({"type": "Card", "children": [{"type": "Text", "value": "In a card"}]})
    widget = {"type": "chatkit.widget", "widget": card}
    upstream.set_items(thread_id, [widget, *(said(f"Message {number}") for number in range(60)), widget])
    styles = page.locator("link[rel=stylesheet][href*=widgets]")
    page.goto(f"/threads/{thread_id}/?from=beginning")
    expect(styles).to_have_count(1)
    upstream.set_items(thread_id, [widget, *(said(f"Message {number}") for number in range(60))])
    page.goto(f"/threads/{thread_id}/")
    expect(page.locator("#items .item")).to_have_count(50)
    expect(styles).to_have_count(0)
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator(".widget")).to_contain_text("In a card")
    expect(page.locator(".widget > *").first).not_to_have_css("border-top-width", "0px")
    expect(styles).to_have_count(1)


def test_days_and_pauses_divide_the_items(page: Page, upstream: Patchy) -> None:
    """Also where a day or a pause falls between two pages of items, and never a second time."""
    thread_id = next(upstream.thread_ids())
    starts = [*(60 * minute for minute in range(50)), 3 * HOUR, 3 * HOUR + 60, 24 * HOUR]
    upstream.set_items(thread_id, [said("Hello", created_at=MORNING + after) for after in starts])
    expected = ["Monday, 2 Nov 2026", "2 hours later", "21 hours later", "Tuesday, 3 Nov 2026"]
    page.goto(f"/threads/{thread_id}/?from=beginning")
    to_the_end(page)
    expect(page.locator("#items .item")).to_have_count(len(starts))
    expect(page.locator(".divider")).to_have_text(expected)
    expect(page.locator(".item").nth(50).locator(".divider")).to_have_text("2 hours later")
    page.goto(f"/threads/{thread_id}/")
    expect(page.locator("#items .item")).to_have_count(50)
    expect(page.locator(".divider").first).to_have_text("Monday, 2 Nov 2026")
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator("#items .item")).to_have_count(len(starts))
    expect(page.locator(".divider")).to_have_text(expected)


def test_seconds_are_in_the_title_and_on_paper(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("Hello", created_at=MORNING + 65)])
    page.goto(f"/threads/{thread_id}/")
    time = page.locator("#items .item time")
    exact, clock = time.get_by_text("2 Nov 2026, 10:01:05"), time.get_by_text("10:01", exact=True)
    expect(clock).to_be_visible()
    expect(exact).to_be_hidden()
    expect(page.locator("#items .who a")).to_have_attribute("title", "2 Nov 2026, 10:01:05: the address of this item")
    page.emulate_media(media="print")
    expect(exact).to_be_visible()
    expect(clock).to_be_hidden()


def test_no_such_thread(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(404)
    page.goto("/threads/cthr_nowhere/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thread not found")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_text("Thread", exact=True)).to_have_css("white-space", "nowrap")
    heading, panel = (page.locator(each).bounding_box() for each in ("h1", "main > .panel"))
    assert heading
    assert panel
    assert panel["y"] - heading["y"] - heading["height"] >= 12, "they do not touch"
    page.get_by_role("link", name="Back to the list").click()
    expect(rows(page)).to_have_count(20)


def test_a_thread_without_items(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [])
    page.goto(f"/threads/{thread_id}/")
    expect(more(page)).to_contain_text("Nothing has been said in this thread.")


def _sign_in(page: Page) -> None:
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_back_after_signing_out_shows_nothing(signed_out: Open, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 30)
    page = signed_out(f"/threads/{thread_id}/")
    _sign_in(page)
    reads(page, ids)
    menu(page).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.locator(".item, #pane, #side")).to_have_count(0)


@pytest.mark.parametrize("way", ["Later messages", "Load all"])
def test_session_ends_while_reading(page: Page, upstream: Patchy, way: str) -> None:
    thread_id = talk(upstream, 200)[0]
    page.goto(f"/threads/{thread_id}/?from=beginning")
    expect(page.locator("#threads")).to_be_visible()  # the list beside it has come
    page.context.clear_cookies(name="sessionid")
    if way == "Load all":
        load_all(page)
    else:
        page.get_by_role("link", name=way).dispatch_event("click")
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.locator(".item")).to_have_count(0)
    _sign_in(page)
    expect(page.locator("#pane")).to_have_attribute("data-thread-id", thread_id)


def test_focused_item_can_be_seen(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 30)
    page.goto(f"/threads/{thread_id}/?at={ids[4]}#item-{ids[4]}")
    landed(page, ids[4])
    assert focused(page)["visible"]
