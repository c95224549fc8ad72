"""Where identities are masked nobody reads an id out, piece by piece: no reply tells whether a part of one matches."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.accounts import account
from tests.support.roles import table
from tests.support.syncing import sync
from threads.archive import thread_info
from threads.archive.models import ArchivedUser
from threads.audit.models import AuditEvent
from threads.chatkit import transport
from threads.emulator import Emulator, Fault
from threads.models import SavedView
from threads.service.circuit_breaker import breaker
from threads.sources import query_forms

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

_LISTS = [
    "user=P",
    "user=P&was=",
    "user=P&match=part",
    "user=P&match=part&was=",
    "user=P&was=&status=locked",
    "user=P&status=locked",
]

ASKED: dict[str, list[str]] = {
    "/": ["?user=P"],
    "/threads/": [f"?{each}" for each in [
        *_LISTS, "user=P&was=&limit=0", "user=P&was=&order=asc&limit=5", "user=P&was=P", "user=P&was=&q=refund",
        "user=P&was=&from=2026-01-01", "find=P", "find=P&limit=0", "find=P&q=P", "find=P&user=P",
        "find=P&status=locked",
    ]],
    "/threads/<id:thread_id>/": [f"?list={quote(each)}" for each in _LISTS],
    "/users/": ["?user=P", "?find=P"],
    "/others/": ["?thread=THREAD&user=P", "?thread=P", "?user=P"],
    "/step/": [f"?from=THREAD&to=next&list={quote(each)}" for each in _LISTS]
    + [f"?from=THREAD&to=previous&list={quote(_LISTS[2])}"],
    "/views/": [f"name=mine&query={quote(each)}" for each in _LISTS],
    "/views/<int:pk>/delete/": [f"query={quote(each)}" for each in _LISTS],
    "/views/<int:pk>/share/": [f"query={quote(each)}" for each in _LISTS],
}  # fmt: skip
"""For each address that takes a user or a list, what it is asked with; P is the part."""

NEITHER = {
    "/live/", "/reports/", "/sync/", "/sync/report/", "/overview/", "/archive/", "/archive/report/", "/columns/",
}  # fmt: skip
"""Addresses that a Viewer has and that take neither. What is there is checked to be the same all the same."""


class Seen(NamedTuple):
    """All that can be observed of a reply, the part that was asked for taken out."""

    status: int
    headers: dict[str, str]
    body: str
    queries: list[str]
    calls: int
    recorded: list[Any]


@pytest.fixture
def viewer(emulator: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(transport, "_wait_before_retry", lambda _outcome: None)
    settings.MASK_IDENTITIES = True
    sync(emulator, with_items=False)
    client = Client()
    client.force_login(account("viewer", "Viewer"))
    # Who reads a conversation first has its items kept, which costs what it costs.
    client.get(f"/threads/{next(emulator.thread_ids())}/")
    return client


def _seen(client: Client, emulator: Emulator, method: str, address: str, sent: str, part: str, **headers: str) -> Seen:
    thread_info.clear_cache()
    breaker.forget()
    SavedView.objects.all().delete()
    view = SavedView.objects.create(owner_id=client.session["_auth_user_id"], name="kept", query="status=locked")
    thread = next(emulator.thread_ids())
    made = address.replace("<id:thread_id>", thread).replace("<int:pk>", str(view.pk))
    with_part = sent.replace("THREAD", thread).replace("P", part)
    calls, last = len(emulator.calls), AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with CaptureQueriesContext(connection) as queries:
        if method == "POST":
            response = client.post(made, with_part, content_type="application/x-www-form-urlencoded", headers=headers)
        else:
            response = client.get(made + with_part, headers=headers)
    # Of accounts, views and outages a process remembers some seconds, whatever is asked for.
    asked = [
        found[1]
        for each in queries
        if (found := re.search(r'"((?!archive_storedoutage)(?:archive|audit)_\w+)"', each["sql"]))
    ]
    rows = (
        AuditEvent.objects.filter(pk__gt=last)
        .order_by("pk")
        .values_list("action", "outcome", "thread_id", "user_id", "detail")
    )

    def plain(text: str) -> str:
        text = re.sub(r"'words': \[[^]]*\]", "'words': [P]", text)  # the text in lower case
        text = re.sub(r'(csrfmiddlewaretoken" value="|csrf-token" content=")[^"]*', r"\1", text).replace(part, "P")
        text = re.sub(r"[0-9a-f]{32}", "ID", text).replace(f"/views/{view.pk}/", "/views/PK/")
        return re.sub(r"\d+ (second|minute|hour|day)s? ago|just now|\d\d:\d\d", "T", text)

    kept = {
        name: plain(value) for name, value in response.headers.items() if name not in {"X-Request-ID", "Content-Length"}
    }
    return Seen(
        response.status_code,
        kept,
        plain(response.content.decode()),
        asked,
        len(emulator.calls) - calls,
        [plain(str(each)) for each in rows],
    )


def _pairs(emulator: Emulator) -> Iterator[tuple[str, str]]:
    """Parts of an id, and what is part of none but is like it."""
    names = " ".join(ArchivedUser.objects.values_list("folded", flat=True))
    user = next(each for each in emulator.users() if re.fullmatch(r"\w{9,}", each))
    for part in (user[:5], user[2:9]):
        other = next(each for each in (part[:-1] + sign for sign in "qxz7j0") if each.casefold() not in names)
        yield part, other


@pytest.mark.parametrize("how", ["live", "the API is down", "the archive alone"])
def test_no_reply_tells_whether_a_part_of_an_id_matches(
    viewer: Client, emulator: Emulator, settings: Any, how: str
) -> None:
    pairs = list(_pairs(emulator))[: None if how == "live" else 1]
    settings.ARCHIVE_ONLY = how == "the archive alone"
    emulator.fault = Fault.ERROR_503 if how == "the API is down" else None
    rows = table()
    for address, sent in [(each, sent) for each in ASKED for sent in ASKED[each]]:
        method = "GET" if any("GET" in row.methods for row in rows[address]) else "POST"
        for part, other in pairs:
            for headers in ({}, {"HX-Request": "true"}) if address == "/threads/" else ({},):
                seen = [_seen(viewer, emulator, method, address, sent, each, **headers) for each in (part, other)]
                assert seen[0] == seen[1], (address, sent)


def test_every_address_that_a_viewer_has_is_asked() -> None:
    theirs = {
        address
        for address, rows in table().items()
        if any(row.cells["Viewer"] == "yes" and row.cells["no role"] == "no" for row in rows)
    }
    assert theirs == ASKED.keys() | NEITHER


def test_a_part_is_found_by_who_may_see_ids(viewer: Client, emulator: Emulator) -> None:
    """Else the test above would hold of a desk that finds nothing."""
    exporter = Client()
    exporter.force_login(account("exporter", "Exporter"))
    part, other = next(_pairs(emulator))
    seen = [_seen(exporter, emulator, "GET", "/threads/", "?find=P", each) for each in (part, other)]
    assert seen[0] != seen[1]


def test_there_is_no_margin_where_identities_are_masked(viewer: Client, emulator: Emulator) -> None:
    assert viewer.get("/others/", {"thread": next(emulator.thread_ids())}).status_code == 403


_ROOT = Path(configured.BASE_DIR)
_MAY_READ = {"threads/web/request.py", "threads/exports/list_pages.py"}
"""The one way from a request to a query; and the stored query of an export, which was checked when it was ordered."""
_READ = query_forms.parse_thread_query.__name__


def test_there_is_one_way_from_a_request_to_a_query() -> None:
    wrong = []
    for path in [*(_ROOT / "threads").rglob("*.py"), *(_ROOT / "dashboard").rglob("*.py")]:
        name = path.relative_to(_ROOT).as_posix()
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            called, given = ast.unparse(call.func), {each.arg for each in call.keywords}
            if (
                called in {f"query_forms.{_READ}", _READ}
                and name not in _MAY_READ
                and "query_forms" in path.read_text()
            ):
                wrong.append(f"{name}:{call.lineno} reads a query past web/request.py")
            makes = name.startswith("threads/web/views/") and called in {"ThreadQuery", "replace"}
            if makes and (given & {"user", "match", "guess", None} or (call.args and called == "ThreadQuery")):
                wrong.append(f"{name}:{call.lineno} makes a query of a part of an id")
    assert not wrong, "\n".join(wrong)
