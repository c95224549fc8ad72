"""Rights that were taken away by another process: whatever changes something, and whatever needs more than the right to
read, asks the database anew. Every address of the URLconf is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from dashboard.accounts import backends
from dashboard.accounts.models import DeskSession
from tests.support import roles as asked
from tests.support.accounts import account
from threads.emulator import Emulator
from threads.roles import Right

pytestmark = pytest.mark.django_db

ENDS_THE_SESSION = {"/sign-out/", "/account/sign-out/", "/admin/logout/", "/sign-in/demo/"}


class Desk:
    """An Administrator who is remembered by this process, while another process changes what is in the database."""

    def __init__(self, *, emulator: Emulator) -> None:
        self.user = account("boss", "Administrator")
        self.client = Client(raise_request_exception=False)
        self.client.force_login(self.user, backend=backends.BACKEND)
        self.thread_id = next(iter(emulator.thread_ids()))

    def remembered(self) -> None:
        """From now on this process remembers the account as an Administrator."""
        role = Group.objects.get(name="Administrator")
        User.groups.through.objects.get_or_create(user=self.user, group=role)
        backends._accounts.clear()
        assert self.client.get("/reports/").status_code == 200

    def demoted_elsewhere(self) -> None:
        User.groups.through.objects.filter(user=self.user).delete()  # Django tells nobody of this

    def ask(self, method: str, address: str) -> Any:
        response = self.client.generic(method, asked.filled_in(address, self.thread_id))
        if response.streaming:
            b"".join(response)
        return response


@pytest.fixture
def desk(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("threads.web.views.sync.request_sync", lambda: None)
    return Desk(emulator=emulator)


def views(patterns: list[Any] | None = None, before: str = "/") -> Iterator[tuple[str, Any]]:
    for each in get_resolver().url_patterns if patterns is None else patterns:
        written = before + str(each.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(each, URLResolver):
            yield from views(each.url_patterns, written)
        elif isinstance(each, URLPattern):
            yield written, each.callback


def _is_reading(view: Any) -> bool:
    rights = getattr(view, "rights", None)
    return not getattr(view, "login_required", True) or (rights is not None and (not rights or Right.READ in rights))


def test_a_role_that_another_process_took_away_changes_nothing_more(desk: Desk) -> None:
    rows, wrong = asked.table(), []
    for address, view in views():
        if address in ENDS_THE_SESSION:
            continue
        for method in ["POST"] if _is_reading(view) else ["POST", "GET"]:
            desk.remembered()
            desk.demoted_elsewhere()
            seen = asked.outcome(desk.ask(method, address), signed_in=True)
            if seen not in asked.expected(rows[address], "no role", method):
                wrong.append(f"{method} {address}: {seen}")
    assert not wrong, "\n".join(wrong)


def test_reading_goes_on_for_the_seconds_that_an_account_is_remembered(desk: Desk) -> None:
    desk.remembered()
    desk.demoted_elsewhere()
    assert desk.client.get("/threads/").status_code == 200
    assert desk.client.post("/sync/start/").status_code == 403
    assert desk.client.get("/threads/").status_code == 403  # and what was read anew is what is remembered


def test_a_session_that_another_process_ended_changes_nothing_more(desk: Desk) -> None:
    desk.remembered()
    DeskSession.objects.all().delete()
    assert desk.client.get("/threads/").status_code == 200
    response = desk.client.post("/sync/start/")
    assert response["Location"] == "/sign-in/?next=/sync/start/"


def test_an_account_that_another_process_closed_changes_nothing_more(desk: Desk) -> None:
    desk.remembered()
    User.objects.filter(pk=desk.user.pk).update(is_active=False)
    assert desk.client.post("/views/", {"name": "mine", "query": ""})["Location"] == "/sign-in/?next=/views/"
