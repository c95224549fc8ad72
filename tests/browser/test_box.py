"""The search box of every page, with the keyboard; and the popovers of the filters."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import apply, box, customer, focused, following, overflow, previous, rows, search_for, shows
from tests.browser.steps import users_by_threads as by_threads
from tests.browser.watching import Watch
from threads.emulator import Emulator


def _first(page: Page) -> Locator:
    return rows(page).first.locator(".thread a").first


def test_from_another_page_to_the_first_row(page: Page, upstream: Emulator) -> None:
    user = by_threads(upstream)[0]
    page.goto("/account/")
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    page.keyboard.type(user)
    page.keyboard.press("Enter")
    shows(page, list(upstream.thread_ids(user=user))[:20])
    expect(_first(page)).to_be_focused()
    page.reload()
    expect(rows(page)).to_have_count(20)
    expect(_first(page)).not_to_be_focused()


def test_down_goes_to_the_first_row_at_once(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/")
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    expect(_first(page)).to_be_focused()
    page.keyboard.press("j")
    expect(rows(page).nth(1).locator(".thread a").first).to_be_focused()


def test_what_is_typed_meanwhile_stays_and_what_was_sent_goes(page: Page, upstream: Emulator) -> None:
    user = by_threads(upstream)[0]
    page.goto("/threads/")
    search_for(page, user)
    shows(page, list(upstream.thread_ids(user=user))[:20])
    expect(box(page)).to_have_value("")
    box(page).fill("half a wo")
    following(page).click()
    expect(page).to_have_url(re.compile("after="))
    expect(box(page)).to_have_value("half a wo")
    upstream.latency_ms = 1500
    previous(page).click()
    page.keyboard.press("f")
    page.keyboard.type("no")
    shows(page, list(upstream.thread_ids(user=user))[:20])
    expect(customer(page)).to_be_focused()
    page.keyboard.type("body")
    expect(customer(page)).to_have_value("nobody")


def test_without_a_script_the_address_shows_what_it_became(signed_in: Open, upstream: Emulator) -> None:
    user = by_threads(upstream)[0]
    page = signed_in("/account/", java_script_enabled=False)
    search_for(page, user)
    expect(page).to_have_url(f"/threads/?user={user}")
    page.locator("#customer-summary").click()
    customer(page).fill("nobody")
    apply(page)
    expect(page).to_have_url("/threads/?user=nobody")
    expect(page.get_by_role("heading", name="No customer nobody")).to_be_visible()
    page.get_by_role("link", name="Remove the filter Customer: nobody").click()
    expect(page).to_have_url("/threads/")


def test_a_popover_closes_and_gives_the_focus_back(page: Page, upstream: Emulator, watch: Watch) -> None:
    page.goto("/threads/")
    page.locator("#more-filters-summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Any status")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#more-filters")).not_to_have_attribute("open", "")
    expect(page.locator("#more-filters-summary")).to_be_focused()
    page.keyboard.press("f")
    expect(customer(page)).to_be_focused()
    assert focused(page)["visible"]
    page.locator("#more-filters-summary").click()
    expect(page.locator("#customer")).not_to_have_attribute("open", "")


def test_on_a_phone_a_popover_is_a_sheet_from_below(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/", viewport={"width": 390, "height": 844})
    for name in ("#customer", "#more-filters"):
        page.locator(f"{name}-summary").click()
        place = page.locator(f"{name} .pop").bounding_box()
        assert place is not None
        assert (place["x"], place["width"], place["y"] + place["height"]) == (0, 390, 844)
        assert overflow(page) == 0
        page.keyboard.press("Escape")
