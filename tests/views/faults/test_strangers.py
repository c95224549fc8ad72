"""What people send who mean no good, or have two tabs open: the reply, and that nothing has changed by it."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core import signing
from django.test import Client
from django.utils import timezone

from dashboard.accounts import session_store
from dashboard.accounts.models import DeskSession
from tests.support.accounts import PASSWORD, account
from tests.support.addresses import addresses
from tests.support.reader import Get
from tests.support.seen import Seen
from tests.support.syncing import sync
from threads.archive import thread_info
from threads.audit.models import AuditEvent
from threads.emulator import Emulator
from threads.models import SavedView

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(account("root", "Administrator", is_staff=True))
    return client


def session_of(client: Client) -> str:
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def filled() -> list[str]:
    return sorted({each.filled(iter(["7", "7", "7"])) for each in addresses()})


PLAIN = "limit=20&order=desc"
"""What is asked of the upstream for the first page of all threads."""


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=%00", "after"), ("after=a%0d%0ab", "after"), ("before=a%1bb", "before"),
        ("q=%00", "q"), ("status=%00", "status"), ("reason=%00", "reason"),
        ("limit=-1", "limit"), ("limit=101", "limit"), ("limit=1e3", "limit"),
        ("limit=" + "9" * 5000, "limit"), ("limit=%E2%88%9E", "limit"), ("order=up", "order"),
        ("from=2026-02-30", "from"),
        ("to=0000-01-01", "to"), ("from=9999-12-32", "from"), ("hour=7-25", "hour"), ("has_reason=2", "has_reason"),
        ("user=" + "x" * 513, "user"), ("q=" + "x" * 20_001, "q"), ("match=like", "match"),
    ],
    ids=lambda value: value[:24],
)  # fmt: skip
def test_what_is_no_filter_is_said_beside_its_field(
    get: Get, emulator: Emulator, query: str, field: str, seen: Seen
) -> None:
    page = get(f"/threads/?{query}", status=400)
    assert page.said(page.one("p", id=f"{field}-error"))
    assert {asked for _, _, asked in emulator.calls} <= {PLAIN}, "the upstream is asked as if it were not there"
    seen("400, said beside the field, with the list without it")


@pytest.mark.parametrize(
    "raw",
    [
        "user=%FF%FE",
        "user=%C0%AF%C0%AE",
        "user=%ED%A0%80",
        "user=%F0%80%80%AF",
        "user=%",
        "user=%zz",
        "%00=1",
        "=",
        "&&&;=%3B",
    ],
)
def test_bytes_that_are_no_text(get: Get, agent: Client, emulator: Emulator, raw: str, seen: Seen) -> None:
    response = agent.get(f"/threads/?{raw}")
    assert response.status_code in {200, 400}
    seen(str(response.status_code))


@pytest.mark.parametrize("query", ["after=a&before=b", "after=a&before=b&limit=5", "before=b&after=a&user=u"])
def test_two_places_at_once(get: Get, emulator: Emulator, query: str, seen: Seen) -> None:
    assert "either after or before" in get(f"/threads/?{query}", status=400).said()
    assert not [asked for _, _, asked in emulator.calls if "after" in asked or "before" in asked]
    seen("400, with the way to the first page")


def test_a_place_of_another_list(get: Get, emulator: Emulator, seen: Seen) -> None:
    user, other = emulator.users()[:2]
    foreign = next(emulator.thread_ids(user=other))
    shown = get(f"/threads/?user={user}&after={foreign}").thread_ids
    assert set(shown) <= set(emulator.thread_ids(user=user))
    assert "This page of the list is gone" in get("/threads/?after=cthr_of_nobody", status=404).said()
    get(f"/threads/?after={'x' * 2000}", status=400)
    seen("rows of that user alone; 404 for one of no list, 400 for none")


SEARCHES = {
    "ten thousand words": "wort " * 3999,
    "quotes": "\"'`“”" * 50,
    "operators": 'a AND OR NOT NEAR(b, 5) -c +d e* ^f title:x {g} "h',
    "wildcards": "%_%%__*?[]",
    "backslashes": "\\" * 500,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈" * 100,
    "arabic": "مرحبا بالعالم",
    "right to left": "\u202eevil\u202c \u2066x\u2069",
    "sql": "'; DROP TABLE archive_archivedthread; --",
    "regular expression": "(a+)+$" * 100,
    "formula": '=HYPERLINK("http://evil")',
    "template": "{{ request.user }}{% include 'x' %}${7*7}",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "combining": "e" + "\u0301" * 5000,
}


@pytest.mark.parametrize("kind", SEARCHES)
def test_whatever_is_searched_for(get: Get, agent: Client, emulator: Emulator, kind: str, seen: Seen) -> None:
    sync(emulator)
    thread_info.clear_cache()
    words = SEARCHES[kind]
    page = get(f"/threads/?{urlencode({'q': words})}")
    assert page.one("input", id="search").get("value") is not None
    assert "<script>alert(1)" not in page.text
    assert get("/threads/?status=active").thread_ids, "the archive is as it was"
    seen(f"200, {len(page.thread_ids)} rows")


def test_a_form_without_its_token(root: Client, emulator: Emulator, seen: Seen) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = root.cookies
    asked = 0
    for address in filled():
        for sent in ({}, {"csrfmiddlewaretoken": "x" * 64}, {"csrfmiddlewaretoken": ""}):
            response = strict.post(address, sent)
            assert response.status_code in {403, 404}, address
            asked += response.status_code == 403
    assert asked > 60
    seen(f"403 for {asked} forms to {len(filled())} addresses")


@pytest.mark.parametrize("header", ["Origin", "Referer"])
def test_a_form_of_another_site(root: Client, header: str, seen: Seen) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = root.cookies
    strict.get("/views/", secure=True)
    strict.get("/audit/", secure=True)
    token = strict.cookies[settings.CSRF_COOKIE_NAME]
    form = {"csrfmiddlewaretoken": token.value, "name": "Mine", "query": ""}
    foreign = strict.post("/views/", form, secure=True, headers={header: "https://evil.example/form"})
    assert foreign.status_code == 403
    assert not SavedView.objects.exists()
    ours = "https://testserver" if header == "Origin" else "https://testserver/threads/"
    own = strict.post("/views/", form, secure=True, headers={header: ours})
    assert own.status_code == 303
    seen("403 with the right token and a foreign origin; 303 from our own page")


ONWARD = [
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "http:evil.example",
    " https://evil.example", "\thttps://evil.example", "/\t/evil.example", "javascript:alert(1)", "data:text/html,x",
    "https://testserver@evil.example/", "https:///evil.example", "\x00//evil.example", "/%0d%0aX-Evil:1",
    "ftp://testserver/",
]  # fmt: skip


@pytest.mark.parametrize("onward", ONWARD, ids=ascii)
def test_no_sign_in_leads_off_the_desk(onward: str, seen: Seen) -> None:
    account("ada", "Viewer")
    client = Client()
    response = client.post("/sign-in/", {"username": "ada", "password": PASSWORD, "next": onward})
    there = response.get("Location", "")
    assert response.status_code == 302
    assert there.startswith("/")
    assert not there.startswith(("//", "/\\"))
    assert "x-evil" not in response.headers
    again = client.get("/sign-in/", {"next": onward}).get("Location", "/")
    assert again.startswith("/")
    assert not again.startswith(("//", "/\\"))
    seen(f"302 to {there}")


@pytest.mark.slow
def test_no_method_but_those_meant_changes_anything(root: Client, emulator: Emulator, seen: Seen) -> None:
    def state() -> tuple[object, ...]:
        rights = sorted(Group.objects.values_list("name", "permissions"))
        return (User.objects.count(), rights, SavedView.objects.count(), list(emulator.thread_ids()))

    before = state()
    for address in filled():
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "BREW"):
            response = root.generic(method, address)
            assert response.status_code < 500, f"{method} {address}"
            assert method != "TRACE" or b"TRACE /" not in response.content
    assert state() == before
    assert not [call for call in emulator.calls if call[0] != "GET"]
    seen(f"nothing changed by 6 methods at {len(filled())} addresses")


@pytest.mark.parametrize("how", ["header", "field", "query"])
def test_no_method_is_overridden(root: Client, emulator: Emulator, how: str, seen: Seen) -> None:
    thread = next(emulator.thread_ids())
    header = {"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "DELETE", "X-Method-Override": "DELETE"}
    response = root.post(
        f"/threads/{thread}/" + ("?_method=DELETE" if how == "query" else ""),
        {"_method": "DELETE"} if how == "field" else {},
        headers=header if how == "header" else {},
    )
    assert response.status_code == 400  # a form here downloads, and this one names no format
    assert thread in set(emulator.thread_ids())
    assert not [call for call in emulator.calls if call[0] != "GET"]
    seen("400, and the thread is there")


FORGED = {
    "HX-Current-URL": "https://evil.example/x?y=1",
    "HX-Target": '"><script>alert(1)</script>',
    "HX-Trigger": "javascript:alert(1)",
    "HX-Prompt": "x" * 4000,
    "HX-Boosted": "true",
    "HX-History-Restore-Request": "maybe",
}


@pytest.mark.parametrize("signed_in", [True, False])
def test_forged_headers_of_htmx(root: Client, emulator: Emulator, signed_in: bool, seen: Seen) -> None:
    client = root if signed_in else Client()
    for target in ("browse", "more", FORGED["HX-Target"]):
        response = client.get("/threads/?limit=5", headers=FORGED | {"HX-Request": "true", "HX-Target": target})
        assert response.status_code in {200, 302}
        for name in ("HX-Redirect", "HX-Push-Url", "HX-Replace-Url", "HX-Location", "Location"):
            assert response.get(name, "/").startswith("/")
            assert not response.get(name, "/").startswith("//")
        assert b"<script>alert(1)" not in response.content
    seen("no header of the reply leads elsewhere")


def test_a_forged_host_is_in_no_address(root: Client, emulator: Emulator, seen: Seen) -> None:
    assert root.get("/threads/", headers={"Host": "evil.example"}).status_code == 400
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Server": "evil.example",
        "Forwarded": "host=evil.example",
    }
    for client in (root, Client()):
        response = client.get("/threads/?limit=5", headers=forged)
        assert b"evil.example" not in response.content
        assert "evil.example" not in str(response.headers)
    seen("400 for Host; the others are not read")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP"])
def test_nobody_chooses_the_address_of_the_audit_log(header: str, seen: Seen) -> None:
    Client(REMOTE_ADDR="192.0.2.9").post(
        "/sign-in/", {"username": "ada", "password": "wrong"}, headers={header: "203.0.113.1"}
    )
    assert {event.address for event in AuditEvent.objects.filter(action="sign-in")} == {"192.0.2.9"}
    seen("the audit log has the address of the connection")


def test_two_values_of_one_parameter(root: Client, emulator: Emulator, seen: Seen) -> None:
    response = root.get("/threads/?limit=5&limit=100&order=asc&order=desc")
    assert response.content.count(b"data-thread-id") == 100 or response.content.count(b"<tr") > 20
    assert root.post("/views/?name=Query", {"query": ""}).status_code == 400, "a form's field comes from the form alone"
    seen("the last one counts, and no address stands in for a form")


FALSE_SESSIONS = ["", "x", "../../etc/passwd", "x" * 5000, "\u00ff" * 32, "' OR 1=1 --", "a" * 32]


@pytest.mark.parametrize("key", FALSE_SESSIONS, ids=lambda value: ascii(value[:16]))
def test_a_session_that_nobody_has(emulator: Emulator, key: str, seen: Seen) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    response = client.get("/threads/")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")
    seen("302 to the sign-in")


def test_a_session_that_somebody_wrote(root: Client, emulator: Emulator, seen: Seen) -> None:
    """Who can write to the table of sessions and has no key can still sign nobody in."""
    session = DeskSession.objects.get(session_key=session_of(root))
    session.session_data = signing.dumps(
        {"_auth_user_id": "1"}, key="another key", salt="django.contrib.sessions.SessionStore"
    )
    session.save()
    session_store._sessions.clear()
    assert root.get("/threads/").status_code == 302
    seen("302 to the sign-in")


def test_a_session_is_another_after_signing_in(seen: Seen) -> None:
    account("ada", "Viewer")
    victim = Client()
    victim.get("/sign-in/")
    victim.cookies[settings.SESSION_COOKIE_NAME] = "chosenbytheattacker0000000000000"
    victim.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert session_of(victim) != "chosenbytheattacker0000000000000"
    assert not DeskSession.objects.filter(session_key="chosenbytheattacker0000000000000").exists()
    seen("the key that was there before opens nothing")


def test_a_session_that_has_expired(root: Client, emulator: Emulator, seen: Seen) -> None:
    assert root.get("/threads/").status_code == 200
    DeskSession.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    session_store._sessions.clear()
    assert root.get("/threads/").status_code == 302
    seen("302 to the sign-in")


def test_a_form_after_signing_out_in_another_tab(root: Client, seen: Seen) -> None:
    other, key = Client(), session_of(root)
    assert root.post("/sign-out/").status_code == 302
    other.cookies[settings.SESSION_COOKIE_NAME] = key
    response = other.post("/views/", {"name": "Mine", "query": "limit=5"})
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")
    assert not SavedView.objects.exists()
    seen("302 to the sign-in, and nothing was saved")


def test_a_form_that_is_sent_twice(root: Client, seen: Seen) -> None:
    for _ in range(2):
        assert root.post("/views/", {"name": "Mine", "query": "limit=5"}).status_code == 303
    assert SavedView.objects.count() == 1
    pk = SavedView.objects.get().pk
    assert [root.post(f"/views/{pk}/delete/", {"query": ""}).status_code for _ in range(2)] == [303, 404]
    seen("saved once; deleted once, then 404")


def test_a_file_where_none_is_asked_for(root: Client, tmp_path: Any, seen: Seen) -> None:
    file = io.BytesIO(b"<script>" * 1000)
    file.name = "../../evil.html"
    response = root.post("/views/", {"name": file, "query": ""})
    assert response.status_code == 400
    assert not SavedView.objects.exists()
    assert b"evil.html" not in response.content
    seen("400, and the file is kept nowhere")


@pytest.mark.parametrize("kind", ["bytes", "fields", "files", "json", "rubbish"])
def test_a_form_that_is_none(root: Client, kind: str, seen: Seen) -> None:
    root.raise_request_exception = False
    form: dict[str, dict[str, Any]] = {
        "bytes": {"data": {"name": "x" * 3_000_000}},
        "fields": {"data": {f"f{number}": "x" for number in range(2000)}},
        "files": {"data": {f"f{number}": io.BytesIO(b"x") for number in range(150)}},
        "json": {"data": json.dumps({"name": "Mine", "query": ""}), "content_type": "application/json"},
        "rubbish": {"data": b"\xff\x00", "content_type": "multipart/form-data; boundary=x"},
    }
    response = root.post("/views/", **form[kind])
    assert response.status_code in {400, 413}
    assert b"Traceback" not in response.content
    assert not SavedView.objects.exists()
    seen(f"{response.status_code}, and nothing was saved")


def test_an_administrator_makes_no_superuser(root: Client, seen: Seen) -> None:
    mine = User.objects.get(username="root")
    above = User.objects.create_superuser("above", password=PASSWORD)
    form = {
        "username": "root", "is_active": "on", "is_superuser": "on", "user_permissions": ["1", "2", "3"],
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00", "groups": [group.pk for group in mine.groups.all()],
    }  # fmt: skip
    root.post(f"/admin/auth/user/{mine.pk}/change/", form)
    mine.refresh_from_db()
    assert not mine.is_superuser
    assert not mine.user_permissions.exists()
    assert (
        root.post(
            f"/admin/auth/user/{above.pk}/password/", {"password1": "taken over 1", "password2": "taken over 1"}
        ).status_code
        == 403
    )
    assert root.post(
        "/admin/auth/user/", {"action": "delete_selected", "_selected_action": [above.pk], "post": "yes"}
    ).status_code in {200, 302, 403}
    above.refresh_from_db()
    assert above.check_password(PASSWORD)
    made = {
        "username": "new",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "usable_password": "true",
        "is_superuser": "on",
    }
    root.post("/admin/auth/user/add/", made)
    assert not User.objects.filter(username="new", is_superuser=True).exists()
    seen("the fields are not read; a superuser's account stays closed to an Administrator")


@pytest.mark.parametrize(
    "zone",
    ["../../etc/passwd", "\x00", "x" * 4000, "Europe/../../..", "/etc/localtime", "%00", "UTC\r\n", "Mars/Olympus"],
)
def test_a_zone_that_is_none(agent: Client, emulator: Emulator, zone: str, seen: Seen) -> None:
    agent.cookies["tz"] = zone
    response = agent.get("/threads/")
    assert response.status_code == 200
    assert b"times in UTC" in response.content
    seen("200, with times in UTC")


@pytest.mark.parametrize("tail", ["", "\r\nX-Evil: 1", "%0d%0aX-Evil:%201", "\u010d\u010aX-Evil: 1"])
def test_no_header_is_split(root: Client, emulator: Emulator, tail: str, seen: Seen) -> None:
    for address in ("/threads/?user=a", "/step/?to=next&from=", "/sign-in/?next=/threads/", "/admin/r/1/", "/views/"):
        response = root.get(address + quote(tail), headers={"HX-Request": "true"})
        assert "x-evil" not in response.headers
    seen("no header of theirs in the reply")
