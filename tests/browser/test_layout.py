"""Narrow windows, low windows, large text, forced colours, paper."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import box, following, overflow, previous, rows, shows
from tests.browser.watching import Watch
from threads.emulator import Emulator, Fault

_SIZES = [(280, 653), (320, 256), (390, 844), (721, 600), (844, 390), (1366, 768), (3840, 1600)]


@pytest.mark.parametrize("size", _SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_no_sideways_scroll(signed_in: Open, upstream: Emulator, watch: Watch, size: tuple[int, int]) -> None:
    watch.expect_status(400, 502)
    page = signed_in("/threads/", viewport={"width": size[0], "height": size[1]})
    expect(rows(page)).to_have_count(20)
    assert overflow(page) == 0
    following(page).click()
    shows(page, list(upstream.thread_ids())[20:40])
    assert overflow(page) == 0
    for address in ("/threads/?user=nobody", "/threads/?limit=x&order=y&user=" + "z" * 600, "/no/such/page"):
        if address.startswith("/no"):
            watch.expect_status(404)
        page.goto(address)
        assert overflow(page) == 0
    upstream.fault = Fault.ERROR_503
    page.goto("/threads/")
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    assert overflow(page) == 0


def test_two_lines_a_row_on_a_phone(signed_in: Open, upstream: Emulator) -> None:
    ids = list(upstream.thread_ids())
    page = signed_in("/threads/", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    card = rows(page).first
    expect(card).to_have_css("display", "grid")
    box = card.bounding_box()
    assert box is not None
    assert box["width"] > 340
    for part in ("td.mark", "td.thread", "td.user", "td.created"):
        expect(card.locator(part)).to_be_visible()
    expect(following(page)).to_be_in_viewport()
    for link in (following(page), card, card.locator("td.user a")):
        size = link.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 24, "large enough for a finger"
    following(page).tap()
    shows(page, ids[20:40])
    expect(previous(page)).to_be_in_viewport()
    rows(page).last.scroll_into_view_if_needed()
    expect(previous(page)).to_be_in_viewport()
    previous(page).tap()
    shows(page, ids[:20])


def test_the_last_card_is_not_under_the_pager(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/", viewport={"width": 390, "height": 844})
    expect(rows(page)).to_have_count(20)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    last, pager = rows(page).last.bounding_box(), page.locator(".foot").bounding_box()
    assert last is not None
    assert pager is not None
    assert last["y"] + last["height"] <= pager["y"]


def test_the_table_still_is_one_for_a_screen_reader_on_a_phone(signed_in: Open, upstream: Emulator) -> None:
    """Styles that take the table apart must not take its roles along."""
    page = signed_in("/threads/", viewport={"width": 390, "height": 844})
    expect(page.get_by_role("table")).to_have_count(1)
    expect(page.get_by_role("row")).to_have_count(21)
    expect(page.get_by_role("columnheader")).to_have_count(5)
    expect(page.get_by_role("cell")).to_have_count(100)


def test_the_filter_stays_in_reach(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/?limit=50", viewport={"width": 1200, "height": 750})
    expect(rows(page)).to_have_count(50)
    page.locator("#rows").evaluate("rows => rows.scrollTo(0, 1500)")
    for part in (box(page), following(page)):
        expect(part).to_be_in_viewport()
    following(page).click()
    shows(page, list(upstream.thread_ids())[50:100])
    assert page.locator("#rows").evaluate("rows => rows.scrollTop") == 0
    expect(page.get_by_role("columnheader", name="Thread")).to_be_in_viewport()


@pytest.mark.parametrize("zoom", ["200%", "300%"])
def test_large_text(page: Page, upstream: Emulator, zoom: str) -> None:
    """The reader's own font size, twice and thrice the usual one."""
    page.goto("/threads/")
    page.evaluate("size => { document.documentElement.style.fontSize = size }", zoom)
    assert overflow(page) == 0


def test_text_spacing(page: Page, upstream: Emulator) -> None:
    """WCAG 1.4.12: nothing is cut off where the reader widens lines, words and letters."""
    page.goto("/threads/")
    page.evaluate(
        """() => {
          const sheet = new CSSStyleSheet();
          const rules = ["line-height: 1.5", "letter-spacing: .12em", "word-spacing: .16em"];
          sheet.replaceSync(`* { ${rules.map((rule) => `${rule} !important`).join(";")} }`);
          document.adoptedStyleSheets = [sheet];
        }"""
    )
    assert overflow(page) == 0
    cut = page.locator("td, th, button, .button, .field").evaluate_all(
        "all => all.filter((it) => it.scrollWidth > it.clientWidth + 1).map((it) => it.outerHTML.slice(0, 120))"
    )
    assert cut == []


def test_forced_colors(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/", forced_colors="active", color_scheme="dark")
    expect(rows(page)).to_have_count(20)
    mark = page.locator("tr.locked td.mark, tr.closed td.mark").first
    ink, ground = mark.evaluate(
        "it => [getComputedStyle(it, '::before').backgroundColor, getComputedStyle(document.body).backgroundColor]"
    )
    assert ink != ground
    following(page).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert following(page).evaluate("it => getComputedStyle(it).outlineStyle") == "solid"


def test_reduced_motion(signed_in: Open, upstream: Emulator) -> None:
    page = signed_in("/threads/", reduced_motion="reduce")
    upstream.latency_ms = 2000
    following(page).click(no_wait_after=True)
    expect(page.locator(".spinner")).to_have_css("opacity", "1")
    moving = page.evaluate("() => document.getAnimations().filter((it) => it.playState === 'running').length")
    assert moving == 0
    shows(page, list(upstream.thread_ids())[20:40])


def test_on_paper(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/")
    page.emulate_media(media="print")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.locator("caption")).to_be_visible()
    expect(page.locator(".bar")).to_be_hidden()
