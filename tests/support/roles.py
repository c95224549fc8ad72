"""The table of docs/roles.md, and the outcome of a request in its terms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from threads.roles import ROLES

WHO = ["anonymous", "no role", *(role.name for role in ROLES)]


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


DOCUMENT = Path(settings.BASE_DIR) / "docs" / "roles.md"


HEADS = ["address", "methods", *WHO]


_VALUES = {
    "pk": "1",
    "object_id": "999999",
    "content_type_id": "1",
    "app_label": "auth",
    "url": "nowhere",
    "id": "999999",
}


_UUID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Row:
    """A line of the table. `cells` has the outcome for each role."""

    methods: frozenset[str]
    cells: dict[str, str]


def table() -> dict[str, list[Row]]:
    """The lines of the table by URL pattern. A pattern has a second line if a method differs."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `/")]
    found: dict[str, list[Row]] = {}
    for line in lines:
        address, methods, *cells = (each.strip() for each in line.strip("|").split("|"))
        assert len(cells) == len(WHO), f"{line} has not a cell for each of {WHO}"
        address = address.strip("`")
        allowed = set(METHODS if methods == "any" else methods.split())
        assert allowed <= set(METHODS), f"{methods} of {address} are no methods"
        before = found.setdefault(address, [])
        assert not any(allowed & each.methods for each in before), f"a method of {address} stands twice"
        before.append(Row(frozenset(allowed), dict(zip(WHO, cells, strict=True))))
    return found


def addresses(patterns: list[Any] | None = None, before: str = "/") -> Iterator[str]:
    """Every URL pattern of the URLconf."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        written = before + str(each.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, written)
        elif isinstance(each, URLPattern):
            yield written


def filled_in(address: str, thread_id: str) -> str:
    """The pattern with values for its placeholders: an existing thread, and ids of nothing for the others."""

    def filled(part: re.Match[str]) -> str:
        kind, _, name = (part[1] or part[2]).rpartition(":")
        if name == "thread_id":
            return thread_id
        return _UUID if kind == "uuid" else _VALUES[name]

    return re.sub(r"<([\w:]+)>|\(\?P<(\w+)>[^)]*\)", filled, address)


def outcome(response: Any, *, signed_in: bool) -> str:
    """The outcome of a request: yes, no, sign in, 404, 405, or a fault."""
    if response.status_code == 302 and "next=" in response["Location"]:
        to = urlsplit(response["Location"]).path
        if to == "/admin/login/" and signed_in:  # the admin site says there that the account has no access
            return "no"
        if to in {"/sign-in/", "/admin/login/"}:
            return "sign in"
    if response.status_code < 500 and response.status_code not in {403, 404, 405}:
        return "yes"
    return {403: "no", 404: "404", 405: "405"}.get(response.status_code, f"a fault: {response.status_code}")


def expected(rows: list[Row], who: str, method: str) -> set[str]:
    """The outcomes that the table allows. A role that has access also gets 404, for objects that do not exist."""
    row = next((each for each in rows if method in each.methods), None)
    cell = (row or rows[0]).cells[who]
    if cell == "yes":
        return {"yes", "404"} if row is not None else {"405"}
    return {cell}
