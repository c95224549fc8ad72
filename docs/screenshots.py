"""Takes the screenshots in docs/pictures: `python docs/screenshots.py`. Needs Chromium, as the browser tests do.

All but one show the demo: Threadkeeper without any setting. `problem.png` shows a rate-limited upstream.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.chromium import FLAGS, find  # noqa: E402
from tests.support.serving import NAME, PASSWORD, Desk, serve  # noqa: E402
from threads.emulator import Emulator, EmulatorServer, Fault  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@contextmanager
def open_page(browser: Browser, desk: Desk, **options: Any) -> Iterator[Page]:
    """Yields the first page of the desk, in a browser context of its own."""
    with browser.new_context(base_url=desk.url, timezone_id="Europe/London", **options) as context:
        page = context.new_page()
        page.goto("/")
        yield page


def take_demo(browser: Browser, desk: Desk) -> None:
    for name, options in {
        "list-light": {"viewport": WIDE, "color_scheme": "light"},
        "list-dark": {"viewport": WIDE, "color_scheme": "dark"},
        "phone": {"viewport": PHONE, "color_scheme": "light"},
    }.items():
        with open_page(browser, desk, **options) as page:
            page.get_by_role("button", name="Open the demo").click()
            expect(page.get_by_role("link", name="Next")).to_be_visible()
            page.mouse.move(0, 0)
            take(page, name)
            if name == "list-light":
                take_other_pages(page)


def take_other_pages(page: Page) -> None:
    page.get_by_role("link", name="Every kind of item", exact=True).click()
    expect(page.locator("#pane")).to_be_visible()
    expect(page.locator(".others li").first).to_be_visible()
    page.mouse.move(0, 0)
    take(page, "conversation")
    addresses = {"search": "/threads/?status=locked&q=refund", "reports": "/reports/", "audit-log": "/audit/"}
    for name, address in addresses.items():
        page.goto(address)
        take(page, name)
    page.goto("/threads/?user=kenji.kaya2%40mail.example")
    page.locator(".strip").get_by_role("link", name="Erase…").click()
    expect(page.get_by_role("button", name="Erase permanently")).to_be_visible()
    take(page, "erase")


def take_problem(browser: Browser, desk: Desk) -> None:
    with open_page(browser, desk, viewport=WIDE, color_scheme="light") as page:
        page.get_by_label("User name").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.goto("/threads/?user=maria.garcia%40example.com")
        expect(page.get_by_role("link", name="Try again")).to_be_visible()
        take(page, "problem")


def take(page: Page, name: str) -> None:
    """Writes docs/pictures/`name`.png."""
    path = PICTURES / f"{name}.png"
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=path)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


def main() -> None:
    chromium = find()
    if chromium is None:
        sys.exit("Chromium not found. Install it (apt-get install chromium) or set CHROMIUM to its path.")
    PICTURES.mkdir(exist_ok=True)
    limited = Emulator(threads=50, fault=Fault.RATE_LIMIT_86400)
    with (
        tempfile.TemporaryDirectory() as data,
        EmulatorServer(limited) as upstream,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=FLAGS) as browser,
    ):
        with serve(Path(data) / "demo", {}) as desk:
            desk.manage("archive", "sync")
            take_demo(browser, desk)
        key = {"OPENAI_API_KEY": "sk-none", "OPENAI_BASE_URL": upstream.base_url, "SECRET_KEY": "for pictures " * 5}
        with serve(Path(data) / "desk", key, account=True) as desk:
            take_problem(browser, desk)


if __name__ == "__main__":
    main()
