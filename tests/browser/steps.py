"""What the journeys have in common."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from playwright.sync_api import Error, Locator, Page, expect

from threads.emulator import Emulator


def rows(page: Page) -> Locator:
    return page.locator("tr[data-thread-id]")


def row_ids(page: Page) -> list[str]:
    ids: list[str] = rows(page).evaluate_all("rows => rows.map(row => row.dataset.threadId)")
    return ids


def shows(page: Page, ids: Sequence[str]) -> None:
    """The table has these rows and no others, or soon will."""
    shown: list[str] = []
    until = time.monotonic() + 10
    while shown != list(ids) and time.monotonic() < until:
        page.wait_for_timeout(50)
        with suppress(Error):  # a page that is being replaced has no rows
            shown = row_ids(page)
    assert shown == list(ids)


def following(page: Page) -> Locator:
    return page.locator("a[rel=next]")


def previous(page: Page) -> Locator:
    return page.locator("a[rel=prev]")


def box(page: Page) -> Locator:
    """The search box of every page."""
    return page.get_by_role("combobox", name="Search customers, threads and messages")


def search_for(page: Page, text: str) -> None:
    """Types a text into the search box, and Enter."""
    box(page).fill(text)
    box(page).press("Enter")


def customer(page: Page) -> Locator:
    """The field of the customer chip, which may be closed."""
    return page.locator("#user")


def choose(page: Page, name: str) -> None:
    """Chooses an order or a number of threads per page in the menu."""
    page.locator("#sort-summary").click()
    page.locator("#sort").get_by_role("link", name=name, exact=True).click()


def chosen(page: Page) -> list[str]:
    """The order and the number of threads per page that the menu says."""
    return [each.strip() for each in page.locator("#sort a[aria-current]").all_text_contents()]


def apply(page: Page) -> None:
    """Presses the Apply of the open popover."""
    page.locator("#filters details[open]").get_by_role("button", name="Apply").click()


def menu(page: Page) -> Locator:
    """The account's menu, closed at first. It is there for who is signed in."""
    return page.locator(".me > summary")


def show_help(page: Page) -> None:
    """Opens the list of the keys by the account's menu."""
    menu(page).click()
    page.get_by_role("button", name="Keyboard shortcuts").click()


def pages_of(ids: Sequence[str], size: int = 20) -> list[list[str]]:
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]


def users_by_threads(upstream: Emulator) -> list[str]:
    """All users, those with the most threads first."""
    return sorted(upstream.users(), key=lambda user: -len(list(upstream.thread_ids(user=user))))


def show_ids(page: Page) -> None:
    """The list with the column of thread ids."""
    page.goto("/threads/")
    page.locator("summary").filter(has_text="Columns").click()
    page.get_by_role("checkbox", name="Thread id").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("columnheader", name="Thread id")).to_have_count(1)


def settled(page: Page) -> None:
    """No request of htmx is under way, and its swap is done."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def focused(page: Page) -> dict[str, Any]:
    """What has the focus: its id, its text, and whether it can be seen whole or is off screen or covered."""
    found: dict[str, Any] = page.evaluate(
        """() => {
          const it = document.activeElement;
          const seen = [...it.getClientRects()].map((box) => {
            const inside = box.top >= -1 && box.left >= -1
              && box.bottom <= innerHeight + 1 && box.right <= innerWidth + 1;
            const spots = [[.5, .5], [.5, .1], [.5, .9]].map(([x, y]) =>
              document.elementFromPoint(box.left + box.width * x, box.top + box.height * y));
            return inside && spots.every((spot) => spot && (it.contains(spot) || spot.contains(it)));
          });
          return {id: it.id, tag: it.tagName, text: it.innerText ?? "", html: it.outerHTML.slice(0, 160),
                  visible: seen.length > 0 && seen.every(Boolean)};
        }"""
    )
    return found
