"""Everybody's own page: roles, where one is signed in, ending that, and the password."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory, override_settings
from django.utils.crypto import salted_hmac

from dashboard.accounts import throttle
from dashboard.accounts.models import DeskSession, Identity, SignInLock
from tests.support.accounts import PASSWORD, account
from tests.support.page import Page
from threads.audit.models import AuditEvent
from threads.emulator import Emulator

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"
NEW = "another long enough one"


def signed_in(name: str, agent: str = FIREFOX, password: str = PASSWORD) -> Client:
    client = Client(headers={"User-Agent": agent})
    response = client.post("/sign-in/", {"username": name, "password": password}, REMOTE_ADDR="192.0.2.1")
    assert response.status_code == 302
    return client


def page(client: Client, address: str = "/account/") -> Page:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response.content.decode(), response.headers)


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def told(action: str) -> list[dict[str, object]]:
    return [dict(row.detail) for row in AuditEvent.objects.filter(action=action).order_by("id")]


def test_it_says_who_one_is_what_one_may_and_where_one_is_signed_in() -> None:
    account("agent", "Viewer", "Auditor")
    first, second = signed_in("agent"), signed_in("agent", EDGE)
    said = page(second).said()
    assert "Viewer. Finds and reads threads." in said
    assert "Auditor. Reads the audit log" in said
    assert "Exporter" not in said
    assert "Edge on Windows This session" in said
    assert "Firefox on Linux" in said
    assert "192.0.2.1 just now" in said
    assert page(first).one("a", href="/account/").get("aria-current") == "page"


def test_an_account_without_a_role_reaches_it_from_what_it_is_refused(client: Client) -> None:
    account("nobody-yet")
    client = signed_in("nobody-yet")
    refused = client.get("/", follow=True)
    assert refused.status_code == 403
    assert Page(refused.content.decode(), refused.headers).one("a", **{"class": "button"}).get("href") == "/account/"
    assert "No role yet" in page(client).said()


def test_signing_out_everywhere_is_at_once_and_on_record(emulator: Emulator) -> None:
    account("agent", "Viewer")
    account("other", "Viewer")
    here, there, other = signed_in("agent"), signed_in("agent"), signed_in("other")
    assert is_in(here)
    assert is_in(there)
    assert here.get("/account/sign-out/").status_code == 405
    response = here.post("/account/sign-out/")
    assert response["Location"] == "/sign-in/"
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_in(here)
    assert not is_in(there)
    assert is_in(other)
    assert told("sign-out") == [{"account": "agent", "sessions": 1, "reason": "signed out everywhere"}, {}]
    assert DeskSession.objects.get(account__isnull=False).account == User.objects.get(username="other")


def test_another_process_knows_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    account("agent", "Viewer")
    there = signed_in("agent")
    assert is_in(there)
    monkeypatch.setattr(
        "dashboard.accounts.session_store.forget", lambda _keys: None
    )  # as if another process had done it
    signed_in("agent").post("/account/sign-out/")
    assert is_in(there)
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not is_in(there)


def test_an_administrator_signs_somebody_out_but_no_superuser() -> None:
    account("root", is_superuser=True)
    agent, root = account("agent", "Viewer"), User.objects.get(username="root")
    account("boss", "Administrator")
    boss, theirs, above = signed_in("boss"), signed_in("agent"), signed_in("root")
    form = {"action": "sign_out_everywhere", "_selected_action": [agent.pk, root.pk]}
    response = boss.post("/admin/auth/user/", form, follow=True)
    assert b"Accounts signed out everywhere: 1, with 1 session." in response.content
    assert not is_in(theirs)
    assert is_in(above)
    row = AuditEvent.objects.get(action="sign-out")
    assert row.account == "boss"
    assert row.detail == {"account": "agent", "sessions": 1, "reason": "signed out by an administrator"}
    signed = signed_in("agent")
    assert signed.post("/admin/auth/user/", form).status_code == 302
    assert is_in(above)


def test_closing_an_account_ends_its_sessions() -> None:
    user = account("agent", "Viewer")
    client = signed_in("agent")
    user.is_active = False
    user.save()
    assert not is_in(client)
    assert not DeskSession.objects.filter(account=user).exists()
    user.is_active = True
    user.save()
    assert not is_in(client)  # opening it again brings none of them back
    assert told("sign-out") == [{"account": "agent", "sessions": 1, "reason": "account closed"}]


def test_a_password_is_changed_and_every_other_place_is_signed_out() -> None:
    account("agent", "Viewer")
    here, there = signed_in("agent"), signed_in("agent")
    form = page(here, "/account/password/")
    assert "at least 10 characters" in form.said()
    sent = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    response = here.post("/account/password/", sent)
    assert response["Location"] == "/account/"
    shown = page(here)
    assert "Your password is changed." in shown.said()
    assert len(list(shown.one("tbody").iter("tr"))) == 1
    assert not is_in(there)
    signed_in("agent", password=NEW)


@pytest.mark.parametrize(
    ("old", "new", "again", "says"),
    [
        ("not it", NEW, NEW, "not your current password, or there were too many attempts: then wait 15 minutes."),
        (PASSWORD, NEW, "not the same at all", "didn’t match"),
        (PASSWORD, "short", "short", "too short"),
        (PASSWORD, "1234567890", "1234567890", "too common"),
        ("", "", "", "This field is required."),
    ],
)
def test_a_password_that_does_not_fit_is_said_to_be(old: str, new: str, again: str, says: str) -> None:
    account("agent", "Viewer")
    client = signed_in("agent")
    response = client.post("/account/password/", {"old_password": old, "new_password1": new, "new_password2": again})
    assert response.status_code == 200
    shown = Page(response.content.decode(), response.headers)
    assert says in shown.said()
    assert shown.all("input", aria_invalid="true")
    assert NEW not in shown.text
    signed_in("agent")


def test_the_password_of_now_can_be_guessed_no_more_often_than_on_the_sign_in_page() -> None:
    account("agent", "Viewer")
    client = signed_in("agent")
    wrong = {"old_password": "not it", "new_password1": NEW, "new_password2": NEW}
    for _ in range(10):
        client.post("/account/password/", wrong)
    assert client.post("/account/password/", wrong | {"old_password": PASSWORD}).status_code == 200
    assert User.objects.get().check_password(PASSWORD)
    assert len(AuditEvent.objects.filter(action="sign-in", outcome="refused")) == 10
    assert SignInLock.objects.get().refused == 1


def test_what_is_remembered_of_an_account_is_not_saved_with_its_new_password() -> None:
    account("agent", "Viewer")
    client = signed_in("agent")
    assert is_in(client)
    User.objects.update(email="new@desk.example")  # in another process: this one is not told
    sent = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    client.post("/account/password/", sent)
    assert User.objects.get().email == "new@desk.example"


def test_the_demo_and_single_sign_on_have_no_password_here(client: Client) -> None:
    client.post("/sign-in/demo/")
    said = page(client).said()
    assert "everybody shares" in said
    assert "Sign out everywhere" not in said
    assert client.post("/account/sign-out/").status_code == 403
    assert client.get("/account/password/").status_code == 403
    user = account("agent", "Viewer")
    Identity.objects.create(account=user, issuer="https://sso.example", subject="1")
    client.force_login(user, "dashboard.accounts.backends.AccountBackend")
    assert "You sign in with single sign-on" in page(client).said()
    assert client.get("/account/password/").status_code == 403
    assert Client().post("/sign-in/", {"username": "agent", "password": PASSWORD}).status_code == 200
    with override_settings(LOCAL_PASSWORDS=False):
        account("local", "Viewer")
        assert Client().post("/sign-in/", {"username": "local", "password": PASSWORD}).status_code == 200
        client.force_login(User.objects.get(username="local"), "dashboard.accounts.backends.AccountBackend")
        assert client.get("/account/password/").status_code == 403


def test_the_admin_has_no_second_way_to_sign_out_or_change_a_password() -> None:
    account("boss", "Administrator")
    client = signed_in("boss")
    assert client.get("/admin/password_change/")["Location"] == "/account/password/"
    response = client.post("/admin/logout/")
    assert response["Location"] == "/sign-in/"
    assert response["Clear-Site-Data"]
    assert not is_in(client)


def test_the_change_of_an_account_is_on_record_before_its_sessions_end() -> None:
    """Where it can't be recorded it is refused, and then no session may have ended."""
    user = account("agent")
    signed_in("agent")
    before = AuditEvent.objects.count()
    user.set_password("another one of these")
    user.save()
    assert [each.action for each in AuditEvent.objects.order_by("id")[before:]] == ["account", "sign-out"]


def test_the_stored_hash_of_an_unknown_name_stays_that_of_0_1() -> None:
    """Else failures and locks that were counted before an update would count no more."""
    expected = salted_hmac("dashboard.throttle", "nobody").hexdigest()
    assert throttle.counted_name(RequestFactory().get("/"), {"username": "nobody"}) == f"({expected})"
