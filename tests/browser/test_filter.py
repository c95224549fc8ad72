"""Finding one customer's threads."""

import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import (
    apply,
    box,
    choose,
    customer,
    following,
    pages_of,
    previous,
    rows,
    search_for,
    shows,
    users_by_threads,
)
from tests.browser.watching import Watch
from threads.emulator import Emulator


def test_typing_a_user_and_enter(page: Page, upstream: Emulator, watch: Watch) -> None:
    user = users_by_threads(upstream)[0]
    theirs = list(upstream.thread_ids(user=user))
    page.goto("/threads/?limit=5")
    search_for(page, user)
    shows(page, theirs[:5])
    expect(page).to_have_url("/threads/?" + urlencode({"user": user, "limit": 5}))
    expect(page.locator("#customer-summary")).to_have_text(f"Customer: {user}")
    assert len(theirs) > 5, "this user should have more than one page"
    following(page).click()
    shows(page, theirs[5:10])
    previous(page).click()
    shows(page, theirs[:5])
    expect(previous(page)).to_have_count(0)
    assert len(watch.documents()) == 1


def test_clicking_a_user_and_clearing(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/")
    link = page.locator("td.user a").first
    user = link.inner_text()
    link.click()
    shows(page, list(upstream.thread_ids(user=user))[:20])
    expect(customer(page)).to_have_value(user)
    expect(page.locator("td.user a")).to_have_count(0)
    page.get_by_role("link", name="Remove the filter Customer").click()
    shows(page, list(upstream.thread_ids())[:20])
    expect(customer(page)).to_have_value("")
    expect(page).to_have_url("/threads/")


def test_emptying_the_field_clears_the_filter(page: Page, upstream: Emulator) -> None:
    page.goto(f"/threads/?user={upstream.users()[0]}")
    page.locator("#customer-summary").click()
    customer(page).fill("")
    apply(page)
    expect(page.locator("#customer-summary")).to_be_focused()
    shows(page, list(upstream.thread_ids())[:20])
    expect(page).to_have_url("/threads/")


def test_a_filter_starts_from_the_first_page(page: Page, upstream: Emulator) -> None:
    user = users_by_threads(upstream)[0]
    page.goto("/threads/")
    following(page).click()
    expect(page).to_have_url(re.compile("after="))
    page.keyboard.press("f")
    page.keyboard.type(user)
    page.keyboard.press("Enter")
    shows(page, list(upstream.thread_ids(user=user))[:20])
    expect(rows(page).first.locator(".thread a").first).to_be_focused()


def test_every_page_of_a_user_in_ascending_order(page: Page, upstream: Emulator) -> None:
    user = users_by_threads(upstream)[0]
    pages = pages_of(list(upstream.thread_ids("asc", user)), 3)
    page.goto(f"/threads/?user={user}&order=asc&limit=3")
    for expected in pages[1:]:
        following(page).click()
        shows(page, expected)
    for expected in pages[-2::-1]:
        previous(page).click()
        shows(page, expected)


def test_choosing_rows_and_order_submits(page: Page, upstream: Emulator, watch: Watch) -> None:
    page.goto("/threads/")
    choose(page, "100")
    shows(page, list(upstream.thread_ids())[:100])
    choose(page, "Oldest")
    shows(page, list(upstream.thread_ids("asc"))[:100])
    expect(page).to_have_url("/threads/?order=asc&limit=100")
    assert len(watch.documents()) == 1


def test_what_is_pasted_is_trimmed(signed_in: Open, upstream: Emulator) -> None:
    user = users_by_threads(upstream)[0]
    page = signed_in("/threads/", permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", f"  {user} \n")
    field = box(page)
    field.focus()
    field.press("Control+V")
    expect(field).to_have_value(user)
    field.press("Enter")
    shows(page, list(upstream.thread_ids(user=user))[:20])


def test_unknown_user_says_what_to_do(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/?user=nobody%20I%20know")
    expect(page.get_by_role("heading", name="No customer nobody I know")).to_be_visible()
    expect(page.locator(".pager a")).to_have_count(0)
    page.get_by_role("link", name="All threads").click()
    shows(page, list(upstream.thread_ids())[:20])


def test_a_typed_space_is_offered_to_be_removed(page: Page, upstream: Emulator) -> None:
    user = users_by_threads(upstream)[0]
    page.goto("/threads/")
    page.keyboard.press("f")
    page.keyboard.type(f" {user}")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Search without it").click()
    shows(page, list(upstream.thread_ids(user=user))[:20])


def test_a_page_beyond_the_list_offers_the_first(page: Page, upstream: Emulator) -> None:
    last = list(upstream.thread_ids())[-1]
    page.goto(f"/threads/?after={last}")
    expect(page.get_by_role("heading", name="Nothing on this page")).to_be_visible()
    page.get_by_role("link", name="Go to the first page").click()
    shows(page, list(upstream.thread_ids())[:20])


def test_strange_users_survive_the_address(page: Page, upstream: Emulator) -> None:
    for user in ("a&b=c", "100% + ü/?#", "你好 🙂", "a" * 512, "<b>'\"", "..", "a\u202eb"):
        came = upstream.arrive(1, user)
        page.goto("/threads/")
        shows_first = rows(page).first
        expect(shows_first).to_have_attribute("data-thread-id", came[0])
        shows_first.locator("td.user a").click()
        shows(page, came)
        expect(customer(page)).to_have_value(user)
        page.reload()
        shows(page, came)


def test_a_wrong_address_says_what_is_wrong_beside_the_field(page: Page, upstream: Emulator, watch: Watch) -> None:
    watch.expect_status(400)
    page.goto("/threads/?user=" + "x" * 600)
    field = customer(page)
    expect(field).to_be_visible()
    expect(field).to_have_attribute("aria-describedby", "user-error")
    expect(page.locator("#user-error")).to_contain_text("at most 512 characters")
    expect(field).to_have_value("x" * 600)
    expect(rows(page)).to_have_count(20)
    page.goto("/threads/?limit=1000&order=sideways")
    expect(page.locator("#limit-error")).to_contain_text("from 0 to 100")
    expect(page.locator("#order-error")).to_be_visible()
    expect(rows(page)).to_have_count(20)


def test_a_wrong_field_in_a_part(page: Page, upstream: Emulator, watch: Watch) -> None:
    watch.expect_status(400)
    page.goto("/threads/")
    page.keyboard.press("f")
    customer(page).evaluate("field => field.maxLength = 9999")
    customer(page).fill("x" * 600)
    customer(page).press("Enter")
    expect(page.locator("#user-error")).to_contain_text("at most 512 characters")
    expect(customer(page)).to_be_focused()
    page.go_back()
    shows(page, list(upstream.thread_ids())[:20])
    page.go_forward()
    expect(page.locator("#user-error")).to_be_visible()
    customer(page).fill("")
    customer(page).press("Enter")
    shows(page, list(upstream.thread_ids())[:20])
