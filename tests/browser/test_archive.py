"""Finding in the archive, and reading from it while the upstream is down."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, StorageState, expect

from tests.browser.conftest import Open
from tests.browser.looks import NARROW, WIDE, fine
from tests.browser.steps import apply, box, choose, following, overflow, previous, rows, search_for, settled, shows
from tests.browser.talking import find_box, item_ids, landed, marked, said
from tests.support.serving import Desk
from threads.emulator import Emulator, Fault

_EMPTY = """
from threads.archive.models import *
from django.db import transaction
with transaction.atomic():
    for model in (
        SearchDoc, Word, ArchivedItem, ArchivedThread, QuarterCount, Day, ArchivedUser, Reason, Progress, StoredOutage,
        SyncRun,
    ):  # fmt: skip
        model.objects.all().delete()
    ThreadState.objects.update(threads=0)
"""

_SENTENCE = "The zeppelin from my order will not inflate."


@pytest.fixture(autouse=True, scope="module")
def nothing_remembered(session: StorageState, desk: Desk) -> Iterator[None]:
    """Whether there is an archive at all, which is where there are states, a server remembers for five seconds."""
    time.sleep(5)
    yield
    desk.manage(
        "shell",
        "--verbosity",
        "0",
        "--command",
        "from threads.archive.models import *; ThreadState.objects.all().delete()",
    )
    time.sleep(5)


@pytest.fixture(autouse=True)
def emptied(desk: Desk) -> Iterator[None]:
    """Each test has an upstream of its own at the same address, so none may find what another copied."""
    yield
    desk.manage("shell", "--verbosity", "0", "--command", _EMPTY)
    time.sleep(0.2)


@pytest.fixture
def sync(desk: Desk) -> Callable[[], None]:
    def run() -> None:
        desk.manage("archive", "sync", "--requests-per-minute", "1000000")

    return run


@pytest.fixture
def told(upstream: Emulator) -> list[str]:
    """The threads of which somebody speaks of zeppelins, newest first: in the 60th of 70 messages of the first, and as
    the first message of the others."""
    ids = list(upstream.thread_ids())
    chosen = [ids[3], ids[60], ids[90]]
    before = [said(f"Message number {number}.") for number in range(1, 60)]
    after = [said(f"Message number {number}.") for number in range(60, 70)]
    upstream.set_items(chosen[0], [*before, said(f"Hello. {_SENTENCE} What now?"), *after])
    for each in chosen[1:]:
        upstream.set_items(each, [said("A Zeppelin, and nothing else.")])
    return chosen


@pytest.fixture
def copied(upstream: Emulator, told: list[str], sync: Callable[[], None], emptied: None) -> Emulator:
    sync()
    return upstream


def _poll_now(page: Page) -> None:
    """The page's own clock comes to its next look."""
    with page.expect_response("**/live/"):
        page.clock.run_for(15_500)


def test_from_a_word_to_the_item_and_back_to_the_row(page: Page, copied: Emulator, told: list[str]) -> None:
    page.goto("/threads/")
    search_for(page, "zeppel")
    shows(page, told)
    expect(page).to_have_url(re.compile(r"/threads/\?q=zeppel$"))
    hit = rows(page).first.locator(".hit")
    expect(hit).to_contain_text(_SENTENCE)
    expect(hit.locator("mark")).to_have_text("zeppel")
    expect(page.locator("caption")).to_contain_text("From the archive, checked")
    hit.get_by_role("link").click()
    landed(page, item_ids(copied, told[0])[59])
    expect(find_box(page)).to_have_value("zeppel")
    expect(page.locator("#found")).to_contain_text("1 of 1")
    assert marked(page).lower() == "zeppel"
    page.get_by_role("link", name="Back to the list").click()
    shows(page, told)
    expect(rows(page).first.locator("a.title")).to_be_focused()
    for key, place in (("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(rows(page).nth(place).locator("a.title")).to_be_focused()


def test_by_status_with_the_keyboard_alone(page: Page, copied: Emulator, signed_in: Open) -> None:
    page.goto("/threads/?limit=5&status=active")
    active = _all_ids(page)[:10]
    page.goto("/threads/?limit=5")
    page.keyboard.press("/")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "more-filters-summary":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Any status")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Active")).to_be_checked()
    page.keyboard.press("Enter")
    shows(page, active[:5])
    expect(page).to_have_url(re.compile("status=active"))
    expect(page.locator("#more-filters-summary")).to_be_focused()
    following(page).focus()
    page.keyboard.press("Enter")
    shows(page, active[5:10])
    colleague = signed_in(page.url)
    shows(colleague, active[5:10])
    expect(colleague.locator("#filter-status-summary")).to_have_text("Status Active")
    previous(page).focus()
    page.keyboard.press("Enter")
    shows(page, active[:5])
    page.go_back()
    shows(page, active[5:10])


def _all_ids(page: Page) -> list[str]:
    found: list[str] = []
    while True:
        found += rows(page).evaluate_all("rows => rows.map(row => row.dataset.threadId)")
        href = following(page).get_attribute("href") if following(page).count() else None
        if href is None or len(found) >= 10:
            return found
        page.goto(href)


def test_a_part_of_a_user(page: Page, upstream: Emulator, sync: Callable[[], None]) -> None:
    came = upstream.arrive(2, "Zo\u00eb.Quince@example.org")[::-1]
    sync()
    page.goto("/threads/")
    field = box(page)
    with page.expect_response("**/users/**"):
        field.press_sequentially("zoe.qu", delay=20)
    expect(page.locator("#people option")).to_have_count(1)
    expect(page.locator("#people option")).to_have_attribute("value", "Zo\u00eb.Quince@example.org")
    field.press("Enter")
    shows(page, sorted(came, key=list(upstream.thread_ids()).index))
    expect(page.locator("#browse .panel")).to_contain_text("the only customer with “zoe.qu” in their id")
    instead = page.get_by_role("link", name="Search for the words instead")
    expect(instead).to_have_attribute("href", "/threads/?q=zoe.qu")
    expect(page).to_have_url(re.compile("user=Zo%C3%AB.Quince%40example.org"))
    page.reload()
    shows(page, sorted(came, key=list(upstream.thread_ids()).index))


def test_while_the_upstream_is_down_and_when_it_is_back(page: Page, copied: Emulator, told: list[str]) -> None:
    ids = list(copied.thread_ids())
    page.clock.install()
    copied.fault = Fault.ERROR_503
    page.goto("/threads/")
    shows(page, ids[:20])
    banner = page.locator("#outage")
    expect(banner).to_contain_text("no live answer since")
    following(page).click()
    shows(page, ids[20:40])
    expect(banner).to_be_visible()
    _poll_now(page)
    expect(page.locator("#offline")).to_be_hidden()
    expect(banner).to_be_visible()
    page.goto(f"/threads/{told[1]}/")
    expect(page.locator("#items")).to_contain_text("A Zeppelin, and nothing else.")
    expect(banner).to_be_visible()
    _poll_now(page)
    expect(page.locator("#offline")).to_be_hidden()
    copied.fault = None
    page.wait_for_timeout(2_100)  # one look in two seconds is made for all that wait
    _poll_now(page)
    expect(banner).to_have_count(0)
    expect(page.locator("#items")).to_contain_text("A Zeppelin, and nothing else.")
    page.goto("/threads/")
    shows(page, ids[:20])
    expect(banner).to_have_count(0)


def test_the_list_comes_back_live_by_itself(page: Page, copied: Emulator) -> None:
    page.clock.install()
    copied.fault = Fault.ERROR_503
    page.goto("/threads/")
    expect(page.locator("#outage")).to_be_visible()
    copied.fault = None
    came = copied.arrive(1)
    field = box(page)
    field.fill("half a wo")
    page.clock.run_for(16_000)  # whoever types is left alone
    page.wait_for_timeout(300)
    expect(field).to_have_value("half a wo")
    field.fill("")
    page.locator("h1").evaluate("heading => document.activeElement.blur()")
    _poll_now(page)
    expect(page.locator("#outage")).to_have_count(0)
    expect(rows(page).first).to_have_attribute("data-thread-id", came[0])


def test_the_look_for_the_upstream_calls_back_no_page(page: Page, copied: Emulator) -> None:
    ids = list(copied.thread_ids())
    page.clock.install()
    copied.fault = Fault.ERROR_503
    page.goto("/threads/")
    expect(page.locator("#outage")).to_be_visible()
    waiting: list[Route] = []
    page.route(re.compile("limit=50"), lambda route: waiting.append(route))
    choose(page, "50")
    while not waiting:
        page.wait_for_timeout(20)
    _poll_now(page)
    waiting[0].continue_()
    shows(page, ids[:50])


def test_without_javascript(signed_in: Open, copied: Emulator, told: list[str]) -> None:
    page = signed_in("/threads/", java_script_enabled=False)
    search_for(page, "zeppelin")
    expect(rows(page)).to_have_count(3)
    page.locator(".hit a").first.click()
    assert parse_qs(urlsplit(page.url).query)["list"] == ["q=zeppelin"]
    expect(page.locator("#items .item:target")).to_contain_text(_SENTENCE)
    page.get_by_role("link", name="Back to the list").click()
    expect(rows(page)).to_have_count(3)
    box(page).fill("")
    page.locator("#more-filters-summary").click()
    page.get_by_label("From", exact=True).fill("2000-01-01")
    page.get_by_label("No reason given").check()
    page.get_by_role("radio", name="Active").check()
    apply(page)
    expect(rows(page)).to_have_count(20)
    following(page).click()
    expect(page.locator("#filter-status-summary")).to_contain_text("Active")
    previous(page).click()
    expect(rows(page)).to_have_count(20)
    copied.fault = Fault.ERROR_503
    page.goto("/threads/")
    expect(page.locator("#outage")).to_contain_text("no live answer since")
    expect(page.get_by_text("by itself")).to_be_hidden()
    copied.fault = None
    until = time.monotonic() + 40
    while page.locator("#outage").count() and time.monotonic() < until:
        page.wait_for_timeout(1000)
        page.get_by_role("link", name="Look now").click()
    expect(page.locator("#outage")).to_have_count(0)


def test_nothing_bars_anybody(page: Page, copied: Emulator, told: list[str]) -> None:
    for address in ("/threads/?q=zeppelin", "/threads/?q=nothinglikeit", "/threads/?from=2000-01-01&status=active"):
        page.goto(address)
        settled(page)
        fine(page, WIDE, NARROW)
    expect(page.locator("#filter-created-summary")).to_contain_text("from 1 Jan 2000")
    copied.fault = Fault.ERROR_503
    for address in ("/threads/", f"/threads/{told[1]}/"):
        page.goto(address)
        expect(page.locator("#outage")).to_be_visible()
        fine(page, WIDE, NARROW)


_CONTROLS = """() => {
  const first = document.querySelector("tr[data-thread-id]").getBoundingClientRect().top;
  return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")]
    .filter((each) => each.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }))
    .filter((each) => !each.closest("tr[data-thread-id]") && !each.classList.contains("skip"))
    .filter((each) => each.getBoundingClientRect().top < first)
    .map((each) => each.getAttribute("aria-label") || each.textContent.trim() || each.id);
}"""


def test_at_most_twenty_controls_stand_above_the_first_row(
    signed_in: Open, copied: Emulator, record_property: Callable[[str, object], None]
) -> None:
    page = signed_in("/threads/", viewport={"width": 1440, "height": 900})
    controls = page.evaluate(_CONTROLS)
    record_property("controls above the first row", len(controls))
    assert len(controls) <= 20, controls


def test_tabs_have_counts_and_chips_are_links_without(page: Page, copied: Emulator, told: list[str]) -> None:
    page.goto("/threads/")
    tabs = page.get_by_role("navigation", name="Views")
    expect(tabs.get_by_role("link", name="All")).to_have_text(f"All {len(list(copied.thread_ids()))}")
    locked = int((tabs.get_by_role("link", name="Locked").text_content() or "").split()[-1])
    tabs.get_by_role("link", name="Locked").click()
    expect(tabs.get_by_role("link", name="Locked")).to_have_attribute("aria-current", "true")
    expect(page.locator("#filter-status-summary")).to_have_text("Status Locked")
    page.get_by_role("link", name="Remove the filter Status Locked").click()
    expect(page).to_have_url(re.compile("/threads/$"))
    page.goto("/threads/?status=locked&limit=100")
    expect(rows(page)).to_have_count(locked)
    page.goto("/threads/?status=locked&q=nothinglikeit")
    expect(page.get_by_role("heading", name="No threads match")).to_be_visible()
    expect(page.locator("#summary")).to_contain_text(f"without “Words nothinglikeit”: {locked} threads")
    page.get_by_role("link", name="without “Words nothinglikeit”").click()
    expect(rows(page)).to_have_count(min(20, locked))


def test_very_long_words_on_a_phone(signed_in: Open, upstream: Emulator, sync: Callable[[], None]) -> None:
    word = "w" * 400
    came = upstream.arrive(1, "u" * 500)
    upstream.set_title(came[0], word)
    upstream.set_status(came[0], "locked", "r" * 1000)
    upstream.set_items(came[0], [said(word + " " + "\u202e" + "v" * 3000)])
    sync()
    page = signed_in(f"/threads/?q={word}", viewport=NARROW)
    shows(page, came)
    assert overflow(page) == 0
    for address in (
        f"/threads/?q={'v' * 100}",
        f"/threads/?reason={'r' * 1000}",
        f"/threads/?user={'u' * 400}&match=part",
    ):
        page.goto(address)
        shows(page, came)
        assert overflow(page) == 0
    page.goto(f"/threads/?q={'x' * 3000}&user={'y' * 500}&match=part&status={'z' * 100}")
    expect(page.get_by_role("heading", name="No threads match")).to_be_visible()
    assert overflow(page) == 0


def test_what_was_found_does_nothing(page: Page, upstream: Emulator, sync: Callable[[], None]) -> None:
    came = upstream.arrive(1)
    upstream.set_title(came[0], "<img src=x onerror=alert(1)> owl <script>owl</script>")
    upstream.set_status(came[0], 'lo\u202ecked"><b>', "<b>owl</b> \u202e owl")
    upstream.set_items(came[0], [said("<iframe src=//evil.example></iframe> owl \u2067")])
    sync()
    page.goto("/threads/?q=owl")
    shows(page, came)
    expect(page.locator("#threads mark").first).to_have_text("owl")
    assert page.locator("#threads :is(img, script, iframe, td b b)").count() == 0
    expect(page.locator(".hit")).to_contain_text("U+2067")
