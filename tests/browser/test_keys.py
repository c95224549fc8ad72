"""Keys for who reads threads all day, the way back to the row, and the one box for whatever one has in hand."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Stage
from tests.browser.steps import (
    box,
    chosen,
    customer,
    focused,
    following,
    menu,
    pages_of,
    rows,
    settled,
    show_help,
    shows,
)
from tests.browser.talking import EVERY_KIND, LONG, Patchy, find_box, item, item_ids, open_find, shown_items, talk
from tests.browser.watching import Watch
from threads.emulator import Fault


@pytest.fixture
def upstream(stage: Stage) -> Patchy:
    patchy = Patchy()
    stage.playing = patchy
    return patchy


def _on_row(page: Page, thread_id: str) -> None:
    """The link of this row has the focus, and can be seen."""
    expect(page.locator(f"tr[data-thread-id='{thread_id}'] a.title")).to_be_focused()
    assert focused(page)["visible"]


def _reads_thread(page: Page, thread_id: str) -> None:
    expect(page.locator("#pane")).to_have_attribute("data-thread-id", thread_id)
    settled(page)
    page.wait_for_load_state()  # before that no key is listened to


# In the list


def test_through_the_list_and_into_a_thread(page: Page, upstream: Patchy) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    for key, place in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0), ("j", 1)):
        page.keyboard.press(key)
        _on_row(page, ids[place])
    page.keyboard.press("Enter")
    _reads_thread(page, ids[1])
    page.keyboard.press("u")
    _on_row(page, ids[1])
    page.keyboard.press("j")
    _on_row(page, ids[2])


def test_the_last_row_is_the_last(page: Page, upstream: Patchy) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/?limit=5")
    for _ in range(7):
        page.keyboard.press("j")
    _on_row(page, ids[4])


def test_keys_after_a_page_of_htmx(page: Page, upstream: Patchy) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    following(page).click()
    shows(page, ids[20:40])
    page.keyboard.press("j")
    _on_row(page, ids[20])
    page.keyboard.press("Enter")
    _reads_thread(page, ids[20])


def test_slash_goes_to_the_filter(page: Page, upstream: Patchy) -> None:
    user = upstream.users()[0]
    page.goto(f"/threads/?user={user}")
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("another")  # what stood there was selected
    expect(box(page)).to_have_value("another")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(customer(page)).to_be_focused()
    expect(customer(page)).to_have_value(user)
    page.keyboard.type("another")
    expect(customer(page)).to_have_value("another")


def test_enter_in_the_filter_goes_to_the_first_row(page: Page, upstream: Patchy) -> None:
    user = max(upstream.users(), key=lambda each: len(list(upstream.thread_ids(user=each))))
    theirs = list(upstream.thread_ids(user=user))
    page.goto("/threads/")
    box(page).fill(user)
    page.keyboard.press("Enter")
    page.keyboard.press("j")  # before the page has come
    shows(page, theirs[:20])
    _on_row(page, theirs[0])
    expect(customer(page)).to_have_value(user)
    expect(box(page)).to_have_value("")
    page.keyboard.press("j")
    _on_row(page, theirs[1])
    page.keyboard.press("f")
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    expect(page.locator("#summary")).to_be_focused()
    expect(page.locator("#summary")).to_contain_text("No customer nobody")


def test_enter_in_the_filter_leaves_it_where_htmx_is_not(page: Page, upstream: Patchy, watch: Watch) -> None:
    user = max(upstream.users(), key=lambda each: len(list(upstream.thread_ids(user=each))))
    watch.expect_message("htmx", "ERR_FAILED")
    page.route("**/*htmx*", lambda route: route.abort())
    page.goto("/threads/")
    box(page).fill(user)
    page.keyboard.press("Enter")
    shows(page, list(upstream.thread_ids(user=user))[:20])
    page.keyboard.press("j")
    _on_row(page, next(upstream.thread_ids(user=user)))


def test_escape_leaves_a_box_of_the_filter_and_keeps_its_text(page: Page, upstream: Patchy) -> None:
    page.goto("/threads/")
    page.keyboard.press("/")
    page.keyboard.type("half an id")
    page.keyboard.press("Escape")
    expect(box(page)).to_have_value("half an id")
    expect(box(page)).not_to_be_focused()
    page.keyboard.press("j")
    _on_row(page, next(upstream.thread_ids()))
    expect(box(page)).to_have_value("half an id")


def test_no_key_works_in_a_field(page: Page, upstream: Patchy) -> None:
    page.goto("/threads/")
    box(page).focus()
    page.keyboard.type("/jku[]?")
    expect(box(page)).to_have_value("/jku[]?")
    expect(box(page)).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto(f"/threads/{list(upstream.thread_ids())[EVERY_KIND]}/")
    field = open_find(page)
    page.keyboard.type("/jku[]?")
    expect(field).to_have_value("/jku[]?")
    expect(field).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    _reads_thread(page, list(upstream.thread_ids())[EVERY_KIND])


def test_keys_of_the_browser_stay_its_own(page: Page, upstream: Patchy) -> None:
    thread_id = list(upstream.thread_ids())[EVERY_KIND]
    page.goto(f"/threads/{thread_id}/")
    for key in ("Control+j", "Control+k", "Alt+u", "Meta+/", "Control+]"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    _reads_thread(page, thread_id)
    assert focused(page)["tag"] == "BODY"


# In the conversation


def test_through_the_items(page: Page, upstream: Patchy) -> None:
    thread_id = list(upstream.thread_ids())[EVERY_KIND]
    ids = item_ids(upstream, thread_id)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    expect(page.locator("#items .item")).to_have_count(35)
    page.locator("#talk").focus()  # beside the list, the keys are the list's until the focus is in the conversation
    page.keyboard.press("t")
    for key, place in (("j", 0), ("j", 1), ("k", 0), ("k", 0), *(("j", place) for place in range(1, 9))):
        page.keyboard.press(key)
        if page.locator(".steps > details > summary:focus").count():
            page.keyboard.press(key)  # the line of a group that is open stands before what is in it
        expect(item(page, ids[place])).to_be_focused()
        expect(item(page, ids[place]).locator(".who")).to_be_in_viewport()


def test_the_item_that_the_keys_are_at_can_be_told(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 10)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    page.keyboard.press("j")
    page.keyboard.press("j")
    at, other = item(page, ids[1]), item(page, ids[4])
    looks = "item => { const style = getComputedStyle(item); return [style.outlineStyle, style.backgroundColor]; }"
    assert at.evaluate(looks) != other.evaluate(looks)


def test_j_goes_on_past_what_is_loaded(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 130)
    page.goto(f"/threads/{thread_id}/?from=beginning")
    page.locator("#talk").focus()
    for place in range(100):
        item(page, ids[place]).wait_for(state="attached")
        page.keyboard.press("j")
        if place % 10 == 9:
            expect(item(page, ids[place])).to_be_focused()
    assert shown_items(page)[:100] == ids[:100]


def test_slash_goes_to_find(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{talk(upstream, 10)[0]}/")
    page.keyboard.press("/")
    expect(find_box(page)).to_be_focused()
    page.keyboard.type("number 7")
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(20)


def test_keys_work_on_after_a_tick(page: Page, upstream: Patchy) -> None:
    """Nobody types in a box that is ticked."""
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    rows(page).first.get_by_role("checkbox").check()
    page.keyboard.press("j")
    _on_row(page, ids[1])


def test_brackets_go_through_the_list(page: Page, upstream: Patchy) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    rows(page).nth(2).locator("a.title").click()
    _reads_thread(page, ids[2])
    for key, place in (("]", 3), ("]", 4), ("[", 3), ("[", 2), ("[", 1), ("[", 0)):
        page.keyboard.press(key)
        _reads_thread(page, ids[place])
    page.keyboard.press("[")
    expect(page.get_by_text("This is the first thread of the list.")).to_be_visible()
    _reads_thread(page, ids[0])


def test_the_focus_is_not_lost_with_the_conversation(page: Page, upstream: Patchy) -> None:
    """Where the conversation beside the list gives way to another, the focus stays at its control, or comes to the
    title."""
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    rows(page).nth(2).locator("a.title").click()
    _reads_thread(page, ids[2])
    page.locator("#next-thread").press("Enter")
    _reads_thread(page, ids[3])
    expect(page.locator("#next-thread")).to_be_focused()
    page.locator("#items .item").last.focus()
    page.keyboard.press("]")
    _reads_thread(page, ids[4])
    expect(page.locator("#title")).to_be_focused()


def test_brackets_stay_in_the_filtered_list(page: Page, upstream: Patchy) -> None:
    user = upstream.users()[3]
    theirs = list(upstream.thread_ids("asc", user))
    assert len(theirs) == 10
    page.goto(f"/threads/?user={quote(user)}&order=asc&limit=5")
    rows(page).nth(3).locator("a.title").click()
    _reads_thread(page, theirs[3])
    for place in range(4, 10):
        page.keyboard.press("]")
        _reads_thread(page, theirs[place])
    page.keyboard.press("]")
    expect(page.get_by_text("This is the last thread of the list.")).to_be_visible()
    page.keyboard.press("u")
    expect(customer(page)).to_have_value(user)
    assert chosen(page) == ["Oldest", "5"]


def test_brackets_lead_to_the_row_on_its_own_page(page: Page, upstream: Patchy) -> None:
    """Whoever went on beyond the last row of a page comes back to the row of the thread that they read."""
    ids = list(upstream.thread_ids())
    page.goto("/threads/?limit=5")
    rows(page).nth(4).locator("a.title").click()
    _reads_thread(page, ids[4])
    page.keyboard.press("]")
    _reads_thread(page, ids[5])
    page.keyboard.press("u")
    _on_row(page, ids[5])


def test_brackets_while_the_upstream_fails(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(502)
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    rows(page).nth(2).locator("a.title").click()
    _reads_thread(page, ids[2])
    expect(page.get_by_role("complementary").locator("li, .muted").first).to_be_visible()
    upstream.fault = Fault.HTML_200
    page.keyboard.press("]")
    expect(page.get_by_role("heading", level=1)).to_have_text("OpenAI's answer isn't valid")
    upstream.fault = None
    page.get_by_role("link", name="Try again").click()
    _reads_thread(page, ids[3])
    page.keyboard.press("u")
    _on_row(page, ids[3])


# The help


def test_help_by_key_and_by_button(page: Page, upstream: Patchy) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    page.keyboard.press("j")  # none of the keys reaches the page behind
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    _on_row(page, ids[0])
    expect(page).to_have_url("/threads/")
    show_help(page)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(menu(page)).to_be_focused()
    page.goto(f"/threads/{ids[0]}/")
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    _reads_thread(page, ids[0])


def test_keys_can_be_switched_off(page: Page, upstream: Patchy) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    page.keyboard.press("?")
    page.get_by_label("Use these shortcuts").uncheck()
    page.keyboard.press("Escape")
    for address in ("/threads/", f"/threads/{ids[EVERY_KIND]}/"):
        page.goto(address)
        for _ in range(2):
            for key in ("j", "/", "?", "]", "u", "Escape"):
                page.keyboard.press(key)
            page.wait_for_timeout(50)
            expect(page).to_have_url(address)
            assert focused(page)["tag"] == "BODY"
            expect(page.get_by_role("dialog")).to_have_count(0)
            page.reload()
    page.goto("/threads/")
    show_help(page)
    expect(page.get_by_label("Use these shortcuts")).not_to_be_checked()
    page.get_by_label("Use these shortcuts").check()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("j")
    _on_row(page, ids[0])


# Back to the row


@pytest.mark.parametrize("way", ["link", "u", "Escape", "browser"])
def test_back_lands_on_the_row(page: Page, upstream: Patchy, way: str) -> None:
    """On the third page of a user's threads, where the two pages before came by htmx."""
    user = upstream.users()[0]
    pages = pages_of(list(upstream.thread_ids(user=user)), 15)
    page.goto(f"/threads/?user={user}&limit=15")
    for rows_ in pages[1:3]:
        following(page).click()
        shows(page, rows_)
    place = pages[2][9]
    page.locator(f"tr[data-thread-id='{place}'] a.title").click()
    _reads_thread(page, place)
    if way == "browser":
        page.go_back()
    elif way == "link":
        page.get_by_role("link", name="Back to the list").click()
    else:
        page.keyboard.press(way)
    shows(page, pages[2])
    _on_row(page, place)
    expect(customer(page)).to_have_value(user)


def test_back_after_reading_on(page: Page, upstream: Patchy) -> None:
    """Items that came, an address that was copied: the browser's Back is still one step."""
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    page.locator(f"tr[data-thread-id='{ids[LONG]}'] a.title").click()
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator("#items .item").nth(120)).to_be_attached()
    page.locator("#items .item .who a").nth(3).click()
    expect(page).to_have_url(re.compile("at="))
    page.go_back()
    _on_row(page, ids[LONG])


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_the_list_is_not_forgotten_on_the_way(signed_in: Open, upstream: Patchy, javascript: bool) -> None:
    """Whoever goes on to further items by their link still comes back to the list that they came from."""
    user = upstream.users()[0]
    theirs = list(upstream.thread_ids(user=user))
    place = theirs.index(talk(upstream, 120, list(upstream.thread_ids()).index(theirs[25]))[0])
    ids = item_ids(upstream, theirs[place])
    page = signed_in(f"/threads/?user={user}&after={theirs[19]}", java_script_enabled=javascript)
    page.locator(f"tr[data-thread-id='{theirs[place]}'] a.title").click()
    _reads_thread(page, theirs[place])
    if javascript:
        page.evaluate("hash => { location.hash = hash; }", f"item-{ids[15]}")
        expect(item(page, ids[15])).to_be_focused()
        page.get_by_role("link", name="Earlier messages").click()
        expect(item(page, ids[0])).to_be_visible()
    else:
        page.get_by_role("link", name="Earlier messages").click()
        expect(item(page, ids[0])).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    shows(page, theirs[20:40])


def test_back_after_the_row_has_gone(page: Page, upstream: Patchy) -> None:
    ids = list(upstream.thread_ids())
    page.goto("/threads/")
    rows(page).nth(4).locator("a.title").click()
    _reads_thread(page, ids[4])
    upstream.delete(ids[4])
    page.keyboard.press("u")
    shows(page, ids[:4] + ids[5:21])


def test_back_from_an_address_without_a_list(page: Page, upstream: Patchy) -> None:
    """A thread whose address came without a list leads back to all threads."""
    ids = list(upstream.thread_ids())
    page.goto(f"/threads/{ids[3]}/")
    page.get_by_role("link", name="Back to the list").click()
    shows(page, ids[:20])
    _on_row(page, ids[3])


# The one box


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize(
    "written",
    ["{}", "  {} ", "https://platform.openai.com/logs/{}", "{desk}/threads/{}/?at=x#item-x", "/threads/{}/"],
    ids=["id", "id and blanks", "logs page", "this desk", "path"],
)
def test_a_thread_in_the_box(signed_in: Open, upstream: Patchy, written: str, javascript: bool) -> None:
    thread_id = list(upstream.thread_ids())[30]
    page = signed_in("/threads/?limit=50", java_script_enabled=javascript)
    desk = page.url.split("/threads/")[0]
    box(page).fill(written.format(thread_id, desk=desk))
    box(page).press("Enter")
    _reads_thread(page, thread_id)
    expect(page).to_have_url(f"/threads/{thread_id}/")
    page.go_back()
    expect(rows(page)).to_have_count(50)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_a_user_in_the_box(signed_in: Open, upstream: Patchy, javascript: bool) -> None:
    page = signed_in("/threads/", java_script_enabled=javascript)
    for user in upstream.users()[:8]:
        box(page).fill(user)
        box(page).press("Enter")
        shows(page, list(upstream.thread_ids(user=user))[:20])


def test_nobody_in_the_box(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(404)
    page.goto("/threads/")
    box(page).fill("cthr_0000")
    box(page).press("Enter")
    expect(box(page)).to_have_value("cthr_0000")
    expect(rows(page)).to_have_count(0)
    box(page).fill("https://platform.openai.com/logs/cthr_0000")
    box(page).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thread not found")
