"""Who gets what from which address: docs/roles.md says it, and here every address is asked, by everybody, by every
method, whether it is so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from dashboard.accounts.backends import BACKEND
from dashboard.accounts.middleware import RightsRequired
from tests.support.accounts import account
from tests.support.roles import DOCUMENT, HEADS, METHODS, WHO, addresses, expected, filled_in, outcome, table
from threads.emulator import Emulator
from threads.roles import Right, for_every_account, needs


@pytest.fixture
def upstream_and_queue(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setattr("threads.archive.request_sync._start_sync_task", lambda: None)
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
            response = client.generic(method, filled_in(address, thread_id))
            yield address, method, outcome(response, signed_in=asking is not None)
            if response.streaming:
                b"".join(response)
            if client is not quiet and "out/" in address:  # of this account everywhere
                quiet = _signed_in(asking)


def _signed_in(asking: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if asking is not None:
        client.force_login(asking, backend=BACKEND)
    return client


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("who", WHO)
def test_every_address_answers_everybody_as_the_table_says(who: str, upstream_and_queue: Emulator) -> None:
    rows = table()
    thread_id = next(iter(upstream_and_queue.thread_ids()))
    wrong = [
        f"{method} {address} for {who}: {seen}, and not {' or '.join(sorted(expected(rows[address], who, method)))}"
        for address, method, seen in _ask(who, thread_id)
        if address in rows and seen not in expected(rows[address], who, method)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_table_has_every_address_and_no_other() -> None:
    there, told = set(addresses()), {each.partition("?format=")[0] for each in table()}
    assert not there - told, f"docs/roles.md lacks {sorted(there - told)}: say there who may have what"
    assert not told - there, f"docs/roles.md has {sorted(told - there)}, which are no addresses any more"
    assert len(there) > 30


def test_the_heads_of_the_table_are_the_roles() -> None:
    line = next(line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| address"))
    assert [each.strip() for each in line.strip("|").split("|")] == HEADS


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
    _through(for_every_account(view), set())
