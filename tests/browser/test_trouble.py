"""When the upstream, the desk or the connection fails, the page says so and the way on is one click."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import chosen, customer, following, row_ids, rows, search_for, settled, shows, users_by_threads
from tests.browser.watching import Watch
from threads.emulator import Emulator, Fault


def test_fault_while_paging_then_try_again(page: Page, upstream: Emulator, watch: Watch) -> None:
    watch.expect_status(502)
    user = users_by_threads(upstream)[0]
    ids = list(upstream.thread_ids(user=user))
    page.goto(f"/threads/?user={user}&limit=5")
    upstream.fault = Fault.ERROR_503
    following(page).click()
    alert = page.get_by_role("alert").filter(has=page.get_by_role("heading"))
    expect(alert).to_contain_text("OpenAI can't be reached")
    expect(alert).to_contain_text("req_")
    expect(customer(page)).to_have_value(user)
    expect(page).to_have_url(re.compile(f"user={user}&limit=5&after="))
    expect(rows(page)).to_have_count(0)
    again = page.get_by_role("link", name="Try again")
    again.click()
    settled(page)
    expect(alert).to_be_visible()
    upstream.fault = None
    again.click()
    shows(page, ids[5:10])
    assert len(watch.documents()) == 1


@pytest.mark.parametrize(
    ("fault", "status", "says"),
    [
        (Fault.WRONG_KEY, 502, "The API key was not accepted"),
        (Fault.RATE_LIMIT_86400, 503, "wait 1 day"),
        (Fault.HANG, 504, "OpenAI took too long"),
        (Fault.HTML_200, 502, "OpenAI's answer isn't valid"),
        (Fault.GONE_410, 502, "OpenAI no longer offers this"),
    ],
    ids=lambda value: value.value if isinstance(value, Fault) else "",
)
def test_fault_of_a_whole_page(
    page: Page, upstream: Emulator, watch: Watch, fault: Fault, status: int, says: str
) -> None:
    watch.expect_status(status)
    upstream.fault = fault
    response = page.goto("/threads/?order=asc")
    assert response is not None
    assert response.status == status
    expect(page.locator("#browse").get_by_role("alert")).to_contain_text(says)
    assert chosen(page) == ["Oldest", "20"]
    upstream.fault = None
    page.get_by_role("link", name="Try again").click()
    shows(page, list(upstream.thread_ids("asc"))[:20])


def test_back_after_a_fault(page: Page, upstream: Emulator, watch: Watch) -> None:
    watch.expect_status(502)
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    following(page).click()
    shows(page, ids[20:40])
    page.mouse.move(0, 0)
    page.reload()  # so that nothing of the page to come has been fetched ahead
    shows(page, ids[20:40])
    upstream.fault = Fault.ERROR_500
    following(page).click()
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    upstream.fault = None
    page.go_back()
    shows(page, ids[20:40])
    page.go_forward()
    shows(page, ids[40:60])
    expect(page.get_by_role("link", name="Try again")).to_have_count(0)


def test_a_broken_row_is_a_row_that_says_so(page: Page, upstream: Emulator) -> None:
    user = users_by_threads(upstream)[5]
    upstream.fault = Fault.BAD_ROWS
    page.goto(f"/threads/?user={user}&limit=50")
    shown = row_ids(page)
    assert [thread for thread in upstream.thread_ids(user=user) if thread not in shown] == []
    expect(page.get_by_text("Part of this row could not be read").first).to_be_visible()


def _out_of_reach(page: Page, watch: Watch) -> Locator:
    """Presses Next while the desk does not answer; returns the alert."""
    watch.expect_message("net::ERR_FAILED", "htmx:afterRequest", "htmx:sendError")
    page.goto("/threads/")
    offline = page.locator("#offline[role=alert]")
    expect(offline).to_be_hidden()
    page.route("**/threads/**", lambda route: route.abort())
    following(page).click()
    expect(offline).to_be_visible()
    page.unroute("**/threads/**")
    return offline


def test_desk_out_of_reach(page: Page, upstream: Emulator, watch: Watch) -> None:
    ids = list(upstream.thread_ids())
    _out_of_reach(page, watch)
    assert row_ids(page) == ids[:20]
    expect(page).to_have_url("/threads/")
    following(page).click()
    shows(page, ids[20:40])


def test_desk_in_reach_again(page: Page, upstream: Emulator, watch: Watch) -> None:
    offline = _out_of_reach(page, watch)
    following(page).click()
    shows(page, list(upstream.thread_ids())[20:40])
    expect(offline).to_be_hidden()


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_of_somebody_elses_does_not_take_the_place_of_the_table(
    page: Page, upstream: Emulator, watch: Watch, status: int
) -> None:
    """As when a proxy in front of the desk answers in its stead."""
    watch.expect_status(502)
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    page.route("**/threads/**", lambda route: route.fulfill(status=status, body="<h1>Bad gateway</h1>"))
    following(page).click()
    expect(page.locator("#offline")).to_be_visible()
    assert row_ids(page) == ids[:20]
    page.unroute("**/threads/**")
    following(page).click()
    shows(page, ids[20:40])
    expect(page.locator("#offline")).to_be_hidden()


def test_a_lost_row_while_paging(page: Page, upstream: Emulator) -> None:
    """The thread that the address names is deleted meanwhile: the page says it, or shows the right rows."""
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    following(page).click()
    shows(page, ids[20:40])
    upstream.delete(ids[10])
    page.go_back()
    shows(page, ids[:10] + ids[11:21])


def test_spinner_for_long_waits_alone(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/")
    upstream.latency_ms = 600
    seen = page.evaluate(
        """() => new Promise((done) => {
          const spinner = document.querySelector(".spinner"), seen = [];
          const start = performance.now();
          const look = () => {
            seen.push([performance.now() - start, Number(getComputedStyle(spinner).opacity)]);
            performance.now() - start < 500 ? requestAnimationFrame(look) : done(seen);
          };
          document.querySelector("a[rel=next]").click();
          look();
        })"""
    )
    assert all(opacity == 0 for at, opacity in seen if at < 140), seen
    assert all(opacity == 1 for at, opacity in seen if at > 250), seen
    shows(page, list(upstream.thread_ids())[20:40])
    expect(page.locator(".spinner")).to_have_css("opacity", "0")


def test_the_last_click_wins(page: Page, upstream: Emulator, watch: Watch) -> None:
    """Another filter while a page is on its way: its rows are shown, not those that come late."""
    watch.expect_message("htmx:afterRequest", "htmx:sendAbort")
    user = users_by_threads(upstream)[0]
    page.goto("/threads/")
    upstream.latency_ms = 800
    following(page).click()
    page.wait_for_timeout(200)  # so that the slow call has begun
    upstream.latency_ms = 0
    search_for(page, user)
    shows(page, list(upstream.thread_ids(user=user))[:20])
    page.wait_for_timeout(1000)
    assert row_ids(page) == list(upstream.thread_ids(user=user))[:20]
    expect(page).to_have_url(re.compile(f"user={user}$"))
