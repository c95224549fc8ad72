"""What the table shows: times, ids, and texts that somebody wrote to do harm."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import customer, following, overflow, rows, show_ids, shows
from tests.browser.watching import Watch
from threads.emulator import Emulator

_SCRIPT = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>{{ 7*7 }}"
_LONG = "W" * 5000
_MANY = "long but with spaces " * 250
_TURNED = "invoice \u202egpj.exe\u202c and\u200b\u00ad hid\u2066den\u0000\u0007"
_PILED = "Z" + "\u0335\u0321\u0322\u0327" * 127
_RTL = "שלום, הזמנה 123 לא הגיעה (עדיין)!"


@pytest.mark.parametrize("width", [1280, 800, 390, 320])
def test_hostile_text_stays_text(signed_in: Open, upstream: Emulator, width: int, watch: Watch) -> None:
    ids = list(upstream.thread_ids())
    for place, text in enumerate((_SCRIPT, _LONG, _MANY, _TURNED, _RTL)):
        upstream.set_title(ids[place], text)
        upstream.set_status(ids[place], "locked" if place % 2 else "closed", text)
        upstream.set_status(upstream.arrive(1, text[:512])[0], "paused " + text[:600], text)
    page = signed_in("/threads/", viewport={"width": width, "height": 700})
    expect(rows(page)).to_have_count(20)
    expect(page.locator("td.thread").filter(has_text="{{ 7*7 }}")).to_contain_text(_SCRIPT)
    expect(page.locator("#browse").locator("img, script, [onerror]")).to_have_count(0)
    expect(page).to_have_title("Threads · Threadkeeper")
    assert overflow(page) == 0
    turned = page.locator(f"tr[data-thread-id={ids[3]}] td.thread")
    expect(turned.locator(".hidden-character").first).to_have_text("U+202E")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", page.locator("table").inner_text())
    for link in page.locator("td.user a").all()[:6]:
        assert (link.get_attribute("href") or "").startswith("/threads/?user=")
    page.locator("td.user a").filter(has_text="<img").click()
    expect(customer(page)).to_have_value(_SCRIPT[:512])
    expect(page).to_have_title(f"Threads of {_SCRIPT[:512]} · Threadkeeper")
    assert overflow(page) == 0
    assert len(watch.documents()) == 1


def test_a_pile_of_marks_stays_in_its_cell(page: Page, upstream: Emulator) -> None:
    """Hundreds of combining marks on one letter have no place to break a line at."""
    ids = list(upstream.thread_ids())
    upstream.set_title(ids[0], _PILED)
    upstream.set_status(ids[0], "closed", _PILED)
    upstream.arrive(1, _PILED)
    page.goto("/threads/")
    expect(rows(page)).to_have_count(20)
    assert overflow(page) == 0


def test_a_wide_cell_stays_in_its_column(page: Page, upstream: Emulator) -> None:
    """A text of 5,000 letters without a space does not paint over its neighbours."""
    thread = next(iter(upstream.thread_ids()))
    upstream.set_title(thread, _LONG)
    upstream.set_status(thread, "closed", _LONG)
    page.goto("/threads/")
    for cell in page.locator(f"tr[data-thread-id={thread}] td").all():
        assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth")


def test_null_and_empty_title(page: Page, upstream: Emulator) -> None:
    ids = list(upstream.thread_ids())
    upstream.set_title(ids[0], None)
    upstream.set_title(ids[1], "")
    upstream.set_title(ids[2], "New thread")
    page.goto("/threads/")
    for thread, text in zip(ids, ("No title", "Empty title", "New thread"), strict=False):
        expect(page.locator(f"tr[data-thread-id={thread}] td.thread")).to_contain_text(text)


def test_status_is_a_word_a_shape_and_the_reason(page: Page, upstream: Emulator) -> None:
    ids = list(upstream.thread_ids())
    upstream.set_status(ids[0], "active")
    upstream.set_status(ids[1], "locked", "Under legal review")
    upstream.set_status(ids[2], "closed", None)
    upstream.set_status(ids[3], "snoozed", "Until Monday")
    page.goto("/threads/")
    shapes = set()
    for thread, words in zip(
        ids, ("Active", "Locked Under legal review", "Closed No reason given", "snoozed Until Monday"), strict=False
    ):
        row = page.locator(f"tr[data-thread-id={thread}]")
        expect(row.locator("td.state")).to_have_text(re.compile(r"\s*".join(words.split(" ", 1))))
        for reason in row.locator(".reason").all():
            expect(reason).to_be_visible()
        shape, width = row.locator("td.mark").evaluate(
            "it => { const icon = getComputedStyle(it, '::before'); return [icon.clipPath, parseFloat(icon.width)]; }"
        )
        shapes.add(shape)
        assert width > 0, "the shape is drawn"
    assert len(shapes) == 4


@pytest.mark.parametrize(("name", "hours"), [("Asia/Tokyo", 9), ("Australia/Darwin", 9.5), ("UTC", 0)])
def test_times_in_the_zone_of_the_reader(
    signed_in: Open, upstream: Emulator, watch: Watch, name: str, hours: float
) -> None:
    ids = list(upstream.thread_ids())
    page = signed_in("/threads/", timezone_id=name)
    expect(page.locator("caption")).to_contain_text(f"times in {name}")
    time = page.locator("time").first
    moment = datetime.fromisoformat(time.get_attribute("datetime") or "")
    shown = datetime.strptime(f"{time.inner_text()} +0000", "%d %b %Y, %H:%M %z")
    assert abs((shown - moment) - timedelta(hours=hours)) < timedelta(minutes=1)
    following(page).click()
    shows(page, ids[20:40])
    assert len(watch.documents()) == (1 if name == "UTC" else 2), "made again once, where the zone was not known yet"


def test_copying_an_id(signed_in: Open, upstream: Emulator) -> None:
    ids = list(upstream.thread_ids())
    page = signed_in(permissions=["clipboard-read", "clipboard-write"])
    show_ids(page)
    button = page.locator(f"tr[data-thread-id={ids[4]}]").get_by_role("button", name="Copy thread id")
    button.click()
    expect(page.locator("#announcer")).to_have_text(f"Copied {ids[4]}")
    assert page.evaluate("navigator.clipboard.readText()") == ids[4]
    expect(button).to_be_focused()
    following(page).click()
    shows(page, ids[20:40])
    page.get_by_role("button", name="Copy thread id").first.click()
    expect(page.locator("#announcer")).to_have_text(f"Copied {ids[20]}")


def test_without_a_clipboard_the_id_is_selected(page: Page, upstream: Emulator) -> None:
    """As on a plain http address, where browsers give pages no clipboard."""
    ids = list(upstream.thread_ids())
    page.add_init_script("delete Navigator.prototype.clipboard")
    show_ids(page)
    page.get_by_role("button", name="Copy thread id").nth(2).click()
    expect(page.locator("#announcer")).to_have_text(re.compile("The id is selected"))
    assert page.evaluate("getSelection().toString()") == ids[2]
