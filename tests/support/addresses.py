"""Every URL of the desk, and the names of all parameters, form fields, cookies and headers that the code reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

from threads.sources.query_forms import FIELDS, ITEM_FIELDS

ROOT = Path(__file__).resolve().parents[2]

_PLACE = re.compile(r"<(?:(?P<converter>\w+):)?\w+>|\(\?P<\w+>[^)]*\)")
_READ = {
    "query": re.compile(r'\.GET(?:\.get(?:list)?\(\s*|\[)"([\w-]+)"|"([\w-]+)" in request\.GET'),
    "form": re.compile(r'\.POST(?:\.get(?:list)?\(\s*|\[)"([\w-]+)"'),
    "cookies": re.compile(r'\.COOKIES(?:\.get\(\s*|\[)"([\w-]+)"'),
    "headers": re.compile(r'\.headers(?:\.get\(\s*|\[)"([\w-]+)"'),
}


@dataclass(frozen=True, slots=True)
class Address:
    """A URL pattern: its fixed parts, and each placeholder's converter ("" for a group of a regular expression)."""

    between: tuple[str, ...]
    converters: tuple[str, ...]

    @property
    def name(self) -> str:
        return "/" + "…".join(self.between)

    def filled(self, values: Iterator[str]) -> str:
        """A path with these values for its placeholders, percent-encoded; an integer where only that matches."""
        parts = [self.between[0]]
        for converter, after in zip(self.converters, self.between[1:], strict=True):
            value = next(values)
            number = str(sum(map(ord, value)))
            kept = number if converter == "int" else value or "x"
            parts += [quote(kept.encode("utf-8", "surrogatepass"), safe=""), after]
        return "/" + "".join(parts)


def addresses() -> list[Address]:
    """All patterns of the URLconf."""
    found: list[Address] = []
    for route in _routes(get_resolver().url_patterns, ""):
        places = list(_PLACE.finditer(route))
        ends = [0, *(each.end() for each in places)]
        starts = [*(each.start() for each in places), len(route)]
        between = tuple(route[end:start] for end, start in zip(ends, starts, strict=True))
        found.append(Address(between, tuple(each["converter"] or "" for each in places)))
    return found


def read() -> dict[str, set[str]]:
    """The names of the parameters, form fields, cookies and headers that the code reads, by kind."""
    found: dict[str, set[str]] = {kind: set() for kind in _READ}
    for path in (*(ROOT / "threads").rglob("*.py"), *(ROOT / "dashboard").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for kind, pattern in _READ.items():
            found[kind] |= {name for each in pattern.finditer(source) for name in each.groups() if name}
    found["query"] |= set(FIELDS) | set(ITEM_FIELDS)
    # What a page puts into a form the code reads by way of one.
    found["form"] |= set(FIELDS) | {"username", "password", "_save", "_selected_action", "action"}
    return found


def _routes(patterns: list[Any], before: str) -> Iterator[str]:
    for pattern in patterns:
        route = _route(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, before + route)
        elif isinstance(pattern, URLPattern):
            yield before + route


def _route(pattern: Any) -> str:
    """The pattern as a path, without the anchors and alternatives of a regular expression."""
    if isinstance(pattern, RoutePattern):
        return str(pattern)
    assert isinstance(pattern, RegexPattern)
    return re.sub(r"[\^$]|\\Z|(?<=[^)])\?(?!P)", "", str(pattern)).replace("\\", "")
