"""axe-core finds nothing on any kind of page, in either theme."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, Stage
from tests.browser.looks import NARROW, PHONE, SMALL, WIDE, fine, violations
from tests.browser.steps import following, show_help, shows
from tests.browser.talking import EVERY_KIND, HOSTILE, Patchy, item_ids, load_all, more, open_find, reads
from tests.browser.watching import Watch
from threads.emulator import Emulator, Fault


def test_sign_in(signed_out: Open, watch: Watch) -> None:
    page = signed_out("/sign-in/")
    fine(page)
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    fine(page)


def test_account(signed_in: Open) -> None:
    page = signed_in("/account/")
    fine(page, WIDE, NARROW)
    page.get_by_role("link", name="Change password").click()
    page.get_by_role("button", name="Change password").wait_for()
    fine(page, WIDE, NARROW)


def test_sync(signed_in: Open) -> None:
    page = signed_in("/sync/")
    page.get_by_role("button", name="Sync now").wait_for()
    fine(page, WIDE, NARROW)


@pytest.mark.parametrize("address", ["/exports/", "/erasures/", "/reports/"])
def test_pages_with_nothing_yet(signed_in: Open, address: str) -> None:
    fine(signed_in(address), WIDE, NARROW)


def test_admin(signed_in: Open, watch: Watch) -> None:
    """The colours that the desk gives it are legible; its structure is Django's own."""
    # axe tries to style what it measures there. That the admin itself keeps to the policy is tested with the accounts.
    watch.expect_message("Applying inline style", "Policy violated: style-src", "load preload assets")
    for theme in ("light", "dark"):
        page = signed_in(color_scheme=theme)
        for address in ("/admin/", "/admin/auth/user/", "/admin/auth/user/add/"):
            page.goto(address)
            assert not [each for each in violations(page) if each.startswith("color-contrast")], (address, theme)


def test_list(signed_in: Open, upstream: Emulator) -> None:
    ids = list(upstream.thread_ids())
    upstream.set_status(ids[25], "snoozed", "An unknown status")
    upstream.set_title(ids[26], "a hidden \u202e character")
    page = signed_in("/threads/")
    fine(page, WIDE, PHONE)
    following(page).click()
    shows(page, ids[20:40])
    fine(page, WIDE, PHONE)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/threads/?user=nobody", 200),
        ("/threads/?user=nobody&after=cthr_x", 404),
        ("/threads/?limit=1000&order=x&user=" + "x" * 600, 400),
        ("/threads/?after=a&before=b", 400),
        ("/no/such/page", 404),
    ],
    ids=["empty", "gone", "invalid", "clash", "404"],
)
def test_other_pages(signed_in: Open, upstream: Emulator, watch: Watch, address: str, status: int) -> None:
    watch.expect_status(404, 400)
    page = signed_in()
    response = page.goto(address)
    assert response is not None
    assert response.status in (200, status)
    fine(page)


def test_problem(signed_in: Open, upstream: Emulator, watch: Watch) -> None:
    watch.expect_status(503, 502)
    upstream.fault = Fault.RATE_LIMIT_86400
    page = signed_in("/threads/?user=someone")
    page.get_by_role("link", name="Try again").wait_for()
    fine(page)


def test_broken_rows_and_newer_threads(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/?limit=5")
    following(page).click()
    shows(page, list(upstream.thread_ids())[5:10])
    upstream.arrive(2)
    page.locator("a[rel=prev]").click()
    page.get_by_role("link", name="Newer threads").wait_for()
    fine(page)
    upstream.fault = Fault.BAD_ROWS
    page.goto(f"/threads/?limit=50&user={upstream.users()[3]}")
    fine(page)


@pytest.fixture
def patchy(upstream: Emulator, stage: Stage) -> Patchy:
    stage.playing = patchy = Patchy()
    return patchy


def test_conversation(signed_in: Open, patchy: Patchy) -> None:
    """Every kind of item, as it is opened, and with a match found and all folds and the help open."""
    thread_id = list(patchy.thread_ids())[EVERY_KIND]
    page = signed_in(f"/threads/{thread_id}/")
    expect(page.locator(".others").locator("li, .muted").first).to_be_visible()
    reads(page, item_ids(patchy, thread_id))
    fine(page, WIDE, PHONE, SMALL)
    open_find(page).fill("parcel")
    page.evaluate("document.querySelectorAll('#pane details:not([data-pop])').forEach((fold) => { fold.open = true; })")
    expect(page.locator("#found")).to_contain_text("1 of")
    fine(page, WIDE, PHONE, SMALL)
    show_help(page)
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_in_viewport()
    fine(page, WIDE, PHONE, SMALL)


def test_conversation_in_forced_colours(signed_in: Open, patchy: Patchy) -> None:
    thread_id = list(patchy.thread_ids())[EVERY_KIND]
    page = signed_in(f"/threads/{thread_id}/", forced_colors="active")
    expect(page.locator(".others").locator("li, .muted").first).to_be_visible()
    fine(page)


def test_hostile_conversation(signed_in: Open, patchy: Patchy) -> None:
    thread_id = list(patchy.thread_ids())[HOSTILE]
    page = signed_in(f"/threads/{thread_id}/")
    load_all(page)
    reads(page, item_ids(patchy, thread_id))
    fine(page)


def test_conversation_in_trouble(signed_in: Open, patchy: Patchy, watch: Watch) -> None:
    watch.expect_status(404, 502)
    thread_id = list(patchy.thread_ids())[HOSTILE]
    patchy.hole = item_ids(patchy, thread_id)[49]
    page = signed_in(f"/threads/{thread_id}/?from=beginning")
    load_all(page)
    expect(more(page).get_by_role("alert")).to_be_visible()
    fine(page)
    for address in (f"/threads/{thread_id}/?at=cti_gone", "/threads/cthr_gone/"):
        page.goto(address)
        fine(page)
