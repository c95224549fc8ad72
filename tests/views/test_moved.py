"""Addresses and parameters of earlier versions lead to today's, for good: in bookmarks, stored links, open pages."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.accounts import account
from threads.archive.models import SyncRequest

pytestmark = pytest.mark.django_db

MOVED = {
    "/overview/": "/reports/",
    "/archive/": "/sync/",
    "/archive/report/": "/sync/report/",
    "/archive/sync/": "/sync/start/",
    "/archive/deletions/": "/sync/deletions/",
}


def _signed_in(*roles: str) -> Client:
    client = Client()
    client.force_login(account("asker", *roles))
    return client


@pytest.mark.parametrize(("old", "new"), MOVED.items())
@pytest.mark.parametrize("query", ["", "?from=2026-01-01&to=2026-02-01", "?a=1&a=%C3%A4+%26"])
def test_an_old_address_leads_to_the_new_one(old: str, new: str, query: str) -> None:
    client = _signed_in("Administrator")
    for ask in (client.get, client.post):
        response = ask(old + query)
        assert (response.status_code, response.headers["Location"]) == (308, new + query)


def test_an_old_address_is_open_to_nobody_else() -> None:
    client = _signed_in("Auditor")
    for old in MOVED:
        assert client.post(old).status_code == 403, old
    assert Client().get("/archive/").headers["Location"] == "/sign-in/?next=/archive/"


def test_a_form_of_an_old_page_still_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threads.archive.request_sync._start_sync_task", lambda: None)
    _signed_in("Administrator").post("/archive/sync/", follow=True)
    assert SyncRequest.objects.count() == 1


def test_an_old_parameter_becomes_the_new_one() -> None:
    client = _signed_in("Auditor")
    response = client.get("/audit/?who=a%26b&action=read&limit=7")
    assert response.status_code == 308
    assert response.headers["Location"] == "/audit/?account=a%26b&action=read&limit=7"
    # Without it, a page that was open during the update would download everything.
    response = client.post("/audit/file/?who=ada")
    assert (response.status_code, response.headers["Location"]) == (308, "/audit/file/?account=ada")
    assert client.get("/audit/?account=ada").status_code == 200
