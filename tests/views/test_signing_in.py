"""Guessing passwords is slow and tells nothing; sessions end when they should."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client, override_settings
from django.utils import timezone

from dashboard.accounts import throttle
from dashboard.accounts.models import DeskSession, SignInLock
from tests.support.accounts import PASSWORD, account
from threads.audit import descriptions
from threads.audit.models import AuditEvent
from threads.emulator import Emulator

pytestmark = pytest.mark.django_db

WRONG = "The user name or the password is wrong, or there were too many attempts: then wait 15 minutes."


def attempt(name: str, password: str = "not it", address: str = "192.0.2.1", client: Client | None = None) -> Any:
    form = {"username": name, "password": password}
    return (client or Client()).post("/sign-in/", form, REMOTE_ADDR=address)


def gets_in(name: str, address: str = "192.0.2.1") -> bool:
    response = attempt(name, PASSWORD, address)
    if response.status_code == 200:
        assert WRONG in response.content.decode()
        return False
    assert (response.status_code, response["Location"]) == (302, "/")
    return True


def fail(times: int, name: str = "agent", address: str = "192.0.2.1") -> None:
    for _ in range(times):
        attempt(name, address=address)


def later(monkeypatch: pytest.MonkeyPatch, **by: float) -> None:
    now, seconds = timezone.now() + timedelta(**by), time.time() + timedelta(**by).total_seconds()
    ticks = time.monotonic() + timedelta(**by).total_seconds()
    monkeypatch.setattr(timezone, "now", lambda: now)
    monkeypatch.setattr("axes.handlers.proxy.now", lambda: now)
    monkeypatch.setattr(time, "time", lambda: seconds)
    monkeypatch.setattr(time, "monotonic", lambda: ticks)


def comparable(response: HttpResponse) -> tuple[Any, ...]:
    """All of a reply but what each has of its own: its token, its id and its second."""
    lines = [line for line in response.content.decode().splitlines() if "csrfmiddlewaretoken" not in line]
    own = {"X-Request-ID", "Content-Length", "Expires"}
    headers = {name: value for name, value in response.headers.items() if name not in own}
    return response.status_code, lines, headers, sorted(response.cookies)


def test_every_failure_gets_one_answer_and_takes_one_look_at_a_password(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    account("agent", "Viewer")
    account("closed", "Viewer", is_active=False)
    client.post("/sign-in/demo/")
    account("locked", "Viewer")
    fail(10, "locked", "192.0.2.9")
    looks: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        looks.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    answers = []
    with override_settings(EMULATOR=False):
        for name, password in [
            ("agent", "not it"),
            ("nobody", "not it"),
            ("closed", PASSWORD),
            ("demo", PASSWORD),
            ("locked", PASSWORD),
            ("locked", "not it"),
        ]:
            looks.clear()
            answers.append(comparable(attempt(name, password)))
            assert len(looks) == 1, f"{name} is answered after {len(looks)} looks at a password"
    assert all(each == answers[0] for each in answers)
    assert answers[0][0] == 200
    assert WRONG in "\n".join(answers[0][1])


def test_a_session_of_version_0_1_goes_on_and_its_backend_hashes_nothing(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    account("agent", "Viewer")
    attempt("agent", PASSWORD, client=client)
    session = client.session
    assert session[BACKEND_SESSION_KEY] == "dashboard.accounts.backends.AccountBackend"
    session[BACKEND_SESSION_KEY] = "dashboard.sessions.Accounts"
    session.save()
    assert client.get("/account/").status_code == 200
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    for name in ("agent", "nobody"):
        hashed.clear()
        attempt(name)
        assert hashed == ["not it"]


def test_an_account_is_locked_for_a_while_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    account("agent", "Viewer")
    account("other", "Viewer")
    fail(9)
    assert gets_in("agent")  # which clears what was counted
    fail(9)
    attempt("agent", address="198.51.100.7")  # the tenth, from elsewhere
    assert not gets_in("agent")
    assert not gets_in("agent", "203.0.113.5")
    assert gets_in("other")
    later(monkeypatch, minutes=14)
    assert not gets_in("agent")  # and who tries meanwhile makes it no longer
    later(monkeypatch, minutes=2)
    assert gets_in("agent")


def test_an_address_is_locked_later_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    account("agent", "Viewer")
    account("mine", "Viewer")
    for number in range(49):
        attempt(f"guess-{number}")
    assert gets_in("mine")  # an account of one's own clears nothing of what one did to others
    attempt("guess-49")
    assert not gets_in("agent")
    assert gets_in("agent", "192.0.2.2")
    later(monkeypatch, minutes=16)
    assert gets_in("agent")


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw() -> None:
    account("agent", "Viewer")
    form = {"username": "agent", "password": PASSWORD}
    with override_settings(BEHIND_PROXY=True, SIGN_IN_TRIES_ADDRESS=3):
        for number in range(3):
            wrong = {"username": f"guess-{number}", "password": "not it"}
            Client().post("/sign-in/", wrong, headers={"X-Forwarded-For": f"6.6.6.{number}, 192.0.2.7"})
        for forwarded, status in [("192.0.2.8", 302), ("192.0.2.8, 192.0.2.7", 200), ("192.0.2.7, 192.0.2.9", 302)]:
            response = Client().post("/sign-in/", form, headers={"X-Forwarded-For": forwarded})
            assert response.status_code == status, forwarded


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("unknown", "0.0.0.0"),
        ("", "0.0.0.0"),
        ("192.0.2.1:4711", "0.0.0.0"),
    ],
)
def test_what_an_address_is_counted_as(rf: Any, given: str, counted: str) -> None:
    request = rf.get("/", REMOTE_ADDR=given)
    assert throttle.client_address(request) == counted
    assert attempt("agent", address=given).status_code == 200  # and the database takes it
    assert AccessAttempt.objects.get().ip_address == counted


def test_of_many_that_come_at_once_one_is_looked_at_and_few_wait() -> None:
    account("agent", "Viewer")
    inside: list[int] = []
    most: list[int] = []
    come = threading.Barrier(4)

    def look() -> None:
        come.wait(5)
        with throttle.turn():
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4
    with override_settings(SIGN_INS_WAITING=0):
        busy = attempt("agent", PASSWORD)
        assert (busy.status_code, busy["Retry-After"]) == (503, "10")
        assert b"Too many people are signing in" in busy.content
        assert Client().get("/sign-in/").status_code == 200
    assert gets_in("agent")


def test_no_password_is_kept_whichever_field_it_was_typed_into(caplog: pytest.LogCaptureFixture) -> None:
    account("agent", "Viewer")
    caplog.set_level(logging.DEBUG)
    for _ in range(11):
        form = {"username": "correct-horse-1", "password": "correct-horse-2", "next": "/correct-horse-3"}
        Client().post("/sign-in/?q=correct-horse-4", form | {"username": "agent"})
        Client().post("/sign-in/?q=correct-horse-4", form)
    kept = list(AccessAttempt.objects.values()) + list(AuditEvent.objects.values())
    assert "agent" in str(kept)
    assert "correct-horse" not in str(kept)
    assert "correct-horse" not in caplog.text
    assert set(AccessAttempt.objects.values_list("username", flat=True)) >= {"agent"}


def refusals() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="sign-in", outcome="refused").order_by("id"))


def test_the_audit_log_tells_who_was_locked_out_and_how_often_they_went_on(monkeypatch: pytest.MonkeyPatch) -> None:
    account("agent", "Viewer")
    account("other", "Viewer")
    fail(25)
    fail(5, address="198.51.100.7")
    rows = refusals()
    assert [row.detail.get("reason") for row in rows] == [None] * 9 + ["locked"]
    assert {(row.detail["account"], row.address) for row in rows} == {("agent", "192.0.2.1")}
    assert (rows[-1].detail["locked"], rows[-1].detail["minutes"]) == ("account", 15)
    assert gets_in("other")  # who is not locked ends no lock of another
    assert len(refusals()) == 10
    later(monkeypatch, minutes=16)
    assert gets_in("other")
    (end,) = refusals()[10:]
    assert end.detail["reason"] == "the lock has ended"
    assert (end.detail["account"], end.detail["attempts_refused"]) == ("agent", 20)
    began, ended = (datetime.fromisoformat(end.detail[name]) for name in ("began", "ended"))
    assert ended - began == timedelta(minutes=15)
    assert (end.account, end.address) == ("", "192.0.2.1")
    assert descriptions.describe(end) == "Went on trying to sign in as agent while it was locked"
    assert gets_in("other")
    assert len(refusals()) == 11
    assert not SignInLock.objects.exists()


def test_a_lock_that_a_command_took_away_ends_with_the_next_attempt() -> None:
    account("agent", "Viewer")
    fail(12)
    call_command("axes_reset_username", "agent", verbosity=0)
    attempt("agent")
    assert [row.detail.get("attempts_refused") for row in refusals()[10:]] == [2, None]


def test_an_address_that_is_locked_has_one_row_whatever_names_it_tries() -> None:
    with override_settings(SIGN_IN_TRIES_ADDRESS=3):
        for number in range(20):
            attempt(f"guess-{number}")
    rows = refusals()
    assert [row.detail.get("locked") for row in rows] == [None, None, "address"]
    assert SignInLock.objects.get().refused == 17


def test_a_lock_that_another_process_began_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    account("agent", "Viewer")
    fail(9)
    create = SignInLock.objects.bulk_create

    def late(made: list[SignInLock], **how: Any) -> Any:
        there = {"account": "agent", "began_at": timezone.now(), "until": timezone.now() + timedelta(minutes=15)}
        SignInLock.objects.create(kind="account", what="agent", **there)
        return create(made, **how)

    monkeypatch.setattr(SignInLock.objects, "bulk_create", late)
    fail(1)
    assert SignInLock.objects.get().refused == 1
    assert len(refusals()) == 9


def test_an_end_that_can_t_be_recorded_waits_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    account("agent", "Viewer")
    account("other", "Viewer")
    fail(12)
    later(monkeypatch, minutes=16)

    def full(**_values: object) -> None:
        raise DatabaseError("disk full")

    with monkeypatch.context() as now:
        now.setattr(AuditEvent.objects, "create", full)
        assert gets_in("other")
    assert SignInLock.objects.get().refused == 2
    assert gets_in("other")
    assert refusals()[-1].detail["attempts_refused"] == 2


def test_somebody_who_is_locked_out_is_let_in_by_a_command() -> None:
    account("agent", "Viewer")
    fail(10)
    assert not gets_in("agent")
    call_command("axes_reset_username", "agent", verbosity=0)
    assert gets_in("agent")


def test_a_sign_in_gets_a_session_of_its_own(client: Client) -> None:
    account("agent", "Viewer")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key
    attempt("agent", PASSWORD, client=client)
    assert client.session.session_key != planted
    assert not DeskSession.objects.filter(session_key=planted).exists()
    kept = DeskSession.objects.get()
    assert kept.account == User.objects.get()
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_session_ends_twelve_hours_after_it_began_whatever_is_done_in_it(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(23):
        later(monkeypatch, minutes=30)
        session = agent.session
        session["saved"] = "again"
        session.save()
        assert agent.get("/threads/").status_code == 200
    later(monkeypatch, minutes=31)
    assert agent.get("/threads/").status_code == 302


def test_a_session_ends_when_nobody_does_anything(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, minutes=59)
    assert agent.get("/threads/", headers={"HX-Request": "true", "HX-Target": "browse"}).status_code == 200
    later(monkeypatch, minutes=50)
    for poll in ({"HX-Request": "true", "HX-Target": "archive"}, {"HX-Request": "true"}):
        assert agent.get("/sync/", headers=poll).status_code == 200  # which the page does by itself
    later(monkeypatch, minutes=11)
    assert agent.get("/threads/").status_code == 302
    assert not DeskSession.objects.filter(account__isnull=False).exists()


def test_that_somebody_is_there_is_written_down_every_few_minutes_only(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[..., Any]
) -> None:
    agent.get("/threads/")
    with django_assert_num_queries(0):
        agent.get("/threads/?limit=5")
    began = DeskSession.objects.get().seen_at
    later(monkeypatch, minutes=6)
    agent.get("/threads/")
    assert DeskSession.objects.get().seen_at - began >= timedelta(minutes=6)
    agent.get("/threads/")
    with django_assert_num_queries(0):
        agent.get("/threads/?limit=5")


def test_sessions_that_are_over_are_taken_away_at_the_next_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    account("agent", "Viewer")
    assert gets_in("agent")
    assert gets_in("agent")
    assert DeskSession.objects.count() == 2
    later(monkeypatch, minutes=61)
    assert gets_in("agent")
    assert DeskSession.objects.count() == 1


def test_a_new_secret_key_signs_nobody_out_while_the_old_one_is_named(agent: Client, emulator: Emulator) -> None:
    from django.conf import settings

    old, new = settings.SECRET_KEY, "another key, of fifty characters and some more, for tests"
    with override_settings(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[old]):
        assert agent.get("/threads/").status_code == 200
    with override_settings(SECRET_KEY=new + "!"):
        assert agent.get("/threads/").status_code == 302
