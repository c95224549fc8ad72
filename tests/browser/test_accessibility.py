"""axe-core finds nothing on any kind of page, in either theme."""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from threads.emulator import Emulator, Fault

from .conftest import Open, Stage
from .steps import following, overflow, shows
from .talking import EVERY_KIND, HOSTILE, Patchy, item_ids, more, reads
from .watching import Watch

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_PHONE = {"width": 390, "height": 844}
_THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


def _violations(page: Page) -> list[str]:
    page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", _TAGS)
    return [
        f"{rule['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@_THEMES
def test_sign_in(signed_out: Open, watch: Watch, theme: str) -> None:
    page = signed_out("/sign-in/", color_scheme=theme)
    assert _violations(page) == []
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    assert _violations(page) == []


@_THEMES
@pytest.mark.parametrize("width", [320, 1280])
def test_account(signed_in: Open, theme: str, width: int) -> None:
    page = signed_in("/account/", color_scheme=theme, viewport={"width": width, "height": 720})
    assert _violations(page) == []
    assert overflow(page) == 0
    page.get_by_role("link", name="Change your password").click()
    page.get_by_role("button", name="Change the password").wait_for()
    assert _violations(page) == []
    assert overflow(page) == 0


@_THEMES
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, _PHONE], ids=["wide", "phone"])
def test_list(signed_in: Open, upstream: Emulator, theme: str, viewport: dict[str, int]) -> None:
    ids = list(upstream.thread_ids())
    upstream.set_status(ids[25], "snoozed", "An unknown status")
    upstream.set_title(ids[26], "a hidden \u202e character")
    page = signed_in("/threads/", color_scheme=theme, viewport=viewport)
    assert _violations(page) == []
    following(page).click()
    shows(page, ids[20:40])
    assert _violations(page) == []


@_THEMES
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/threads/?user=nobody", 200),
        ("/threads/?user=nobody&after=cthr_x", 404),
        ("/threads/?limit=1000&order=x&user=" + "x" * 600, 400),
        ("/threads/?after=a&before=b", 400),
        ("/no/such/page", 404),
    ],
    ids=["empty", "gone", "invalid", "clash", "404"],
)
def test_other_pages(signed_in: Open, upstream: Emulator, watch: Watch, theme: str, address: str, status: int) -> None:
    watch.expect_status(404, 400)
    page = signed_in(color_scheme=theme)
    response = page.goto(address)
    assert response is not None
    assert response.status in (200, status)
    assert _violations(page) == []


@_THEMES
def test_problem(signed_in: Open, upstream: Emulator, watch: Watch, theme: str) -> None:
    watch.expect_status(503, 502)
    upstream.fault = Fault.RATE_LIMIT_86400
    page = signed_in("/threads/?user=someone", color_scheme=theme)
    page.get_by_role("link", name="Try again").wait_for()
    assert _violations(page) == []


@_THEMES
def test_broken_rows_and_newer_threads(signed_in: Open, upstream: Emulator, theme: str) -> None:
    page = signed_in("/threads/?limit=5", color_scheme=theme)
    following(page).click()
    shows(page, list(upstream.thread_ids())[5:10])
    upstream.arrive(2)
    page.locator("a[rel=prev]").click()
    page.get_by_role("link", name="Newer threads").wait_for()
    assert _violations(page) == []
    upstream.fault = Fault.BAD_ROWS
    page.goto(f"/threads/?limit=50&user={upstream.users()[3]}")
    assert _violations(page) == []


@pytest.fixture
def patchy(upstream: Emulator, stage: Stage) -> Patchy:
    stage.playing = patchy = Patchy()
    return patchy


@_THEMES
@pytest.mark.parametrize(
    "viewport", [{"width": 1280, "height": 720}, _PHONE, {"width": 320, "height": 256}], ids=["wide", "phone", "small"]
)
def test_conversation(signed_in: Open, patchy: Patchy, theme: str, viewport: dict[str, int]) -> None:
    """Every kind of item, as it is opened, and with a match found and all folds and the help open."""
    thread_id = list(patchy.thread_ids())[EVERY_KIND]
    page = signed_in(f"/threads/{thread_id}/", color_scheme=theme, viewport=viewport)
    expect(page.get_by_role("complementary").locator("li, .muted").first).to_be_visible()
    reads(page, item_ids(patchy, thread_id))
    assert _violations(page) == []
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    page.get_by_label("Exact times").check()
    page.get_by_role("searchbox", name="Find in this conversation").fill("parcel")
    expect(page.locator("#found")).to_contain_text("1 of")
    assert _violations(page) == []
    assert overflow(page) == 0
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_in_viewport()
    assert _violations(page) == []


@_THEMES
def test_conversation_in_forced_colours(signed_in: Open, patchy: Patchy, theme: str) -> None:
    thread_id = list(patchy.thread_ids())[EVERY_KIND]
    page = signed_in(f"/threads/{thread_id}/", color_scheme=theme, forced_colors="active")
    expect(page.get_by_role("complementary").locator("li, .muted").first).to_be_visible()
    assert _violations(page) == []


@_THEMES
def test_hostile_conversation(signed_in: Open, patchy: Patchy, theme: str) -> None:
    thread_id = list(patchy.thread_ids())[HOSTILE]
    page = signed_in(f"/threads/{thread_id}/", color_scheme=theme)
    page.get_by_role("button", name="Load all").click()
    reads(page, item_ids(patchy, thread_id))
    assert _violations(page) == []


@_THEMES
def test_conversation_in_trouble(signed_in: Open, patchy: Patchy, watch: Watch, theme: str) -> None:
    watch.expect_status(404, 502)
    thread_id = list(patchy.thread_ids())[HOSTILE]
    patchy.hole = item_ids(patchy, thread_id)[49]
    page = signed_in(f"/threads/{thread_id}/", color_scheme=theme)
    page.get_by_role("button", name="Load all").click()
    expect(more(page).get_by_role("alert")).to_be_visible()
    assert _violations(page) == []
    for address in (f"/threads/{thread_id}/?at=cti_gone", "/threads/cthr_gone/"):
        page.goto(address)
        assert _violations(page) == []
