"""Next and Previous: the same pages forwards and backwards, in every way a browser can come to them."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import choose, chosen, following, pages_of, previous, row_ids, search_for, settled, shows
from tests.browser.watching import Watch
from threads.emulator import Emulator


def test_next_and_previous_are_the_same_pages(page: Page, upstream: Emulator, watch: Watch) -> None:
    pages = pages_of(list(upstream.thread_ids()))
    page.goto("/threads/")
    shows(page, pages[0])
    expect(previous(page)).to_have_count(0)
    expect(page.get_by_text("Newest threads", exact=True)).to_be_visible()
    for rows in pages[1:3]:
        following(page).click()
        shows(page, rows)
    for rows in pages[1::-1]:
        previous(page).click()
        shows(page, rows)
    expect(previous(page)).to_have_count(0)
    assert len(watch.documents()) == 1, "a page was loaded whole where a part was enough"


def test_walk_to_the_end_and_back(page: Page, upstream: Emulator) -> None:
    pages = pages_of(list(upstream.thread_ids()), 50)
    page.goto("/threads/?limit=50")
    for rows in pages[1:]:
        following(page).click()
        shows(page, rows)
    expect(following(page)).to_have_count(0)
    expect(page.get_by_text("End of the list", exact=True)).to_be_visible()
    for rows in pages[-2::-1]:
        previous(page).click()
        shows(page, rows)
    expect(previous(page)).to_have_count(0)


def test_oldest_first(page: Page, upstream: Emulator) -> None:
    pages = pages_of(list(upstream.thread_ids("asc")))
    page.goto("/threads/")
    choose(page, "Oldest")
    shows(page, pages[0])
    expect(page.get_by_text("Oldest threads", exact=True)).to_be_visible()
    following(page).click()
    shows(page, pages[1])
    previous(page).click()
    shows(page, pages[0])
    expect(previous(page)).to_have_count(0)


def test_back_forward_reload_and_a_shared_address(page: Page, signed_in: Open, upstream: Emulator) -> None:
    pages = pages_of(list(upstream.thread_ids()))
    page.goto("/threads/")
    for rows in pages[1:3]:
        following(page).click()
        shows(page, rows)
    address = page.url
    page.go_back()
    shows(page, pages[1])
    page.go_back()
    shows(page, pages[0])
    page.go_forward()
    shows(page, pages[1])
    page.go_forward()
    shows(page, pages[2])
    assert page.url == address
    page.reload()
    shows(page, pages[2])
    expect(page.get_by_role("banner")).to_be_visible()
    tab = page.context.new_page()
    tab.goto(address)
    shows(tab, pages[2])
    shows(signed_in(address), pages[2])


def test_title_and_address_follow_the_page(page: Page, upstream: Emulator) -> None:
    user = next(iter(upstream.users()))
    page.goto("/threads/")
    search_for(page, user)
    expect(page).to_have_title(f"Threads of {user} · Threadkeeper")
    expect(page).to_have_url(f"/threads/?user={user}")
    expect(page.locator("title")).to_have_count(1)


def test_without_javascript(signed_in: Open, upstream: Emulator) -> None:
    pages = pages_of(list(upstream.thread_ids()), 50)
    page = signed_in("/threads/?limit=50", java_script_enabled=False)
    shows(page, pages[0])
    for rows in pages[1:]:
        following(page).click()
        shows(page, rows)
    expect(page.get_by_text("End of the list", exact=True)).to_be_visible()
    page.reload()
    shows(page, pages[-1])
    page.go_back()
    shows(page, pages[-2])
    page.go_forward()
    for rows in pages[-2::-1]:
        previous(page).click()
        shows(page, rows)
    expect(previous(page)).to_have_count(0)
    choose(page, "100")
    shows(page, list(upstream.thread_ids())[:100])
    expect(page.get_by_role("button", name="Copy thread id")).to_have_count(0)


def test_double_click_on_next_turns_one_page(page: Page, upstream: Emulator, watch: Watch) -> None:
    pages = pages_of(list(upstream.thread_ids()))
    watch.expect_message("htmx:afterRequest", "htmx:sendAbort")
    page.goto("/threads/")
    upstream.latency_ms = 300
    following(page).click(click_count=2, delay=20)
    shows(page, pages[1])
    settled(page)
    page.wait_for_timeout(500)
    assert row_ids(page) == pages[1]
    upstream.latency_ms = 0
    page.go_back()
    shows(page, pages[0])


def test_next_in_a_tab_of_its_own(page: Page, upstream: Emulator) -> None:
    pages = pages_of(list(upstream.thread_ids()))
    page.goto("/threads/")
    with page.context.expect_page() as opened:
        following(page).click(modifiers=["ControlOrMeta"])
    shows(opened.value, pages[1])
    assert row_ids(page) == pages[0]


def test_any_number_of_rows_in_the_address(page: Page, upstream: Emulator) -> None:
    pages = pages_of(list(upstream.thread_ids()), 7)
    page.goto("/threads/?limit=7")
    assert chosen(page) == ["Newest", "7"]
    following(page).click()
    shows(page, pages[1])
    assert chosen(page) == ["Newest", "7"]


def test_a_page_fetched_ahead_is_not_fetched_again(page: Page, upstream: Emulator) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    with page.expect_response(lambda response: "after=" in response.url):
        following(page).hover()
    assert row_ids(page) == ids[:20]
    following(page).click()
    shows(page, ids[20:40])
    asked = [query for _, _, query in upstream.calls if f"after={ids[19]}" in query]
    assert len(asked) == 1


def test_first_page_again(page: Page, upstream: Emulator) -> None:
    pages = pages_of(list(upstream.thread_ids()))
    page.goto("/threads/")
    for rows in pages[1:3]:
        following(page).click()
        shows(page, rows)
    page.get_by_role("link", name="First page").click()
    shows(page, pages[0])
    expect(page.get_by_role("link", name="First page")).to_have_count(0)


def test_newer_threads_are_told_and_shown(page: Page, upstream: Emulator) -> None:
    before = list(upstream.thread_ids())
    page.goto("/threads/")
    following(page).click()
    shows(page, before[20:40])
    came = upstream.arrive(3)[::-1]
    previous(page).click()
    shows(page, before[:20])
    expect(page.get_by_text("Newer threads have arrived since you opened the list.")).to_be_visible()
    newer = page.get_by_role("link", name="Newer threads")
    expect(newer).to_have_attribute("rel", "prev")
    newer.click()
    shows(page, came)
    expect(previous(page)).to_have_count(0)
    expect(page.get_by_text("These threads arrived since you opened the list.")).to_be_visible()
    following(page).click()
    shows(page, before[:20])
