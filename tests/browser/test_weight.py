"""What a first visit costs, and that all of it comes from here."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import following, rows
from tests.browser.talking import talk
from tests.browser.watching import Watch
from tests.support.serving import NAME, PASSWORD
from threads.emulator import Emulator

_MOST = 45_000
Record = Callable[[str, object], None]


def _weigh(page: Page) -> list[int]:
    """The bytes of every reply from now on, as they come over the wire, headers included."""
    weights: list[int] = []

    def finished(event: dict[str, Any]) -> None:
        weights.append(int(event["encodedDataLength"]))

    session = page.context.new_cdp_session(page)
    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
    return weights


def test_first_load_is_light(page: Page, upstream: Emulator, watch: Watch, record_property: Record) -> None:
    weights = _weigh(page)
    page.goto("/threads/")
    expect(rows(page)).to_have_count(20)
    page.wait_for_load_state("networkidle")
    record_property("first load, bytes", sum(weights))
    assert len(weights) >= 4
    assert sum(weights) <= 40_000
    assert len(watch.requests) <= 6


def test_the_first_load_of_a_conversation_is_light(page: Page, upstream: Emulator, record_property: Record) -> None:
    """Of 50 messages among 400, with all that its page asks for by itself where there is no room for the list, which is
    asked for afterwards. What finds in it comes when it is used, the styles of widgets with a widget."""
    page.set_viewport_size({"width": 390, "height": 844})
    thread = talk(upstream, 400)[0]
    weights = _weigh(page)
    page.goto(f"/threads/{thread}/")
    expect(page.locator("#items .item")).to_have_count(50)
    page.wait_for_load_state("networkidle")
    record_property("first load of a conversation, bytes", sum(weights))
    assert len(weights) >= 6
    assert sum(weights) < 48_000


def test_a_first_visit_with_its_sign_in_is_light(signed_out: Open, upstream: Emulator, record_property: Record) -> None:
    """From an empty browser to the table: the sign-in page, and the list with what it still needs."""
    page = signed_out()
    weights = _weigh(page)
    page.goto("/")
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(rows(page)).to_have_count(20)
    page.wait_for_load_state("networkidle")
    record_property("first visit, bytes", sum(weights))
    assert sum(weights) < _MOST


def test_turning_a_page_is_lighter_still(page: Page, upstream: Emulator, watch: Watch) -> None:
    page.goto("/threads/")
    page.wait_for_load_state("networkidle")
    weights = _weigh(page)
    before = len(watch.requests)
    following(page).click()
    expect(page.locator("a[rel=prev]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    asked = [request.resource_type for request in watch.requests[before:] if "icon" not in request.url]
    assert 1 <= len(asked) <= 2, "the page asked for, and the one after it, which may be fetched ahead"
    assert set(asked) <= {"xhr", "fetch"}
    assert max(weights) < 8_000


def test_nothing_is_cached_that_shows_customers(page: Page, upstream: Emulator) -> None:
    response = page.goto("/threads/")
    assert response is not None
    assert "no-store" in (response.header_value("cache-control") or "")
    following(page).click()
    expect(page.locator("a[rel=prev]")).to_be_visible()
    stored = page.evaluate("() => JSON.stringify([localStorage, sessionStorage, history.state])")
    assert "<" not in stored, "a page is kept in the browser"
