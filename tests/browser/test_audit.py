"""The audit log and the accounts' pages in a browser: by keyboard, without a script, at any size."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.looks import PHONE, SMALL, WIDE, fine
from tests.browser.steps import focused, following, overflow, previous, rows
from tests.browser.watching import Watch
from tests.support.serving import NAME, Desk
from threads.emulator import Emulator


def _events(page: Page) -> list[str]:
    found: list[str] = page.locator("tr[data-event]").evaluate_all("rows => rows.map(row => row.dataset.event)")
    return found


@pytest.fixture
def used(signed_in: Open, upstream: Emulator) -> Page:
    """A browser in which some threads have been read, so that there is something to tell."""
    page = signed_in("/threads/")
    user = upstream.users()[0]
    for address in (f"/threads/?user={user}", "/threads/?q=refund", f"/threads/{next(upstream.thread_ids())}/"):
        page.goto(address)
    return page


def test_nothing_stands_in_anybodys_way(signed_in: Open, used: Page) -> None:
    page = signed_in("/audit/")
    expect(page.locator("tr[data-event]").first).to_be_visible()
    fine(page, WIDE, PHONE, SMALL)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    fine(page, WIDE, PHONE, SMALL)


def test_twenty_acts_fit_a_screen(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/audit/", viewport={"width": 1440, "height": 900})
    for address in ["/audit/", *(f"/threads/{each}/" for each in list(upstream.thread_ids())[:12])] * 2:
        page.goto(address)
    page.goto("/audit/")
    boxes = page.locator("tr[data-event]").evaluate_all("rows => rows.map(row => row.getBoundingClientRect().toJSON())")
    assert max(each["height"] for each in boxes) <= 36
    assert sum(each["bottom"] <= 900 for each in boxes) >= 20
    # What a line has no room for stands in its fold.
    ids = page.locator("tr[data-event] .id").all_inner_texts()
    assert ids
    page.locator("tr[data-event]", has_text=ids[0]).locator("summary").first.click()
    expect(page.locator("details[open] dd").filter(has_text=ids[0])).to_be_visible()


def test_what_is_wrong_and_what_is_not_there(signed_in: Open, watch: Watch) -> None:
    watch.expect_status(400)
    page = signed_in("/audit/?action=fly&from=x")
    expect(page.get_by_role("alert")).to_be_visible()
    fine(page)
    page.goto("/audit/?account=nobody")
    expect(page.get_by_text("No events match")).to_be_visible()
    fine(page)


def test_by_keyboard_alone(used: Page) -> None:
    page = used
    page.goto("/audit/")
    page.get_by_role("searchbox", name="Account").focus()
    page.keyboard.type(NAME)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/audit/\?account={NAME}$"))
    expect(page.get_by_role("searchbox", name="Account")).to_have_value(NAME)
    details = page.locator("tr[data-event] summary").first
    details.focus()
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-event] dl").first).to_be_visible()
    page.get_by_role("link", name="Clear all").focus()
    assert focused(page)["visible"]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/audit/$"))


def test_pages_are_turned_without_leaving_the_page(used: Page, watch: Watch) -> None:
    page = used
    for _ in range(6):
        page.goto("/audit/?limit=200")
    page.goto(f"/audit/?account={NAME}&order=asc")
    page.goto(f"/audit/?account={NAME}&order=asc&limit=5")
    first, documents = _events(page), len(watch.documents())
    following(page).click()
    expect(page).to_have_url(re.compile(r"after=\d+$"))
    expect(page.locator(f"tr[data-event='{first[0]}']")).to_have_count(0)
    assert not set(_events(page)) & set(first)
    previous(page).click()
    expect(page.locator(f"tr[data-event='{first[0]}']")).to_have_count(1)
    assert _events(page) == first
    assert len(watch.documents()) == documents


def test_without_a_script(signed_in: Open, used: Page) -> None:
    page = signed_in("/audit/", java_script_enabled=False)
    page.get_by_label("Event", exact=True).select_option("Read a conversation")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"action=read"))
    assert page.locator("tr[data-event] summary").all_inner_texts()
    for said in page.locator("tr[data-event] summary").all_inner_texts():
        assert said.startswith("Read")
    page.locator("tr[data-event] .on a", has_text="Open").first.click()
    expect(page.locator("#title")).to_be_visible()


def test_the_file_is_downloaded(used: Page) -> None:
    page = used
    page.goto("/audit/?action=read")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Export CSV").click()
    assert re.fullmatch(r"audit-log-[\dT-]+Z\.csv", taken.value.suggested_filename)
    assert taken.value.path().read_bytes().startswith(b"\xef\xbb\xbfnumber,time,account")


def test_from_the_audit_log_and_back_to_the_list(used: Page) -> None:
    page = used
    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("link", name="Audit log")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Threads", exact=True).click()
    expect(rows(page).first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_accounts_are_looked_after_under_the_strict_policy(signed_in: Open, desk: Desk, theme: str) -> None:
    """The policy forbids what stands inline; `watch` fails on whatever of the admin's runs into it."""
    page = signed_in("/admin/", color_scheme=theme)
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("link", name="Add user").first.click()
    page.get_by_label("Username").fill(f"linus-{theme}")
    page.locator("#id_password1").fill("a loom of one's own")
    page.locator("#id_password2").fill("a loom of one's own")
    page.get_by_role("button", name="Save", exact=True).click()
    auditor = page.get_by_role("checkbox", name=re.compile("Auditor"))
    auditor.check()
    assert overflow(page) == 0
    expect(page.locator("strong", has_text="Auditor")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("row", name=re.compile(f"linus-{theme}"))).to_contain_text("Auditor")
    page.goto("/audit/?action=roles")
    expect(page.get_by_text(f"Gave linus-{theme} the role Auditor")).to_be_visible()
