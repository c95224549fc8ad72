"""Reports: seen by everybody, pressed with a pointer, and gone through with the keyboard alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import Open
from tests.browser.looks import PHONE, SMALL, WIDE, fine
from tests.browser.steps import focused, menu
from tests.browser.watching import Watch
from tests.support.serving import ROOT, Desk, serve


@pytest.fixture(scope="session")
def filled(chromium: str, data: Path, worker: str) -> Iterator[Desk]:
    """A desk whose archive has the threads of the embedded emulator."""
    place, settings = data / f"reports-{worker}", {"EMULATOR_THREADS": "300", "ARCHIVE": "threads"}
    with serve(place, settings) as desk:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        command = [sys.executable, "manage.py", "archive", "sync"]
        environment = kept | {"DATA_DIR": str(place)} | settings
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)
        yield desk


@pytest.fixture(scope="session")
def visitor_session(browser: Browser, filled: Desk) -> StorageState:
    with browser.new_context(timezone_id="America/New_York", base_url=filled.url) as context:
        page = context.new_page()
        page.goto("/sign-in/")
        page.get_by_role("button", name="Open the demo").click()
        expect(menu(page)).to_be_visible()
        return context.storage_state()


@pytest.fixture
def looking(signed_out: Open, filled: Desk, visitor_session: StorageState) -> Open:
    """Opens a browser at the filled desk."""

    def open_page(address: str | None = None, **options: Any) -> Page:
        its_own = {"base_url": filled.url, "storage_state": visitor_session, "timezone_id": "America/New_York"}
        return signed_out(address, **its_own | options)

    return open_page


def _opened(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")


def test_nothing_stands_in_anybodys_way(looking: Open) -> None:
    page = looking("/reports/")
    expect(page.locator("#bars")).to_be_visible()
    fine(page, WIDE, PHONE, SMALL)
    _opened(page)
    fine(page, WIDE, PHONE, SMALL)


def test_errors_and_forced_colours(looking: Open, watch: Watch) -> None:
    watch.expect_status(400)
    page = looking("/reports/?from=x&to=2026-01-01")
    expect(page.get_by_role("alert")).to_be_visible()
    fine(page)
    page = looking("/reports/", forced_colors="active")
    fine(page)


def test_a_part_of_a_bar_opens_the_threads_that_it_counts(looking: Open) -> None:
    page = looking("/reports/")
    mark = page.locator("section[aria-labelledby=bars] svg.wide a").first
    said = mark.locator("title").text_content() or ""
    count = re.search(r": (\d+) (\w+)$", said)
    assert count
    mark.click()
    expect(page).to_have_url(re.compile(rf"/threads/\?status={count[2]}&from=(\d{{4}}-\d\d-\d\d)&to=\1$"))
    expect(page.locator("tr[data-thread-id]")).to_have_count(int(count[1]))


def test_by_keyboard_alone(looking: Open) -> None:
    """The drawing is no stop on the way; its table has the same links."""
    page = looking("/reports/")
    page.get_by_role("link", name="All", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="All", exact=True)).to_have_attribute("aria-current", "true")
    fold = page.locator("section[aria-labelledby=bars] summary")
    page.locator(".figures-now a").last.focus()
    page.keyboard.press("Tab")
    expect(fold).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page)["tag"] == "A"
    assert focused(page)["visible"]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/threads/\?status="))


def test_a_range_is_chosen_without_a_script(looking: Open) -> None:
    page = looking("/reports/", java_script_enabled=False)
    page.get_by_label("First day").fill("2020-01-01")
    page.get_by_label("Last day").fill("2020-01-31")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"/reports/\?from=2020-01-01&to=2020-01-31$"))
    expect(page.get_by_text("No threads created 1 Jan 2020 to 31 Jan 2020")).to_be_visible()
