"""Who gets what from which address: docs/roles.md says it, and here every address is asked, by everybody, by every
method, whether it is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from dashboard.accounts.backends import BACKEND
from dashboard.accounts.middleware import RightsRequired
from tests.accounts import account
from threads.emulator import Emulator
from threads.roles import ROLES, Right, for_everybody, needs

WHO = ["anonymous", "no role", *(role.name for role in ROLES)]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_DOCUMENT = Path(settings.BASE_DIR) / "docs" / "roles.md"
_HEADS = ["address", "methods", *WHO]
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
    """A line of the table. `cells` are by who asks."""

    methods: frozenset[str]
    cells: dict[str, str]


def table() -> dict[str, list[Row]]:
    """The table in the document, by address. An address has a second line where a method differs."""
    lines = [line for line in _DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `/")]
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
    """Every address there is, as its pattern is written."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        written = before + str(each.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, written)
        elif isinstance(each, URLPattern):
            yield written


def _asked(address: str, thread_id: str) -> str:
    """The pattern with something in the place of each of its parts: a thread that is there, of all else what is not."""

    def filled(part: re.Match[str]) -> str:
        kind, _, name = (part[1] or part[2]).rpartition(":")
        if name == "thread_id":
            return thread_id
        return _UUID if kind == "uuid" else _VALUES[name]

    return re.sub(r"<([\w:]+)>|\(\?P<(\w+)>[^)]*\)", filled, address)


def _class(response: Any, *, signed_in: bool) -> str:
    """What became of a request, in the words of the table."""
    if response.status_code == 302 and "next=" in response["Location"]:
        to = urlsplit(response["Location"]).path
        if (
            to == "/admin/login/" and signed_in
        ):  # where it is said to whoever is signed in already that this is not theirs
            return "no"
        if to in {"/sign-in/", "/admin/login/"}:
            return "sign in"
    if response.status_code < 500 and response.status_code not in {403, 404, 405}:
        return "yes"
    return {403: "no", 404: "404", 405: "405"}.get(response.status_code, f"a fault: {response.status_code}")


def _told(rows: list[Row], who: str, method: str) -> set[str]:
    """What may become of a request, as the table has it. Where something is asked for that is not there, who may see
    it is told so."""
    row = next((each for each in rows if method in each.methods), None)
    cell = (row or rows[0]).cells[who]
    if cell == "yes":
        return {"yes", "404"} if row is not None else {"405"}
    return {cell}


@pytest.fixture
def upstream_and_queue(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setattr("threads.archive.orders._sync", lambda: None)
    return emulator


def _ask(who: str, thread_id: str) -> Iterator[tuple[str, str, str]]:
    """Every address by every method: the address, the method, and what became of it."""
    asking = None if who == "anonymous" else account("asker", *([] if who == "no role" else [who]))
    quiet = _signed_in(asking)
    there, rows = set(addresses()), table()
    for address in sorted(there | rows.keys()):
        # Of a part of a page the table tells only by which methods one gets it.
        methods = METHODS if address in there else [each for row in rows[address] for each in row.methods]
        for method in methods:
            # What changes something may end the session.
            client = _signed_in(asking) if method in {"POST", "PUT"} else quiet
            response = client.generic(method, _asked(address, thread_id))
            yield address, method, _class(response, signed_in=asking is not None)
            if response.streaming:
                b"".join(response)
            if client is not quiet and "out/" in address:  # of this account everywhere
                quiet = _signed_in(asking)


def _signed_in(asking: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if asking is not None:
        client.force_login(asking, backend=BACKEND)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("who", WHO)
def test_every_address_answers_everybody_as_the_table_says(who: str, upstream_and_queue: Emulator) -> None:
    rows = table()
    thread_id = next(iter(upstream_and_queue.thread_ids()))
    wrong = [
        f"{method} {address} for {who}: {seen}, and not {' or '.join(sorted(_told(rows[address], who, method)))}"
        for address, method, seen in _ask(who, thread_id)
        if address in rows and seen not in _told(rows[address], who, method)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_table_has_every_address_and_no_other() -> None:
    there, told = set(addresses()), {each.partition("?format=")[0] for each in table()}
    assert not there - told, f"docs/roles.md lacks {sorted(there - told)}: say there who may have what"
    assert not told - there, f"docs/roles.md has {sorted(told - there)}, which are no addresses any more"
    assert len(there) > 30


def test_the_heads_of_the_table_are_the_roles() -> None:
    line = next(line for line in _DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| address"))
    assert [each.strip() for each in line.strip("|").split("|")] == _HEADS


def _through(view: Any, rights: set[str]) -> None:
    class Asking:
        def has_perm(self, right: str) -> bool:
            return right in rights

    request = RequestFactory().get("/")
    request.user = Asking()  # type: ignore[assignment]
    RightsRequired(lambda _request: HttpResponse()).process_view(request, view)


def test_a_view_that_says_nothing_lets_nobody_in() -> None:
    def silent(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    with pytest.raises(PermissionDenied):
        _through(silent, set(Right))


def test_a_view_lets_in_who_has_one_of_its_rights() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    marked = needs(Right.READ, Right.SYNC)(view)
    _through(marked, {Right.SYNC})
    for rights in (set(), {str(Right.ADMINISTER)}):
        with pytest.raises(PermissionDenied):
            _through(marked, rights)
    _through(for_everybody(view), set())
