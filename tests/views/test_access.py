"""Who may see what, and what every reply carries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from dashboard.accounts.models import DeskSession
from tests.support.accounts import account
from tests.support.reader import Get
from threads.emulator import Emulator

OPEN = {"sign-in/", "sign-in/demo/", "sign-in/sso/", "sign-in/sso/callback/", "sign-out/", "admin/login/"}


def addresses(patterns: list[Any] | None = None, before: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, before + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield before + str(pattern.pattern)


@pytest.mark.django_db
def test_every_address_but_the_open_ones_asks_for_a_sign_in(client: Client, emulator: Emulator) -> None:
    asked = 0
    for address in addresses():
        if address in OPEN or "<" in address or "(" in address or "^" in address:
            continue
        response = client.get("/" + address)
        assert response.status_code == 302, address
        assert response["Location"].startswith(("/sign-in/?next=", "/admin/login/?next=")), address
        asked += 1
    assert asked >= 3
    assert not emulator.calls


@pytest.mark.django_db
def test_signing_in_leads_to_where_one_wanted_to_go(client: Client, emulator: Emulator) -> None:
    account("agent", "Viewer", password="correct horse")
    asked = client.get("/threads/?user=a%20b&limit=5")
    assert asked["Location"] == "/sign-in/?next=/threads/%3Fuser%3Da%2520b%26limit%3D5"
    form = {"username": "agent", "password": "correct horse", "next": "/threads/?user=a%20b&limit=5"}
    assert client.post("/sign-in/", form)["Location"] == "/threads/?user=a%20b&limit=5"
    assert client.get("/threads/").status_code == 200


@pytest.mark.django_db
def test_a_wrong_password_is_said_in_words(client: Client) -> None:
    account("agent", "Viewer", password="correct horse")
    for name in ("agent", "nobody"):
        response = client.post("/sign-in/", {"username": name, "password": "wrong"})
        assert b"The user name or the password is wrong" in response.content


@pytest.mark.django_db
def test_nobody_is_led_off_the_desk(client: Client) -> None:
    account("agent", "Viewer", password="correct horse")
    for onward in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        form = {"username": "agent", "password": "correct horse", "next": onward}
        assert client.post("/sign-in/", form)["Location"] == "/"
        assert client.post("/sign-in/demo/", form)["Location"] == "/"


@pytest.mark.django_db
def test_htmx_is_sent_to_the_sign_in_page_and_not_shown_it_in_the_table(client: Client) -> None:
    response = client.get("/threads/?limit=5", headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/sign-in/?next=/threads/%3Flimit%3D5"
    assert response.content == b""


@pytest.mark.django_db
def test_who_must_sign_in_for_a_part_of_a_page_comes_back_to_the_page(client: Client) -> None:
    sent = {"HX-Request": "true", "HX-Target": "more", "HX-Current-URL": "http://testserver/threads/x/?at=y#item-y"}
    response = client.get("/threads/x/?after=z", headers=sent)
    assert response["HX-Redirect"] == "/sign-in/?next=%2Fthreads%2Fx%2F%3Fat%3Dy"


@pytest.mark.django_db
def test_the_demo_is_one_click_and_only_in_emulator_mode(client: Client, emulator: Emulator, visitor: Get) -> None:
    assert "Open the demo" in visitor("/sign-in/").said()
    assert client.get("/sign-in/demo/").status_code == 405
    assert client.post("/sign-in/demo/")["Location"] == "/"
    assert client.get("/threads/").status_code == 200
    assert not get_user_model().objects.get().has_usable_password()
    with override_settings(EMULATOR=False):
        assert Client().post("/sign-in/demo/").status_code == 404


@pytest.mark.django_db
def test_the_demo_account_opens_nothing_outside_emulator_mode(client: Client, emulator: Emulator) -> None:
    client.post("/sign-in/demo/")
    assert client.get("/threads/").status_code == 200
    with override_settings(EMULATOR=False):
        assert client.get("/threads/").status_code == 302


@pytest.mark.django_db
def test_who_is_no_administrator_is_told_so(agent: Client) -> None:
    response = agent.get("/admin/", follow=True)
    assert response.status_code == 403
    assert b"You don&#39;t have access" in response.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("roles", "method", "address", "says"),
    [
        (["Viewer"], "get", "/audit/", "Needs: Auditor. Yours: Viewer."),
        (["Auditor"], "get", "/threads/", "Needs: Viewer. Yours: Auditor."),
        (["Viewer", "Auditor"], "get", "/exports/", "Needs: Exporter. Yours: Viewer, Auditor."),
        (["Viewer"], "get", "/erasures/", "Needs: Eraser or Auditor. Yours: Viewer."),
        (["Eraser"], "post", "/sync/start/", "Needs: Administrator. Yours: Eraser."),
        (["Exporter"], "get", "/admin/", "Needs: Administrator. Yours: Exporter."),
        (["Viewer"], "post", "/threads/cthr_1/", "Needs: Exporter. Yours: Viewer."),
        ([], "get", "/threads/", "Your account has no role yet."),
    ],
)
def test_who_has_no_access_is_told_what_it_takes(roles: list[str], method: str, address: str, says: str) -> None:
    client = Client()
    client.force_login(account("asker", *roles))
    response = getattr(client, method)(address, follow=True)
    assert response.status_code == 403
    assert "You don&#39;t have access" in response.content.decode()
    assert says in response.content.decode()


@pytest.mark.django_db
def test_nobody_is_led_back_to_sign_in(agent: Client) -> None:
    for onward in ("/sign-in/", "/sign-in/?next=/sign-in/"):
        assert agent.get("/sign-in/", {"next": onward})["Location"] == "/"


@pytest.mark.django_db
def test_an_account_that_is_closed_is_closed_at_once(agent: Client, emulator: Emulator) -> None:
    assert agent.get("/threads/").status_code == 200
    user = get_user_model().objects.get()
    user.is_active = False
    user.save()
    assert agent.get("/threads/").status_code == 302


@pytest.mark.django_db
def test_a_session_that_ended_elsewhere_ends_here_in_time(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert agent.get("/threads/").status_code == 200
    DeskSession.objects.all().delete()  # as another process would: this one is not told
    assert agent.get("/threads/").status_code == 200
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert agent.get("/threads/").status_code == 302


@pytest.mark.django_db
def test_signing_out_ends_the_session(agent: Client, emulator: Emulator) -> None:
    response = agent.post("/sign-out/")
    assert response["Location"] == "/sign-in/"
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert agent.get("/threads/").status_code == 302
    assert agent.get("/sign-out/").status_code == 405


@pytest.mark.django_db
def test_a_desk_without_accounts_says_how_to_make_the_first(visitor: Get) -> None:
    with override_settings(EMULATOR=False):
        assert "createsuperuser" in visitor("/sign-in/").said()
        account("agent", "Viewer", password="correct horse")
        assert "createsuperuser" not in visitor("/sign-in/").said()


def test_healthz_asks_nobody(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert client.head("/healthz", headers={"Host": "by.any.name"}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/sign-in/", "/healthz", "/threads/", "/nowhere/", "/admin/login/"])
def test_the_headers_are_on_every_reply(client: Client, address: str) -> None:
    response = client.get(address)
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["Cache-Control"].startswith(("no-store", "max-age=0"))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_a_page_that_is_not_there_says_so(visitor: Get) -> None:
    assert "Page not found" in visitor("/nowhere/", status=404).said()


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_refused(visitor: Get) -> None:
    page = visitor("/sign-in/", status=400, Host="evil.example")
    assert "isn't valid" in page.said()
    assert "evil.example" not in page.text


@pytest.mark.django_db
def test_a_form_from_elsewhere_is_refused() -> None:
    response = Client(enforce_csrf_checks=True).post("/sign-in/demo/")
    assert response.status_code == 403
    assert b"This form is out of date" in response.content


@pytest.mark.django_db
def test_a_mistake_of_ours_shows_no_traceback(agent: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_query: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("threads.service.list_threads", broken)
    agent.raise_request_exception = False
    response = agent.get("/threads/")
    assert response.status_code == 500
    assert b"Something went wrong" in response.content
    assert b"secret" not in response.content
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.django_db
def test_the_proxy_is_believed_only_where_there_is_one(rf: Any) -> None:
    from dashboard.middleware import remote_address

    seen: list[str] = []

    def view(request: Any) -> Any:
        seen.append(request.META["REMOTE_ADDR"])

    request = rf.get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.7"})
    remote_address(view)(request)
    with override_settings(BEHIND_PROXY=True):
        remote_address(view)(request)
    assert seen == ["10.0.0.1", "192.0.2.7"]


@pytest.mark.django_db
def test_accounts_are_made_in_the_admin(client: Client) -> None:
    get_user_model().objects.create_superuser("root", password="correct horse")
    assert client.login(username="root", password="correct horse")
    assert client.get("/admin/auth/user/add/").status_code == 200
