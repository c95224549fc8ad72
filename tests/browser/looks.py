"""A page in all its looks: axe-core finds nothing and nothing sticks out, in both themes and at each size."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

from tests.browser.steps import overflow

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

WIDE: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}
NARROW: ViewportSize = {"width": 320, "height": 640}
SMALL: ViewportSize = {"width": 320, "height": 256}
"""A window of 1280 x 1024 at 400 % zoom."""


def violations(page: Page) -> list[str]:
    """What axe-core finds on a page as it is."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", _TAGS)
    return [
        f"{rule['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def _lasting(page: Page) -> list[str]:
    """What axe-core finds on a page wherever it is scrolled to: a sticky bar may cover half of a row at one place."""
    found = violations(page)
    if not found:
        return []
    page.evaluate("scrollBy(0, 45)")
    still = {each.partition(" Fix ")[0] for each in violations(page)}
    return [each for each in found if each.partition(" Fix ")[0] in still]


def fine(page: Page, *sizes: ViewportSize) -> None:
    """Looks at a page in both themes, at each of these sizes or as large as it is, and leaves it as it was."""
    before = page.viewport_size or WIDE
    for size in sizes or (before,):
        page.set_viewport_size(size)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert _lasting(page) == [], (page.url, theme, size)
        assert overflow(page) <= 0, (page.url, size)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)
