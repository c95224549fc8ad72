"""Helpers for tests of exports."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.db import DatabaseError
from django.test import Client

from tests.support.mirror import asking
from threads import service
from threads.audit.models import AuditEvent
from threads.chatkit import ChatKitError
from threads.emulator import Emulator
from threads.exports import orders as ask
from threads.exports import storage, tasks
from threads.exports.models import Export
from threads.web.views import exports as views

stored = pytest.mark.django_db(transaction=True)
"""For tests that sync, because sync threads see only committed rows, and for tests that close a response, which closes
the connection to the database."""


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data directory for this test, and no queue: the test calls `tasks.work` itself."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(ask, "notify_workers", lambda: None)


def body(response: Any) -> str:
    assert response.status_code == 200, response.content[:500]
    return b"".join(response.streaming_content).decode()


def name(response: Any) -> str:
    return str(re.search(r'filename="([^"]+)"', response.headers["Content-Disposition"])[1])  # type: ignore[index]


def rows(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def recorded() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(action="export").order_by("pk").values_list("outcome", "user_id"))


def later(client: Client, user: str) -> Export:
    response = client.post("/exports/user/", {"user": user})
    assert response.status_code == 302
    return Export.objects.get(pk=response.headers["Location"].split("/")[2])


def busiest(emulator: Emulator) -> tuple[str, list[str]]:
    client = asking(emulator)
    found: dict[str, list[str]] = {}
    for row in client.list_threads(order="desc", limit=100).rows:
        found.setdefault(row.user or "", []).append(row.id or "")
    client.close()
    return max(found.items(), key=lambda each: len(each[1]))


def zipped(export: Export) -> ZipFile:
    export.refresh_from_db()
    assert export.has_file, export.reason
    return ZipFile(storage.path(export.pk))


def transcripts(found: ZipFile) -> list[str]:
    """The ids of the threads in the file, in their order."""
    names = sorted(each for each in found.namelist() if each.startswith("threads/") and each.endswith(".json"))
    return [json.loads(found.read(each))["thread"]["id"] for each in names]


def broken_after(monkeypatch: pytest.MonkeyPatch, pages: int, error: ChatKitError) -> list[int]:
    """After `pages` more pages the upstream fails with `error`, until the returned list is emptied."""
    asked = service.list_for_export
    fails = [pages]

    def handed_over(*arguments: Any, **how: Any) -> service.Listing:
        if fails:
            if fails[0] == 0:
                raise error
            fails[0] -= 1
        return asked(*arguments, **how)

    monkeypatch.setattr(service, "list_for_export", handed_over)
    return fails


def unwritable(monkeypatch: pytest.MonkeyPatch) -> None:
    def create(**_values: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(AuditEvent.objects, "create", create)


@pytest.fixture
def finished(agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Export:
    """A finished export of the whole list."""
    with monkeypatch.context() as now:
        now.setattr(views, "AT_ONCE", -1)
        agent.post("/exports/list/", {"format": "csv"})
    tasks.work()
    return Export.objects.get()
