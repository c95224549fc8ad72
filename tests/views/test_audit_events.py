"""What is recorded: by each thing that is to be, once, with who, from where, what, and the ids of its requests."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection, transaction
from django.http import QueryDict
from django.test import Client, override_settings
from django.urls import reverse

from tests.support.accounts import PASSWORD, account
from tests.support.page import Page
from tests.support.roles import addresses
from tests.support.syncing import spoken, sync
from threads.archive.models import ArchivedItem
from threads.audit.models import AppendOnlyError, AuditEvent
from threads.audit.record import Actor, acting_as, record
from threads.chatkit import ChatKitError
from threads.emulator import Emulator, Fault
from threads.erasure import orders as erasure_orders
from threads.erasure.models import Erasure
from threads.erasure.preview import ConfirmedPreview
from threads.exports import orders as export_orders
from threads.exports import tasks as exporting
from threads.exports.models import Export
from threads.sources.query import ThreadQuery

pytestmark = pytest.mark.django_db(transaction=True)

_MARK = "Zanzibar heliotrope"
"""In every text of the upstream that a customer, a model or a tool wrote."""


@dataclass
class Desk:
    """Who does it, and on what."""

    client: Client
    emulator: Emulator
    thread: str
    user: str
    other: User


@dataclass(frozen=True)
class Row:
    """What is to be found in the audit log. `detail` is a part of the row's; THREAD and USER stand for the desk's."""

    action: str
    outcome: str = "done"
    thread_id: str = ""
    user_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    account: str = "grace"
    upstream: bool = False


Act = Callable[[Desk], Any]

THREAD, USER, QUOTED = "<thread>", "<user>", "<quoted>"


def _get(address: str, **headers: str) -> Act:
    def act(desk: Desk) -> Any:
        made = address.replace(THREAD, desk.thread).replace(USER, desk.user)
        response = desk.client.get(made, headers=headers)
        assert response.status_code < 400, response.content
        if response.streaming:
            b"".join(response)
        return response

    return act


def _post(address: str, **sent: str) -> Act:
    def act(desk: Desk) -> Any:
        response = desk.client.post(address.replace(THREAD, desk.thread), sent)
        assert response.status_code < 400, response.content
        return b"".join(response)

    return act


def _signs_in(name: str, password: str) -> Act:
    return lambda desk: Client().post("/sign-in/", {"username": name, "password": password})


def _changes(**changed: Any) -> Act:
    """Saves the other account's page in the admin, with these fields changed."""

    def act(desk: Desk) -> Any:
        address = reverse("admin:auth_user_change", args=[desk.other.pk])
        form = desk.client.get(address).context["adminform"].form
        sent = {name: form.get_initial_for_field(each, name) for name, each in form.fields.items()}
        sent["groups"] = [group.pk for group in sent["groups"]]
        sent = {name: value for name, value in sent.items() if value not in (None, False)} | changed
        sent = {name: value for name, value in sent.items() if value is not None}
        response = desk.client.post(address, sent)
        assert response.status_code == 302, response.content.decode()
        return None

    return act


def _group(name: str) -> int:
    return Group.objects.get(name=name).pk


def _adds(desk: Desk) -> Any:
    sent = {"username": "newcomer", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert desk.client.post(reverse("admin:auth_user_add"), sent).status_code == 302


def _deletes(desk: Desk) -> Any:
    address = reverse("admin:auth_user_delete", args=[desk.other.pk])
    assert desk.client.post(address, {"post": "yes"}).status_code == 302


def _deletes_a_role(desk: Desk) -> Any:
    User.objects.filter(username="grace").update(is_superuser=True)
    role = Group.objects.create(name="Controllers")
    User.groups.through.objects.create(user=desk.other, group=role)
    address = reverse("admin:auth_group_delete", args=[role.pk])
    assert desk.client.post(address, {"post": "yes"}).status_code == 302


def _new_password(desk: Desk) -> Any:
    sent = {"usable_password": "true", "password1": "another long one", "password2": "another long one"}
    address = reverse("admin:auth_user_password_change", args=[desk.other.pk])
    assert desk.client.post(address, sent).status_code == 302


def _takes_over(desk: Desk) -> Any:
    _changes(groups=[_group("Viewer"), _group("Auditor")])(desk)


def _asks_for_a_copy(desk: Desk) -> Any:
    assert desk.client.post("/sync/start/").status_code == 302


_A_USER = Row("search", user_id=USER, detail={"list": f"user={QUOTED}"}, upstream=True)

CASES: dict[str, tuple[Act, list[Row]]] = {
    "signing in": (_signs_in("linus", PASSWORD), [Row("sign-in", account="linus")]),
    "a wrong password": (
        _signs_in("linus", "wrong"), [Row("sign-in", "refused", account="", detail={"account": "linus"})],
    ),
    "a name that nobody has": (
        _signs_in("hunter2 my password", "x"),
        [Row("sign-in", "refused", account="", detail={"account": "(no such account)"})],
    ),
    "signing out": (lambda desk: desk.client.post("/sign-out/"), [Row("sign-out")]),
    "the whole list": (_get("/threads/"), []),
    "a conversation": (_get("/threads/<thread>/"), [Row("read", thread_id=THREAD, user_id=USER, upstream=True)]),
    "the margin of a conversation": (
        _get("/others/?thread=<thread>"),
        [Row("search", thread_id=THREAD, user_id=USER, detail={"beside": True}, upstream=True)],
    ),
    "a user": (_get("/threads/?user=<user>"), [_A_USER]),
    "a user, as htmx asks": (_get("/threads/?user=<user>", **{"HX-Request": "true"}), [_A_USER]),
    "a part of a user id": (
        _get("/threads/?user=us&match=part"), [Row("search", user_id="us", detail={"from": "archive"})],
    ),
    "words": (_get("/threads/?q=refund"), [Row("search", detail={"list": "q=refund", "from": "archive"})]),
    "a status": (_get("/threads/?status=locked"), [Row("search", detail={"list": "status=locked"})]),
    "a search of many signs": (
        _get(f"/threads/?q={'%21' * 700}Refund+%22two+words%22"),
        [Row("search", detail={"list": f"q={'%21' * 700}Refund+%22two+words%22", "words": ["refund", "two words"]})],
    ),
    "a long search": (_get(f"/threads/?q={'%C3%A4' * 1200}"), [Row("search", detail={"list": f"q={'%C3%A4' * 1200}"})]),
    "a step through a list that is filtered": (
        _get("/step/?from=<thread>&to=next&list=status%3Dlocked%26q%3DRefund"),
        [Row("search", detail={"list": "status=locked&q=Refund", "words": ["refund"], "step": ""})],
    ),
    "a step through a user's list": (
        _get("/step/?from=<thread>&to=previous&list=user%3D<user>"),
        [Row("search", user_id=USER, detail={"list": "user=<quoted>"}, upstream=True)],
    ),
    "a step through all threads": (_get("/step/?from=<thread>&to=next"), []),
    "a reason": (_get("/threads/?has_reason=yes"), [Row("search", detail={"list": "has_reason=yes"})]),
    "days": (
        _get("/threads/?from=2026-09-01&to=2026-09-02"),
        [Row("search", detail={"list": "from=2026-09-01&to=2026-09-02"})],
    ),
    "users that are offered": (_get("/users/?user=u"), [Row("search", detail={"typed": "u"})]),
    "users of whom there is none": (_get("/users/?user=no%20such%20user"), []),
    "the reports": (_get("/reports/"), []),
    "a download": (
        _post("/threads/<thread>/", format="md"),
        [Row("export", "intent", thread_id=THREAD), Row("export", thread_id=THREAD, user_id=USER)],
    ),
    "the audit log": (_get("/audit/?account=ada"), [Row("audit", detail={"log": "account=ada"})]),
    "the audit log as a file": (
        _post("/audit/file/?account=ada"),
        [Row("audit", "intent", detail={"download": "account=ada"}), Row("audit", detail={"rows": 0})],
    ),
    "a role is given": (
        _takes_over, [Row("roles", detail={"account": "linus", "change": "given", "roles": ["Auditor"]})],
    ),
    "a role is taken": (
        _changes(groups=[]), [Row("roles", detail={"account": "linus", "change": "taken", "roles": ["Viewer"]})],
    ),
    "an account is made": (_adds, [Row("account", detail={"account": "newcomer", "change": "made"})]),
    "an account is closed": (
        _changes(is_active=None),
        [Row("account", detail={"account": "linus", "change": "changed", "fields": {"is_active": [True, False]}})],
    ),
    "a password is changed": (
        _new_password, [Row("account", detail={"account": "linus", "fields": {"password": ["…", "changed"]}})],
    ),
    "a role is deleted": (
        _deletes_a_role,
        [
            Row("roles", detail={"account": "linus", "change": "taken", "roles": ["Controllers"]}),
            Row("roles", detail={"role": "Controllers", "change": "deleted"}),
        ],
    ),
    "an account is deleted": (_deletes, [Row("account", detail={"account": "linus", "change": "deleted"})]),
    "a copy is asked for": (_asks_for_a_copy, [Row("archive", "intent", detail={"asked": "everything"})]),
}  # fmt: skip


@pytest.fixture
def desk(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An Administrator at the desk, and an account that is a Viewer's."""
    monkeypatch.setattr("threads.archive.request_sync._start_sync_task", lambda: None)
    sync(emulator, with_items=False)
    client = Client()
    client.force_login(account("grace", "Administrator"))
    thread = next(iter(emulator.thread_ids()))
    user = next(user for user in emulator.users() if thread in emulator.thread_ids(user=user))
    return Desk(client, emulator, thread, user, account("linus", "Viewer"))


@pytest.mark.parametrize("name", CASES)
def test_it_is_recorded(desk: Desk, name: str) -> None:
    act, wanted = CASES[name]
    last = AuditEvent.objects.latest("id").pk
    act(desk)
    found = list(AuditEvent.objects.filter(pk__gt=last).order_by("id"))
    assert [(row.action, row.outcome) for row in found] == [(row.action, row.outcome) for row in wanted]
    for row, want in zip(found, wanted, strict=True):
        about = (want.thread_id.replace(THREAD, desk.thread), want.user_id.replace(USER, desk.user))
        assert (row.thread_id, row.user_id) == about
        detail = json.dumps(want.detail).replace(QUOTED, quote_plus(desk.user)).replace(THREAD, desk.thread)
        expected = json.loads(detail)
        assert expected.items() <= row.detail.items()
        assert row.account == want.account
        assert bool(row.account_id) == bool(want.account)
        assert row.address == "127.0.0.1"
        assert len(row.request_id) == 32
        assert row.upstream_request_id or not want.upstream
    assert len({row.request_id for row in found}) <= 1


def test_the_password_that_was_typed_as_a_name_is_nowhere(desk: Desk) -> None:
    _signs_in("hunter2 my password", "x")(desk)
    assert "hunter2" not in _everything()


def test_further_items_are_recorded_with_their_place(desk: Desk) -> None:
    sync(desk.emulator)
    place = ArchivedItem.objects.filter(thread__thread_id=desk.thread).order_by("place").values_list("item_id")[0][0]
    last = AuditEvent.objects.latest("id").pk
    headers = {"HX-Request": "true", "HX-Target": "more"}
    assert desk.client.get(f"/threads/{desk.thread}/?after={place}&count=1", headers=headers).status_code == 200
    row = AuditEvent.objects.get(pk__gt=last)
    assert (row.action, row.thread_id) == ("read", desk.thread)
    assert row.detail["items"].startswith(f"after={place}")


def test_the_request_id_is_the_reply_s(desk: Desk) -> None:
    response = desk.client.get(f"/threads/?user={desk.user}")
    row = AuditEvent.objects.latest("id")
    assert response["X-Request-ID"] == row.request_id
    assert row.upstream_request_id.startswith("req_")


def test_behind_a_proxy_it_is_the_address_that_the_proxy_saw(desk: Desk) -> None:
    with override_settings(BEHIND_PROXY=True, SECURE_SSL_REDIRECT=False):
        desk.client.get(
            "/threads/?q=x", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.7", "X-Request-ID": "by-the-proxy"}
        )
    row = AuditEvent.objects.latest("id")
    assert row.address == "192.0.2.7"
    assert row.request_id != "by-the-proxy"


def test_a_sync_is_recorded_with_what_it_brought(emulator: Emulator) -> None:
    sync(emulator)
    row = AuditEvent.objects.get(action="archive")
    assert (row.outcome, row.detail["new_threads"], row.address) == ("done", 45, "")
    assert row.account.startswith("(Threadkeeper, ")
    assert row.detail["new_items"] > 45


def test_a_run_that_brings_nothing_is_none(emulator: Emulator) -> None:
    sync(emulator)
    count = AuditEvent.objects.count()
    sync(emulator)
    assert AuditEvent.objects.count() == count
    sync(emulator, everything=True)
    assert AuditEvent.objects.latest("id").detail["run"] == "everything"


def test_a_run_that_fails_is_recorded_with_why(emulator: Emulator) -> None:
    emulator.fault = Fault.WRONG_KEY
    with pytest.raises(ChatKitError):
        sync(emulator)
    row = AuditEvent.objects.get(action="archive")
    assert row.outcome == "failed"
    assert row.detail["why"]


def test_reading_goes_on_where_the_audit_log_can_t_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_arguments: object, **_values: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(AuditEvent.objects, "create", full)
    with caplog.at_level(logging.ERROR, "threads.audit"):
        for address in (f"/threads/{desk.thread}/", f"/threads/?user={desk.user}", "/audit/"):
            assert desk.client.get(address).status_code == 200
    assert [each.levelname for each in caplog.records if each.name == "threads.audit.record"] == ["ERROR"] * 3


def test_what_was_exported_is_on_record_when_its_own_row_is_gone(desk: Desk) -> None:
    typed = f"{'!' * 700}Refund {'x' * 3000}"
    with acting_as(Actor("grace", "1")):
        export_orders.remove(export_orders.order_list("csv", ThreadQuery(q=typed, status="locked"), UTC))
    assert not Export.objects.exists()
    row = AuditEvent.objects.get(action="export")
    assert QueryDict(row.detail["list"]).dict() == {"q": typed, "status": "locked"}
    assert row.detail["words"] == ["refund", "x" * 3000]


UNRECORDED = {
    "/columns/": "which columns a browser shows",
    "/": "leads to the list",
    "/live/": "whether the API answers",
    "/reports/": "numbers, of everybody",
    "/sync/": "the progress of the sync",
    "/sync/report/": "the same as a file",
    "/overview/": "leads to another address",
    "/archive/": "leads to another address",
    "/archive/report/": "leads to another address",
    "/archive/deletions/": "leads to another address",
    "/archive/sync/": "leads to another address",
    "/exports/": "what the account has asked for itself, on record since",
    "/exports/<uuid:pk>/": "the same of one",
    "/exports/<uuid:pk>/delete/": "shows nothing",
    "/views/": "shows nothing",
    "/views/<int:pk>/delete/": "shows nothing",
    "/views/<int:pk>/share/": "shows nothing",
    "/erasures/<uuid:pk>/start/": "shows nothing; has a record of its own where it does something",
    "/sync/deletions/": "shows nothing; has a record of its own where it does something",
}
"""Addresses that single nobody out, and why. Of the whole list of threads, which is asked for without a filter, there
is no record either: docs/adr/0012."""

SENT = {
    "/threads/": "user=USER",
    "/users/": "user=u",
    "/others/": "thread=THREAD",
    "/step/": "from=THREAD&to=next&list=user%3DUSER",
    "/erase/": "user=USER",
    "/exports/list/": "format=csv&user=USER",
    "/exports/user/": "user=USER",
}
"""What the others are asked with."""


def test_every_view_that_reads_customers_data_leaves_a_row(desk: Desk, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    ours = {each for each in addresses() if not each.startswith(("/admin/", "/sign-", "/account/"))}
    assert ours >= UNRECORDED.keys()
    assert desk.client.post("/exports/user/", {"user": desk.user}).status_code == 302
    exporting.work()
    export = Export.objects.get()
    with acting_as(Actor("grace", export.account_id)):
        wanted = ConfirmedPreview(Erasure.Kind.USER, "token", desk.user, "", ())
        erasure = erasure_orders.order_erasure(wanted)
    for address in sorted(ours - UNRECORDED.keys()):
        made = address.replace("<id:thread_id>", desk.thread)
        made = made.replace("<uuid:pk>", str(export.pk if "export" in address else erasure.pk))
        sent = SENT.get(address, "").replace("THREAD", desk.thread).replace("USER", quote_plus(desk.user))
        last = AuditEvent.objects.latest("id").pk
        response = desk.client.get(f"{made}?{sent}")
        if response.status_code == 405:
            response = desk.client.post(made, sent, content_type="application/x-www-form-urlencoded")
        if address == "/erase/confirm/":  # what it shows is the preview once more
            preview = Page(desk.client.get(f"/erase/?user={quote_plus(desk.user)}").content.decode(), {})
            last = AuditEvent.objects.latest("id").pk
            sealed = preview.one("input", name="preview").get("value") or ""
            response = desk.client.post(made, {"preview": sealed, "typed": "something else"})
            assert response.status_code == 400
        else:
            assert response.status_code in {200, 302, 303}, (address, response.status_code)
        if response.streaming:
            b"".join(response)
        assert AuditEvent.objects.filter(pk__gt=last, account="grace").exists(), address


# Nothing is changed in it, and nothing is taken from it


def test_no_code_changes_it() -> None:
    record("read")  # type: ignore[arg-type]
    row = AuditEvent.objects.latest("id")
    row.account = "somebody else"
    attempts: list[Callable[[], Any]] = [
        row.save, row.delete, AuditEvent.objects.all().delete, lambda: AuditEvent.objects.update(account="x"),
        lambda: AuditEvent.objects.bulk_update([row], ["account"]),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(AppendOnlyError):
            attempt()
    assert AuditEvent.objects.get(pk=row.pk).account != "somebody else"


@pytest.fixture
def no_deleting() -> Iterator[None]:
    """The trigger that tests do without, since they empty all tables."""
    on = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if on:
            cursor.execute(
                "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditevent "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
            )
        else:
            cursor.execute(
                "CREATE TRIGGER audit_no_truncate BEFORE DELETE ON audit_auditevent "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
            )
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER audit_no_truncate{' ON audit_auditevent' if on else ''}")


def test_the_database_itself_refuses(no_deleting: None) -> None:
    record("read")  # type: ignore[arg-type]
    statements = ["UPDATE audit_auditevent SET account = 'x'", "DELETE FROM audit_auditevent"]
    if connection.vendor == "postgresql":
        statements.append("TRUNCATE audit_auditevent")
    else:
        statements.append("REPLACE INTO audit_auditevent SELECT * FROM audit_auditevent")
    count = AuditEvent.objects.count()
    for statement in statements:
        with (
            pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor
        ):  # fmt: skip
            cursor.execute(statement)
    assert AuditEvent.objects.count() == count


def test_the_migrations_make_the_very_trigger_that_is_tested() -> None:
    """The one that tests drop is made by the migration, from the text that is repeated above."""
    from importlib import import_module

    text = str(vars(import_module("threads.audit.migrations.0002_append_only")))
    assert "audit_no_truncate BEFORE TRUNCATE ON audit_auditevent" in text
    assert "audit_no_truncate BEFORE DELETE ON audit_auditevent" in text


# What is in it


def _everything() -> str:
    return "\n".join(json.dumps(each, default=str, ensure_ascii=False) for each in AuditEvent.objects.values())


def test_no_text_of_a_conversation_and_no_key_is_in_it(desk: Desk) -> None:
    desk.emulator.set_title(desk.thread, _MARK)
    desk.emulator.set_status(desk.thread, "locked", f"because of {_MARK}")
    desk.emulator.add_items(desk.thread, [spoken(_MARK)])
    sync(desk.emulator, everything=True)
    shown = desk.client.get(f"/threads/{desk.thread}/")
    assert _MARK in shown.content.decode()
    addresses = [
        "/threads/", f"/threads/?user={desk.user}", "/threads/?q=heliotrop", "/threads/?status=locked",
        f"/others/?thread={desk.thread}", "/users/?user=u", "/reports/", "/sync/", "/sync/report/",
        "/audit/",
    ]  # fmt: skip
    for address in addresses:
        assert desk.client.get(address).status_code == 200, address
    for kind in ("md", "json"):
        _post(f"/threads/{desk.thread}/", format=kind)(desk)
    _post("/audit/file/")(desk)
    everything = _everything()
    assert len(everything) > 2000
    assert "Zanzibar" not in everything
    assert "sk-test" not in everything
    assert PASSWORD not in everything
    assert not [each for each in User.objects.values_list("password", flat=True) if each in everything]


def test_what_somebody_else_does_is_not_taken_for_theirs() -> None:
    with acting_as(Actor("ada", "1", "192.0.2.1", "r")):
        record("read")  # type: ignore[arg-type]
    record("read")  # type: ignore[arg-type]
    assert [row.account for row in AuditEvent.objects.order_by("-id")[:2]][1] == "ada"
    assert AuditEvent.objects.latest("id").account.startswith("(Threadkeeper")
