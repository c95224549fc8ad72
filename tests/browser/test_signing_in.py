"""In by password or by one click, out again, and what happens when a session ends in between."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.steps import focused, following, menu, overflow, rows, shows
from tests.browser.watching import Watch
from tests.support.serving import NAME, PASSWORD, Desk
from threads.emulator import Emulator


def _sign_in(page: Page, password: str = PASSWORD, name: str = NAME) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_demo_is_one_click_from_the_table(signed_out: Open, demo: Desk) -> None:
    page = signed_out("/", base_url=demo.url)
    page.get_by_role("button", name="Open the demo").click()
    expect(rows(page)).to_have_count(20)
    expect(page.get_by_text("Demo data")).to_be_visible()
    expect(page).to_have_url(f"{demo.url}/threads/")
    following(page).click()
    expect(page).to_have_url(re.compile("after="))
    expect(rows(page)).to_have_count(20)


def test_demo_goes_where_one_was_heading(signed_out: Open, demo: Desk) -> None:
    page = signed_out("/threads/?limit=50&order=asc", base_url=demo.url)
    page.get_by_role("button", name="Open the demo").click()
    expect(rows(page)).to_have_count(50)
    expect(page).to_have_url(f"{demo.url}/threads/?limit=50&order=asc")


def test_there_is_no_demo_with_a_key(signed_out: Open) -> None:
    page = signed_out("/sign-in/")
    expect(page.get_by_role("button", name="Open the demo")).to_have_count(0)
    expect(page.get_by_label("User name")).to_be_focused()


def test_sign_in_goes_where_one_was_heading(signed_out: Open, upstream: Emulator) -> None:
    user = next(iter(upstream.users()))
    page = signed_out(f"/threads/?user={user}&order=asc")
    _sign_in(page)
    expect(page).to_have_url(f"/threads/?user={user}&order=asc")
    shows(page, list(upstream.thread_ids("asc", user))[:20])


def test_wrong_password_says_so_and_lets_one_try_again(signed_out: Open, upstream: Emulator) -> None:
    page = signed_out("/threads/?limit=50")
    _sign_in(page, "not it")
    expect(page.get_by_role("alert")).to_have_text(re.compile("name or the password is wrong"))
    expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    _sign_in(page)
    expect(page).to_have_url("/threads/?limit=50")
    expect(rows(page)).to_have_count(50)


def test_impatient_clicks(signed_out: Open, demo: Desk, upstream: Emulator) -> None:
    page = signed_out("/", base_url=demo.url)
    page.get_by_role("button", name="Open the demo").dblclick()
    expect(rows(page)).to_have_count(20)
    page = signed_out("/threads/")
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").dblclick()
    expect(rows(page)).to_have_count(20)
    menu(page).click()
    page.get_by_role("button", name="Sign out").dblclick()
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_form_without_its_cookie_says_what_to_do(signed_out: Open, watch: Watch) -> None:
    watch.expect_status(403)
    page = signed_out("/sign-in/")
    page.context.clear_cookies()
    _sign_in(page)
    expect(page.get_by_role("heading", name="This form is out of date")).to_be_visible()
    page.get_by_role("link", name="Go to the start page").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_next_leads_nowhere_else(signed_out: Open, upstream: Emulator) -> None:
    page = signed_out("/sign-in/?next=https://elsewhere.example/")
    _sign_in(page)
    expect(page).to_have_url("/threads/")


def test_session_ends_while_paging(page: Page, upstream: Emulator) -> None:
    page.goto("/threads/")
    following(page).wait_for()
    page.context.clear_cookies(name="sessionid")
    following(page).click()
    expect(page).to_have_url(re.compile(r"/sign-in/\?next=/threads/%3Fafter%3D"))
    expect(page.get_by_role("banner")).to_have_count(0)
    _sign_in(page)
    shows(page, list(upstream.thread_ids())[20:40])


def test_back_after_signing_out_shows_nothing(signed_out: Open, upstream: Emulator) -> None:
    page = signed_out("/threads/")
    _sign_in(page)
    following(page).click()
    shows(page, list(upstream.thread_ids())[20:40])
    menu(page).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    for _ in range(2):
        page.go_back()
        expect(page.get_by_label("Password")).to_be_visible()
        expect(rows(page)).to_have_count(0)


def test_sign_out_in_another_tab(signed_out: Open, upstream: Emulator, watch: Watch) -> None:
    page = signed_out("/threads/")
    _sign_in(page)
    tab = page.context.new_page()
    tab.goto("/threads/")
    menu(tab).click()
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_label("Password")).to_be_visible()
    following(page).click()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(rows(page)).to_have_count(0)
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(rows(page)).to_have_count(0)


@pytest.fixture
def grace(desk: Desk) -> Iterator[str]:
    """An account of this test's own, whose sessions may be ended and whose password changed."""
    made = "from django.contrib.auth.models import Group, User; User.objects.filter(username='grace').delete(); "
    made += f"User.objects.create_user('grace', password={PASSWORD!r}).groups.add(Group.objects.get(name='Viewer'))"
    desk.manage("shell", "--no-imports", "-c", made)
    yield "grace"
    desk.manage("axes_reset")


def test_signed_out_everywhere(signed_out: Open, grace: str, upstream: Emulator) -> None:
    page, elsewhere = signed_out("/threads/"), signed_out("/threads/")
    for each in (page, elsewhere):
        _sign_in(each, name=grace)
        expect(rows(each)).to_have_count(20)
    menu(page).click()
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(2)
    button = page.get_by_role("button", name="Sign out everywhere")
    button.focus()
    assert focused(page)["visible"]
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    for address in ("/threads/", "/account/"):
        page.goto(address)
        expect(page.get_by_label("Password")).to_be_visible()
    until = time.monotonic() + 15  # another process of the server may remember the other session for ten seconds
    while elsewhere.get_by_label("Password").count() == 0 and time.monotonic() < until:
        elsewhere.wait_for_timeout(500)
        elsewhere.goto("/threads/")
    expect(elsewhere.get_by_label("Password")).to_be_visible()


def test_a_password_is_changed_with_the_keyboard_alone(signed_out: Open, grace: str, upstream: Emulator) -> None:
    page = signed_out("/account/", viewport={"width": 320, "height": 640})
    _sign_in(page, name=grace)
    page.get_by_role("link", name="Change password").press("Enter")
    page.get_by_label("Current password").fill("not it")
    page.keyboard.press("Tab")
    page.keyboard.type("a ladder of one's own")
    page.keyboard.press("Tab")
    page.keyboard.type("a ladder of one's own")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is not your current password")).to_be_visible()
    expect(page.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    assert overflow(page) == 0
    for label in ("Current password", "New password", "New password again"):
        page.get_by_label(label, exact=True).fill(PASSWORD if label.startswith("Current") else "a ladder of one's own")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Your password is changed.")).to_be_visible()
    assert overflow(page) == 0
    menu(page).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    _sign_in(page, "a ladder of one's own", name=grace)
    expect(menu(page)).to_be_visible()
