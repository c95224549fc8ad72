"""A conversation beside the list, where a window has room for both."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Stage
from tests.browser.looks import PHONE, WIDE, fine
from tests.browser.steps import row_ids, rows, settled
from tests.browser.talking import Patchy, called, find_box, item_ids, landed, marked, reads, said, shown_items, talk
from tests.browser.watching import Watch


@pytest.fixture
def upstream(stage: Stage) -> Patchy:
    patchy = Patchy()
    stage.playing = patchy
    return patchy


@pytest.fixture
def theirs(upstream: Patchy) -> list[str]:
    """The ten threads of a customer, newest first: all of a list, so that its size is known without an archive."""
    found = list(upstream.thread_ids(user=upstream.users()[3]))
    assert len(found) == 10
    return found


@pytest.fixture
def their_list(upstream: Patchy) -> str:
    return f"/threads/?user={quote(upstream.users()[3])}"


def _row(page: Page, thread_id: str) -> str:
    return f"tr[data-thread-id='{thread_id}'] a.title"


def _shows_both(page: Page, ids: list[str], place: int) -> None:
    """All rows are there, that of the open thread is marked, and the address and the head are the thread's."""
    expect(page.locator("#pane")).to_have_attribute("data-thread-id", ids[place])
    expect(page.locator("tr[aria-current=true]")).to_have_count(1)
    expect(page.locator("tr[aria-current=true]")).to_have_attribute("data-thread-id", ids[place])
    expect(page).to_have_url(re.compile(rf"/threads/{ids[place]}/\?"))
    expect(page.locator("#place")).to_have_text(f"{place + 1} of {len(ids)}")
    expect(page.locator("#items")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert row_ids(page) == ids
    expect(rows(page).first).to_be_visible()


@pytest.mark.parametrize("way", ["press", "Enter"])
def test_a_row_opens_beside_the_list(page: Page, theirs: list[str], their_list: str, watch: Watch, way: str) -> None:
    page.goto(their_list)
    before = len(watch.documents())
    if way == "press":
        page.locator(_row(page, theirs[2])).click()
    else:
        for _ in range(3):
            page.keyboard.press("j")
        page.keyboard.press("Enter")
    _shows_both(page, theirs, 2)
    for key, place in (("]", 3), ("[", 2), ("[", 1), ("]", 2)):
        page.keyboard.press(key)
        _shows_both(page, theirs, place)
    page.locator(_row(page, theirs[6])).click()
    _shows_both(page, theirs, 6)
    assert len(watch.documents()) == before, "no whole page was asked for"
    fine(page, WIDE)


def test_back_returns_to_the_list(page: Page, theirs: list[str], their_list: str) -> None:
    page.goto(their_list)
    page.locator(_row(page, theirs[2])).click()
    _shows_both(page, theirs, 2)
    page.keyboard.press("]")
    _shows_both(page, theirs, 3)
    page.go_back()
    _shows_both(page, theirs, 2)
    page.go_back()
    expect(page.locator("#pane")).to_have_count(0)
    expect(page).to_have_url(their_list)
    assert row_ids(page) == theirs
    expect(page.locator(_row(page, theirs[2]))).to_be_focused()
    page.go_forward()
    _shows_both(page, theirs, 2)


def test_a_reload_shows_both(page: Page, theirs: list[str], their_list: str) -> None:
    page.goto(their_list)
    page.locator(_row(page, theirs[2])).click()
    _shows_both(page, theirs, 2)
    page.reload()
    _shows_both(page, theirs, 2)
    page.keyboard.press("]")
    _shows_both(page, theirs, 3)


def _reads_of(page: Page, thread_id: str) -> int:
    """How often the audit log says that this thread was read."""
    audit = page.context.new_page()
    audit.goto(f"/audit/?action=read&thread={thread_id}")
    count = audit.locator("tr[data-event]").count()
    audit.close()
    return count


def test_keys_that_go_through_the_list_read_nothing(
    page: Page, theirs: list[str], their_list: str, watch: Watch
) -> None:
    page.goto(their_list)
    known = [_reads_of(page, each) for each in theirs[:3]]  # other tests read them too
    page.bring_to_front()
    page.wait_for_load_state("networkidle")
    before = len(watch.requests)
    for key in "jjjkj":
        page.keyboard.press(key)
    expect(page.locator(_row(page, theirs[2]))).to_be_focused()
    page.wait_for_timeout(500)
    assert len(watch.requests) == before
    expect(page.locator("#pane")).to_have_count(0)
    assert [_reads_of(page, each) for each in theirs[:3]] == known
    page.keyboard.press("Enter")
    _shows_both(page, theirs, 2)
    assert _reads_of(page, theirs[2]) == known[2] + 1


def test_a_narrow_window_shows_a_page(signed_in: Open, theirs: list[str], their_list: str, watch: Watch) -> None:
    page = signed_in(their_list, viewport=PHONE)
    before = len(watch.documents())
    page.locator(_row(page, theirs[2])).click()
    expect(page.locator("#pane")).to_have_attribute("data-thread-id", theirs[2])
    expect(page.locator("#pane")).to_be_visible()
    expect(rows(page).first).to_be_hidden()
    assert len(watch.documents()) == before + 1
    page.get_by_role("link", name="Back to the list").click()
    expect(page).to_have_url(re.compile(re.escape(their_list)))
    expect(page.locator(_row(page, theirs[2]))).to_be_focused()
    assert row_ids(page) == theirs


def _second(page: Page, upstream: Patchy) -> list[str]:
    """Opens one conversation beside the list, then another in the same page. Returns the items of the latter: 130
    messages with two steps before the last."""
    first, _ = talk(upstream, 130, 20)
    second = list(upstream.thread_ids())[21]
    messages = [said(f"Notice number {number}.") for number in range(1, 131)]
    upstream.set_items(second, [*messages[:-1], called("a parcel"), called("a van"), messages[-1]])
    page.goto(f"/threads/?after={list(upstream.thread_ids())[19]}")
    page.locator(_row(page, first)).click()
    expect(page.locator("#items")).to_contain_text("Message number 130.")
    settled(page)  # the keys of a conversation have come
    page.keyboard.press("/")
    page.keyboard.type("number 129")
    expect(page.locator("#found")).to_contain_text("1 of 1")
    page.locator(_row(page, second)).click()
    expect(page.locator("#items")).to_contain_text("Notice number 130.")
    expect(page.locator("#items")).not_to_contain_text("Message number")
    settled(page)
    return item_ids(upstream, second)


def test_find_in_a_second_conversation(page: Page, upstream: Patchy) -> None:
    _second(page, upstream)
    expect(find_box(page)).to_be_hidden()
    page.keyboard.press("/")
    expect(find_box(page)).to_be_focused()
    expect(find_box(page)).to_have_value("")
    page.keyboard.type("notice number 12")
    expect(page.locator("#found")).to_contain_text("1 of 10")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_contain_text("2 of 10")
    assert marked(page) == "Notice number 12"
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator("#found")).to_contain_text("of 11")  # with the twelfth
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(find_box(page)).to_be_hidden()
    expect(page.locator("#title")).to_be_focused()


def test_steps_in_a_second_conversation(page: Page, upstream: Patchy) -> None:
    _second(page, upstream)
    steps = page.locator("#items .steps > details")
    expect(steps).to_have_count(1)
    expect(steps).not_to_have_attribute("open", "")
    page.keyboard.press("t")
    expect(steps).to_have_attribute("open", "")
    expect(page.locator("#items .steps .item")).to_have_count(2)
    expect(page.locator("#items .steps .item").first).to_be_visible()
    page.keyboard.press("t")
    expect(steps).not_to_have_attribute("open", "")


@pytest.mark.parametrize("way", ["link", "all"])
def test_earlier_messages_in_a_second_conversation(page: Page, upstream: Patchy, way: str) -> None:
    ids = _second(page, upstream)
    assert shown_items(page) == ids[-len(shown_items(page)) :]
    assert len(shown_items(page)) < len(ids)
    expect(page.get_by_text("Notice number 130.")).to_be_in_viewport()
    if way == "link":
        page.get_by_role("link", name="Earlier messages").click()
    else:
        page.keyboard.press("/")
        page.get_by_role("button", name="Load all").click()
    reads(page, ids)
    expect(page.locator("#all")).to_be_hidden()
    page.evaluate("id => { location.hash = 'item-' + id; }", ids[0])
    landed(page, ids[0])
