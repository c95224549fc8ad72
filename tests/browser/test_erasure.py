"""Erasing with the keyboard alone, from the selection to the receipt, in both themes and on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.looks import NARROW, WIDE, fine
from tests.browser.steps import row_ids
from tests.browser.watching import Watch
from tests.support.serving import Desk
from threads.emulator import Emulator

_WORK = "from threads.erasure.tasks import take_up; take_up()"
_EMPTY = """
from threads.archive.models import Tombstone
from threads.erasure.models import Erasure, Target
for model in (Target, Erasure, Tombstone):
    model.objects.all().delete()
"""


@pytest.fixture(autouse=True)
def emptied(desk: Desk) -> Iterator[None]:
    """Each test has an upstream of its own with the same threads, which must not count as erased."""
    yield
    desk.manage("shell", "--verbosity", "0", "--command", _EMPTY)


@pytest.fixture
def worker_comes(desk: Desk) -> Callable[[], None]:
    return lambda: desk.manage("shell", "--verbosity", "0", "--command", _WORK)


def _to(page: Page, selector: str, most: int = 60) -> None:
    """Tab, until that has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_with_the_keyboard_alone(
    page: Page, upstream: Emulator, worker_comes: Callable[[], None], watch: Watch
) -> None:
    watch.expect_status(400)
    page.goto("/threads/?limit=5")
    ids = row_ids(page)
    for number in (0, 2):
        _to(page, f"tr[data-thread-id='{ids[number]}'] .pick", 120)
        page.keyboard.press("Space")
    expect(page.locator("#announcer")).to_have_text("2 selected")
    _to(page, "button.danger[form=selection]", 60)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Erase 2 threads")
    _to(page, "#typed")
    page.keyboard.type("erase everything")
    page.keyboard.press("Enter")
    expect(page.locator("#typed-error")).to_be_visible()
    expect(page.locator("#typed")).to_be_focused()
    expect(page.locator("#typed")).to_have_value("erase everything")
    assert set(ids) <= set(upstream.thread_ids())
    page.keyboard.press("Control+A")
    page.keyboard.type("erase 2 threads")
    _to(page, ".sure .danger")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    worker_comes()
    # The page asks by itself.
    expect(page.get_by_text("Done.")).to_be_visible(timeout=15_000)
    expect(page.locator(".outcomes li.erased")).to_have_count(2)
    assert {ids[0], ids[2]}.isdisjoint(upstream.thread_ids())
    assert {ids[1], ids[3], ids[4]} <= set(upstream.thread_ids())
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download as JSON").click()
    assert downloading.value.suggested_filename.startswith("erasure-")


def test_all_on_a_page_are_selected_at_once(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/?limit=5")
    page.locator(".pick").first.check()
    page.get_by_label("All 5 on this page").check()
    expect(page.locator(".pick:checked")).to_have_count(5)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".pick:checked")).to_have_count(0)
    page.locator(".pick").first.check()
    page.get_by_label("All 5 on this page").check()
    page.evaluate("document.querySelector('#next').click()")
    expect(page.locator(".pick:checked")).to_have_count(0)


def test_without_javascript(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/?limit=5", java_script_enabled=False)
    page.locator(".pick").first.check()
    page.get_by_role("button", name="Erase…").click()
    one = next(upstream.thread_ids())
    expect(page.locator(".phrase")).to_have_text(one)
    page.locator("#typed").fill(one)
    page.get_by_role("button", name="Erase permanently").click()
    expect(page.get_by_text("Waiting to start")).to_be_visible()


def test_every_page_of_it(signed_in: Open, upstream: Emulator, worker_comes: Callable[[], None], watch: Watch) -> None:
    watch.expect_status(400)
    user = max(upstream.users(), key=lambda name: len(list(upstream.thread_ids(user=name))))
    page = signed_in(f"/threads/?user={user}")
    fine(page, WIDE, NARROW)
    page.get_by_role("group", name="Customer").get_by_role("link", name="Erase…").click()
    page.locator("#typed").wait_for()
    fine(page, WIDE, NARROW)
    page.locator("#typed").fill("wrong")
    page.get_by_role("button", name="Erase permanently").click()
    page.locator("#typed-error").wait_for()
    fine(page, WIDE, NARROW)
    page.locator("#typed").fill(user)
    page.get_by_role("button", name="Erase permanently").click()
    page.get_by_text("Waiting to start").wait_for()
    fine(page, WIDE, NARROW)
    worker_comes()
    page.get_by_text("Done.").wait_for(timeout=15_000)
    fine(page, WIDE, NARROW)
    page.emulate_media(media="print")
    expect(page.locator(".outcomes")).to_be_visible()
    for gone in (page.get_by_role("link", name="Download as JSON"), page.get_by_role("banner")):
        expect(gone).to_be_hidden()
    page.emulate_media(media="screen")
    page.goto("/erasures/")
    fine(page, WIDE, NARROW)
