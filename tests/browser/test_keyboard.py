"""Everything without a mouse, and told to somebody who does not see it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import box, focused, following, previous, settled, shows, users_by_threads
from threads.emulator import Emulator

_WINDOWS = [(1280, 720), (1024, 500), (800, 600), (740, 640), (640, 800), (390, 844), (320, 256)]


def _tab_to(page: Page, id_: str, most: int = 12) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused(page)["id"] == id_:
            return
    raise AssertionError(f"Tab does not come to #{id_}")


def test_filter_and_page_by_keyboard(page: Page, upstream: Emulator) -> None:
    user = users_by_threads(upstream)[0]
    theirs = list(upstream.thread_ids(user=user))
    page.goto("/threads/?limit=5")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    assert focused(page)["visible"]
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    assert focused(page)["visible"]
    page.keyboard.type(user)
    page.keyboard.press("Enter")
    shows(page, theirs[:5])
    expect(page.locator("#threads a.title").first).to_be_focused()
    page.locator("#sort-summary").focus()
    _tab_to(page, "next", 40)
    page.keyboard.press("Enter")
    shows(page, theirs[5:10])
    expect(following(page)).to_be_focused()
    expect(page.locator("#announcer")).to_have_text(re.compile(f"5 threads of {re.escape(user)}, newest first"))
    page.keyboard.press("Shift+Tab")
    expect(previous(page)).to_be_focused()
    page.keyboard.press("Enter")
    shows(page, theirs[:5])


def test_focus_goes_to_the_rows_where_its_link_has_gone(page: Page, upstream: Emulator) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/?limit=100")
    following(page).focus()
    for end in (200, 205):
        page.keyboard.press("Enter")
        shows(page, ids[end - min(100, end - 100 if end == 200 else 5) : end])
    expect(page.locator("#rows")).to_be_focused()
    expect(page.locator("#announcer")).to_have_text(re.compile("^5 threads, newest first"))
    page.keyboard.press("Tab")
    assert focused(page)["visible"]


def test_a_problem_is_told_once(page: Page, upstream: Emulator) -> None:
    """An alert speaks for itself, so the other live region keeps silent."""
    page.goto("/threads/?user=nobody")
    expect(page.locator("#announcer")).to_have_text("")
    page.get_by_role("link", name="All threads").press("Enter")
    expect(page.locator("#announcer")).to_have_text(re.compile("^20 threads"))
    expect(page.locator("#rows")).to_be_focused()


def test_the_live_region_outlives_the_swap(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/")
    page.evaluate("document.getElementById('announcer').dataset.same = 'yes'")
    following(page).click()
    shows(page, list(upstream.thread_ids())[20:40])
    expect(page.locator("#announcer[data-same=yes]")).to_have_text(re.compile("20 threads"))


def test_a_list_that_comes_beside_a_conversation_takes_nothing(page: Page, upstream: Emulator) -> None:
    """Opened by its own address, a conversation keeps the title, the focus and the silence while its list comes."""
    page.goto("/sync/")
    page.context.clear_cookies(name="panes")  # as at a first visit: the server does not know that there is room
    page.goto(f"/threads/{next(upstream.thread_ids())}/")
    title = page.title()
    expect(page.locator("#browse tr[data-thread-id]")).to_have_count(20)
    settled(page)
    assert focused(page)["tag"] == "BODY"
    assert page.title() == title
    expect(page.locator("#announcer")).to_have_text("")


def test_typing_is_not_lost_to_a_swap(page: Page, upstream: Emulator) -> None:
    """Somebody types a user while Next is on its way: the focus stays in the field, and so does the text."""
    page.goto("/threads/")
    upstream.latency_ms = 1500
    following(page).click()
    box(page).focus()
    page.keyboard.type("user_")
    shows(page, list(upstream.thread_ids())[20:40])
    page.keyboard.type("1")
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("user_1")


def test_back_after_the_skip_link(page: Page, upstream: Emulator) -> None:
    """The skip link puts a fragment into the address, which must not confuse the history."""
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    following(page).click()
    shows(page, ids[20:40])
    page.get_by_role("link", name="Skip to content").focus()
    page.keyboard.press("Enter")
    following(page).click()
    shows(page, ids[40:60])
    page.go_back()
    shows(page, ids[20:40])
    page.evaluate("history.go(-2)")
    shows(page, ids[:20])


def test_choosing_in_a_list_by_keyboard_keeps_the_focus(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/")
    page.locator("#sort-summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    shows(page, list(upstream.thread_ids("asc"))[:20])
    expect(page.locator("#sort-summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    shows(page, list(upstream.thread_ids())[:20])
    expect(page.locator("#sort-summary")).to_be_focused()


@pytest.mark.parametrize("size", _WINDOWS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_has_the_focus_is_never_covered(signed_in: Open, upstream: Emulator, size: tuple[int, int]) -> None:
    ids = list(upstream.thread_ids())
    page = signed_in(f"/threads/?limit=12&after={ids[30]}&user=", viewport={"width": size[0], "height": size[1]})
    hidden, stops = [], 0
    for key in ("Tab", "Shift+Tab"):
        for _ in range(80):
            page.keyboard.press(key)
            at = focused(page)
            if at["tag"] == "BODY":
                break
            stops += 1
            if not at["visible"]:
                hidden.append(f"{key}: {at['html']}")
    assert stops > 50
    assert hidden == []
