"""Downloading a list and a user, with the mouse and with the keyboard, and waiting for what takes longer."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.looks import NARROW, WIDE, fine
from tests.browser.steps import users_by_threads
from tests.support.serving import Desk
from threads.emulator import Emulator

_WORK = "from threads.exports import tasks; tasks.work()"
_EMPTY = "from threads.exports.models import Export; Export.objects.all().delete()"


@pytest.fixture(autouse=True)
def none_left(desk: Desk) -> Iterator[None]:
    yield
    desk.manage("shell", "--verbosity", "0", "--command", _EMPTY)


def work(desk: Desk) -> None:
    """What a worker does."""
    desk.manage("shell", "--verbosity", "0", "--command", _WORK)


def opened(page: Page) -> None:
    page.locator(".downloads summary").click()


def test_a_list_by_click(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/?order=asc")
    opened(page)
    with page.expect_download() as started:
        page.get_by_role("button", name="This list as CSV").click()
    text = Path(started.value.path()).read_bytes().decode("utf-8-sig")
    assert re.fullmatch(r"threads-\d{4}-\d\d-\d\d\.csv", started.value.suggested_filename)
    found = [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert found == list(upstream.thread_ids(order="asc"))
    expect(page).to_have_url(re.compile(r"/threads/\?order=asc$"))


def test_a_list_by_keyboard(page: Page, upstream: Emulator) -> None:
    user = users_by_threads(upstream)[0]
    page.goto("/threads/")
    page.keyboard.press("f")
    page.keyboard.type(user)
    page.keyboard.press("Enter")
    expect(page.locator("button[formaction='/exports/user/']")).to_have_count(1)
    page.locator(".downloads summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="This list as JSON Lines")).to_be_focused()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    found = [json.loads(line)["id"] for line in Path(started.value.path()).read_text(encoding="utf-8").splitlines()]
    assert found == list(upstream.thread_ids(user=user))


def test_a_user_from_asking_to_deleting(page: Page, upstream: Emulator, desk: Desk) -> None:
    user = users_by_threads(upstream)[0]
    page.goto(f"/threads/?user={user}")
    page.get_by_role("button", name="Export everything").click()
    expect(page.get_by_role("heading", name="Waiting to start")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    work(desk)
    # The page finds out by itself.
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Ready")).to_have_count(1)
    with page.expect_download() as started:
        page.get_by_role("button", name=re.compile("^Download user-")).click()
    with ZipFile(started.value.path()) as found:
        assert json.loads(found.read("manifest.json"))["threads"] == len(list(upstream.thread_ids(user=user)))
    page.get_by_role("link", name="All exports").click()
    expect(page.get_by_role("link", name=f"Everything of {user}")).to_be_visible()
    page.get_by_role("link", name=f"Everything of {user}").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No exports yet")).to_be_visible()


def test_without_scripts(signed_in: Open, upstream: Emulator, desk: Desk) -> None:
    user = users_by_threads(upstream)[0]
    page = signed_in(f"/threads/?user={user}", java_script_enabled=False)
    page.get_by_role("button", name="Export everything").click()
    work(desk)
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()


def test_pages_are_for_everybody(signed_in: Open, upstream: Emulator, desk: Desk) -> None:
    user = users_by_threads(upstream)[0]
    page = signed_in(f"/threads/?user={user}")
    opened(page)
    fine(page, WIDE, NARROW)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Export everything").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    fine(page, WIDE, NARROW)
    work(desk)
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()
    fine(page, WIDE, NARROW)
    page.goto("/exports/")
    fine(page, WIDE, NARROW)
