"""Keeping a view of the list."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import focused, overflow, shows
from tests.browser.watching import Watch
from threads.emulator import Emulator


def _panel(page: Page) -> None:
    page.locator("#views > summary").focus()
    page.keyboard.press("Enter")


def _delete(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(page.get_by_text(f"Deleted the view “{name}”.")).to_be_visible()


def test_save_open_and_delete_by_keyboard(page: Page, upstream: Emulator, watch: Watch) -> None:
    oldest = list(upstream.thread_ids("asc"))[:5]
    page.goto("/threads/?order=asc&limit=5")
    _panel(page)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Save this view as")).to_be_focused()
    assert focused(page)["visible"]
    page.keyboard.type("The first ones")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Share with the team")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    said = page.get_by_text("Saved “The first ones”. It is shared with the team.")
    expect(said).to_be_visible()
    expect(page.get_by_role("status").filter(has=said)).to_be_focused()
    expect(page).to_have_url("/threads/?order=asc&limit=5")

    page.goto("/threads/")
    documents = len(watch.documents())
    page.locator("#views > summary").focus()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="The first ones")).to_be_focused()
    assert focused(page)["visible"]
    page.keyboard.press("Enter")
    shows(page, oldest)
    expect(page).to_have_url("/threads/?order=asc&limit=5")
    assert len(watch.documents()) == documents, "a view opens as any link of the list does"

    expect(page.get_by_role("link", name="The first ones")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("link", name="All")).not_to_have_attribute("aria-current", "true")
    _panel(page)
    for name in ("the name", "sharing", "Save", "Unshare The first ones", "Delete The first ones"):
        page.keyboard.press("Tab")
        assert focused(page)["visible"], name
    expect(page.get_by_role("button", name="Delete The first ones")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Deleted the view “The first ones”.")).to_be_visible()
    shows(page, oldest)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Open its list")).to_be_focused()


def test_enter_in_the_name_saves_beside_views_that_could_be_deleted(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/?limit=5")
    for name in ("One", "Two"):
        _panel(page)
        page.get_by_label("Save this view as").fill(name)
        page.get_by_label("Save this view as").press("Enter")
        expect(page.get_by_text(f"Saved “{name}”. Only you see it.")).to_be_visible()
    for name in ("One", "Two"):
        _panel(page)
        _delete(page, name)


def test_on_a_phone_without_a_script(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/?limit=5", java_script_enabled=False, viewport={"width": 320, "height": 640})
    page.locator("#views > summary").click()
    page.get_by_label("Save this view as").fill("n" * 80)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Only you see it.")).to_be_visible()
    page.locator("#views > summary").click()
    assert overflow(page) <= 0
    page.get_by_role("button", name="Share n").click()
    expect(page.get_by_text("is shared with the team.")).to_be_visible()
    page.locator("#views > summary").click()
    _delete(page, "n" * 80)
