"""How much of the list one sees at once. Each figure is printed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import following, rows, shows
from threads.emulator import Emulator

Record = Callable[[str, object], None]

_SHIFT = """() => new Promise((resolve) => {
  let shift = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) shift += each.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(shift), 300);
})"""

_PLACES = """() => {
  const foot = document.querySelector(".foot").getBoundingClientRect().top;
  const boxes = [...document.querySelectorAll("tr[data-thread-id]")].map((row) => row.getBoundingClientRect());
  const whole = boxes.filter((box) => box.top >= 0 && box.bottom <= foot).length;
  const heads = document.querySelector("#threads thead").getBoundingClientRect().height;
  return { first: boxes[0].top, whole, foot, heads, highest: Math.max(...boxes.map((box) => box.height)) };
}"""


def _places(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(_PLACES)
    return found


def _said(record_property: Record, what: str, figure: object) -> None:
    sys.stdout.write(f"{what}: {figure}\n")
    record_property(what, figure)


def _with_reasons(upstream: Emulator) -> None:
    for place, thread in enumerate(list(upstream.thread_ids())[:20]):
        if place % 3 == 0:
            upstream.set_status(thread, "locked", "Chargeback opened for £475.90; billing is waiting for the bank " * 3)


def test_a_screen_has_twenty_whole_rows(signed_in: Open, upstream: Emulator, record_property: Record) -> None:
    _with_reasons(upstream)
    page = signed_in("/threads/", viewport={"width": 1440, "height": 900})
    found = _places(page)
    _said(record_property, "whole rows at 1440 x 900", found["whole"])
    _said(record_property, "first row at 1440, px", found["first"])
    assert found["heads"] > 0, "column headers are to be seen"
    assert found["whole"] >= 20
    assert found["first"] <= 148


def test_a_phone_has_room_for_ten_rows(signed_in: Open, upstream: Emulator, record_property: Record) -> None:
    """Below the 152 px that the head of the page may take."""
    _with_reasons(upstream)
    page = signed_in("/threads/", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    found = _places(page)
    room = int((found["foot"] - 152) // found["highest"])
    _said(record_property, "highest row at 390, px", found["highest"])
    _said(record_property, "whole rows at 390 x 844 below 152 px", room)
    _said(record_property, "first row at 390, px", found["first"])
    assert room >= 10


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_shifts(signed_in: Open, upstream: Emulator, size: tuple[int, int], record_property: Record) -> None:
    page = signed_in("/threads/", viewport={"width": size[0], "height": size[1]})
    page.wait_for_load_state("networkidle")
    shift = page.evaluate(_SHIFT)
    _said(record_property, f"layout shift at {size[0]}", shift)
    assert shift == 0
    following(page).click()
    shows(page, list(upstream.thread_ids())[20:40])
    # What a press moves is no shift, but a browser tells it by half a second, which a busy machine takes longer for.
    turned = page.evaluate(_SHIFT)
    rows(page).first.hover()
    assert page.evaluate(_SHIFT) == turned


def test_a_fold_shows_the_whole_reason_and_opens_nothing(page: Page, upstream: Emulator) -> None:
    _with_reasons(upstream)
    page.goto("/threads/")
    first = rows(page).first
    reason = first.locator(".reason")
    before = first.bounding_box()
    assert reason.evaluate("it => it.parentElement.scrollWidth > it.parentElement.clientWidth")
    first.locator("summary").click()
    after = first.bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] > before["height"]
    assert not reason.evaluate("it => it.parentElement.scrollWidth > it.parentElement.clientWidth")
    expect(page).to_have_url("/threads/")


def test_the_whole_row_is_the_link(page: Page, upstream: Emulator) -> None:
    thread = next(upstream.thread_ids())
    page.goto("/threads/")
    rows(page).first.click(position={"x": 4, "y": 4})
    expect(page).to_have_url(f"/threads/{thread}/")
    page.goto("/threads/")
    rows(page).first.locator("time").click()
    expect(page).to_have_url(f"/threads/{thread}/")


def test_a_selection_brings_its_bar_and_takes_the_pager_s_place(signed_in: Open, upstream: Emulator) -> None:
    for script in (True, False):
        page = signed_in("/threads/?limit=5", java_script_enabled=script)
        bar, foot = page.locator(".bulk"), page.locator(".foot")
        expect(bar).to_be_hidden()
        expect(rows(page).first.locator(".pick")).to_have_css("opacity", "0")
        rows(page).first.hover()
        expect(rows(page).first.locator(".pick")).to_have_css("opacity", "1")
        rows(page).nth(1).locator(".pick").check()
        expect(bar).to_be_visible()
        expect(foot).to_be_hidden()
        expect(rows(page).nth(4).locator(".pick")).to_have_css("opacity", "1")
        bar.get_by_role("button", name="Clear").click()
        expect(bar).to_be_hidden()


def test_shift_selects_a_block_and_x_the_row(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/")
    rows(page).nth(1).locator(".pick").check()
    rows(page).nth(4).locator(".pick").click(modifiers=["Shift"])
    expect(page.locator(".pick:checked")).to_have_count(4)
    expect(page.locator("#announcer")).to_have_text("4 selected")
    counted = page.locator(".picked").evaluate("it => getComputedStyle(it, '::before').content")
    assert counted == "counter(picked)"
    rows(page).nth(6).locator("a.title").focus()
    page.keyboard.press("x")
    expect(page.locator(".pick:checked")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(rows(page).nth(7).locator(".pick")).to_be_checked()
    page.keyboard.press("x")
    expect(rows(page).nth(7).locator(".pick")).not_to_be_checked()


def test_all_of_the_list_is_offered_once_all_of_the_page_is_selected(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/?limit=5")
    whole = page.get_by_role("button", name="Export all of this list…")
    rows(page).first.locator(".pick").check()
    expect(whole).to_be_hidden()
    page.get_by_label("All 5 on this page").check()
    expect(whole).to_be_visible()
    with page.expect_download() as started:
        whole.click()
    assert started.value.suggested_filename.endswith(".csv")


def test_a_finger_selects_after_select(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    box = rows(page).first.locator(".pick")
    expect(box).to_have_css("opacity", "0")
    page.get_by_label("Select", exact=True).tap()
    expect(box).to_have_css("opacity", "1")
    box.tap()
    expect(page.locator(".bulk")).to_be_visible()


def test_keys_scroll_the_rows_where_nothing_has_the_focus(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/?limit=100", viewport={"width": 1440, "height": 900})
    area = page.locator("#rows")
    page.keyboard.press("PageDown")
    assert area.evaluate("it => it.scrollTop") > 400
    page.keyboard.press("Home")
    assert area.evaluate("it => it.scrollTop") == 0


def test_the_accessibility_tree_has_a_table_at_every_width(signed_in: Open, upstream: Emulator) -> None:
    """As the browser computes it: styles that take the table apart must not take its roles along."""
    page = signed_in("/threads/?limit=3")
    for width in (1440, 1024, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        found = [each["role"]["value"] for each in nodes if not each["ignored"]]
        counts = [found.count(role) for role in ("table", "row", "columnheader", "cell")]
        assert counts == [1, 4, 5, 15], width
