"""Exports as jobs: killed, taken over, waiting, refused, expired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.support.exporting import (
    body,
    broken_after,
    busiest,
    finished,
    later,
    own_place,
    recorded,
    rows,
    unwritable,
    zipped,
)
from tests.support.reader import Get
from threads import service
from threads.chatkit import Unavailable
from threads.emulator import Emulator
from threads.exports import runner, storage, tasks
from threads.exports.models import Export, ExportOutcome
from threads.jobs.lease import LeaseLostError
from threads.web.views import exports as views

__all__ = ["finished", "own_place"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("died_at", ["row", "file"])
def test_resumed_where_it_was(agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, died_at: str) -> None:
    """Whoever dies between the file and the row leaves more in the file than the row says: it is written over."""
    from threads.exports import list_pages

    monkeypatch.setattr(list_pages, "MAX_LIMIT", 10)
    monkeypatch.setattr(views, "AT_ONCE", 0)
    agent.post("/exports/list/", {"format": "csv"})
    begun = Export.objects.get()
    if died_at == "file":
        with storage.path(begun.pk).open("ab") as file:
            file.write(b"half a line that nobody kept")
    tasks.work()
    text = storage.path(begun.pk).read_bytes().decode()
    assert [row["id"] for row in rows(text)] == list(emulator.thread_ids())


def test_who_lost_it_writes_nothing_more(agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was away so long that another has its export."""
    from threads.exports import list_pages

    monkeypatch.setattr(list_pages, "MAX_LIMIT", 10)
    monkeypatch.setattr(views, "AT_ONCE", -1)
    agent.post("/exports/list/", {"format": "csv"})
    away = Export.objects.get()
    assert away.claim()
    Export.objects.update(until=None)
    here = Export.objects.get()
    assert here.claim()
    list_pages.page(here)
    list_pages.page(here)
    held = storage.path(here.pk).read_bytes()
    with pytest.raises(LeaseLostError):
        list_pages.page(away)
    assert storage.path(here.pk).read_bytes() == held
    assert not Export.objects.get().claim()


def test_a_worker_waits_for_an_upstream_that_may_come_back(
    agent: Client, get: Get, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threads.exports import list_pages

    monkeypatch.setattr(list_pages, "MAX_LIMIT", 10)
    monkeypatch.setattr(views, "AT_ONCE", 0)
    fails = broken_after(monkeypatch, 2, Unavailable("no connection"))
    address = agent.post("/exports/list/", {"format": "csv"}).headers["Location"]
    tasks.work()
    assert "be reached since" in get(address).said()
    assert not Export.to_do().exists()
    Export.objects.update(until=None, trouble_at=timezone.now() - runner.RETRY_FOR / 2)
    tasks.work()
    assert Export.objects.get().finished_at is None
    fails.clear()
    Export.objects.update(until=None)
    tasks.work()
    ended = Export.objects.get()
    assert (ended.outcome, ended.done, ended.trouble_at) == (ExportOutcome.WHOLE, 45, None)


def test_a_worker_gives_up_in_the_end(agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from threads.exports import list_pages

    monkeypatch.setattr(list_pages, "MAX_LIMIT", 10)
    monkeypatch.setattr(views, "AT_ONCE", 0)
    broken_after(monkeypatch, 2, Unavailable("no connection"))
    agent.post("/exports/list/", {"format": "csv"})
    tasks.work()
    Export.objects.update(trouble_at=timezone.now() - runner.RETRY_FOR, until=None)
    tasks.work()
    ended = Export.objects.get()
    assert (ended.outcome, ended.done) == (ExportOutcome.PARTIAL, 20)
    assert ended.name.endswith("-PARTIAL.csv")
    assert rows(storage.path(ended.pk).read_bytes().decode())[-1]["id"].startswith("PARTIAL: 20")


def test_pages_that_lead_in_a_circle_end(agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from threads.exports import list_pages

    monkeypatch.setattr(list_pages, "MAX_LIMIT", 3)
    asked, ids = service.list_for_export, list(emulator.thread_ids())

    def circling(query: Any, *rest: Any, **how: Any) -> service.Listing:
        if query.after == ids[11]:
            query = query.beyond(after=ids[2])
        return asked(query, *rest, **how)

    monkeypatch.setattr(service, "list_for_export", circling)
    response = agent.post("/exports/list/", {"format": "csv"})
    assert "lead in a circle" in rows(body(response))[-1]["id"]


def test_an_end_that_can_not_be_recorded_is_none(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = later(agent, busiest(emulator)[0])
    with monkeypatch.context() as broken:
        unwritable(broken)
        tasks.work()
        export.refresh_from_db()
        assert export.finished_at is None
        assert not storage.path(export.pk).exists()
    Export.objects.update(until=None)
    tasks.work()
    zipped(export).close()


def test_after_a_day_it_is_gone(finished: Export, agent: Client) -> None:
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert agent.post(f"/exports/{finished.pk}/file/").status_code == 404
    tasks.expire()
    assert not Export.objects.exists()
    assert not list(storage.on_disk())


def test_what_belongs_to_no_export_is_deleted(finished: Export) -> None:
    stray = storage.path(finished.pk.__class__(int=5))
    stray.write_bytes(b"left over")
    storage.begin(finished.pk.__class__(int=6))
    tasks.expire()
    assert list(storage.on_disk()) == [finished.pk]


def test_files_are_nobody_elses(finished: Export) -> None:
    assert storage.path(finished.pk).stat().st_mode & 0o777 == 0o600
    assert storage.directory().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("closed", [False, True])
def test_an_account_that_may_no_more_gets_nothing(agent: Client, emulator: Emulator, closed: bool) -> None:
    user, _ = busiest(emulator)
    export = later(agent, user)
    if closed:
        User.objects.filter(username="agent").update(is_active=False)
    else:
        User.objects.get(username="agent").groups.clear()
    tasks.work()
    export.refresh_from_db()
    assert export.outcome == ExportOutcome.REFUSED
    assert not list(storage.on_disk())
    assert recorded()[-1] == ("refused", user)
