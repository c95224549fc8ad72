"""The sync page: what it says, who may start a sync, and that it does without JavaScript."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from tests.support.reader import Get
from tests.support.syncing import sync
from threads.archive.models import ArchivedThread, Lease, Progress, SyncRequest, SyncRun
from threads.audit.record import NotRecordedError
from threads.emulator import Emulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was handed to the queue."""
    found: list[str] = []
    monkeypatch.setattr("threads.archive.request_sync._start_sync_task", lambda: found.append("asked"))
    return found


def allow() -> None:
    User.objects.get(username="agent").user_permissions.add(
        Permission.objects.get(content_type__app_label="archive", codename="sync")
    )


def test_before_anything_is_synced(get: Get) -> None:
    said = get("/sync/").said()
    assert "Nothing has been synced yet" in said
    assert "There has been no sync yet" in said


def test_what_is_kept_and_that_it_is_everything(get: Get, emulator: Emulator) -> None:
    newest = next(emulator.thread_ids())
    emulator.set_status(newest, "locked", "fraud")
    sync(emulator)
    page = get("/sync/")
    assert "Complete As of" in page.said()
    assert "45" in map(page.said, page.all("dd"))
    links = {page.said(each): each.get("href") for each in page.all("a") if "status=" in (each.get("href") or "")}
    assert links["Locked"] == "/threads/?status=locked"
    assert "Every status was checked after" in page.said()
    assert "The last sync ended just now" in page.said()
    assert page.one("div", id="sync").get("hx-trigger") == "every 30s"
    assert {each.get("aria-current") for each in page.all("a", href="/sync/")} >= {"page"}


def test_what_is_lacking_and_why(get: Get, emulator: Emulator) -> None:
    sync(emulator)
    broken = list(emulator.thread_ids())[3]
    again = timezone.now() + timedelta(minutes=5, seconds=30)
    ArchivedThread.objects.filter(thread_id=broken).update(
        read_at=None, sync_error="<b>it is broken", failures=2, due_at=again
    )
    Progress.objects.update(failure="the key is wrong", failed_at=timezone.now())
    page = get("/sync/")
    assert "1 thread has not been read to the last item" in page.said()
    assert "<b>it is broken. Failed 2 times; next try in 5 min." in page.said()
    assert "the key is wrong" in page.said()
    assert page.all("a", href=f"/threads/{broken}/")


def test_how_a_run_goes(get: Get, emulator: Emulator, settings: Any) -> None:
    settings.ARCHIVE_REQUESTS_PER_MINUTE = 10
    sync(emulator)
    last = ArchivedThread.objects.order_by("number")[14].number
    ArchivedThread.objects.filter(number__gt=last).update(read_at=None, due_at=None)
    now = timezone.now()
    SyncRun.objects.update(
        finished_at=None, phase="read", phase_at=now - timedelta(seconds=60), updated_at=now, phase_done=15, refusals=3
    )
    Lease.objects.update(holder=SyncRun.objects.get().holder, until=now + timedelta(minutes=1))
    part = get("/sync/", part=True)
    assert not part.whole
    assert "15 threads per minute, 30 left, about 2 minutes." in part.said()
    assert "rate limit was reached 3 times" in part.said()
    assert part.one("div", id="sync").get("hx-trigger") == "every 2s"
    SyncRun.objects.update(phase_done=0)
    assert "0 threads per minute, 30 left. New in this run" in get("/sync/").said()
    SyncRun.objects.update(phase="walk", phase_done=600, everything=True)
    said = get("/sync/").said()
    assert "Reading the list of threads: 600 threads per minute. New in this run" in said
    assert "30 conversations are to be checked after that: about 3 minutes at 10 requests a minute" in said
    Lease.objects.update(until=now - timedelta(minutes=1))
    said = get("/sync/").said()
    assert "its worker has ended" in said
    assert "30 conversations are to be checked: about 3 minutes at 10 requests a minute" in said


def test_who_may_not_start_it_has_no_button_and_is_refused(get: Get, agent: Client, asked: list[str]) -> None:
    assert not [each for each in get("/sync/").all("form") if each.get("action") == "/sync/start/"]
    assert agent.post("/sync/start/").status_code == 403
    assert agent.get("/sync/start/").status_code == 403
    assert not asked


def test_who_may_start_it_does_so_with_a_plain_form(get: Get, agent: Client, asked: list[str]) -> None:
    allow()
    form = get("/sync/").one("form", action="/sync/start/")
    assert form.get("method") == "post"
    response = agent.post("/sync/start/")
    assert (response.status_code, response["Location"]) == (302, "/sync/")
    assert asked == ["asked"]
    page = get("/sync/")
    assert "was requested just now. It starts within a minute." in page.said()
    assert page.one("div", id="sync").get("hx-trigger") == "every 2s"


def test_how_a_request_goes(get: Get, emulator: Emulator) -> None:
    sync(emulator)
    SyncRequest.objects.create()
    SyncRun.objects.update(finished_at=None)
    Lease.objects.update(holder=SyncRun.objects.get().holder, until=timezone.now() + timedelta(minutes=1))
    assert "It starts when the running sync has ended." in get("/sync/").said()
    SyncRequest.objects.update(started_at=timezone.now())
    assert "was requested just now. It is running." in get("/sync/").said()
    Lease.objects.update(until=timezone.now() - timedelta(minutes=1))
    assert "another worker continues it within some minutes" in get("/sync/").said()
    SyncRequest.objects.update(finished_at=timezone.now())
    assert "was requested" not in get("/sync/").said()


def test_a_queue_that_is_not_there_loses_nothing(get: Get, agent: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("postgres://u:secret@host refused")

    monkeypatch.setattr("threads.archive.request_sync._start_sync_task", fail)
    allow()
    assert agent.post("/sync/start/").status_code == 302
    assert "was requested just now" in get("/sync/").said()
    assert "secret" not in get("/sync/").said()


def test_what_cannot_be_recorded_is_not_asked_for(agent: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotRecordedError

    monkeypatch.setattr("threads.archive.request_sync.record_or_raise", fail)
    allow()
    agent.raise_request_exception = False
    response = agent.post("/sync/start/")
    assert response.status_code == 503
    assert b"can&#39;t be recorded" in response.content or b"can't be recorded" in response.content
    assert not SyncRequest.objects.exists()


def test_the_demo_account_may_start_it(client: Client, settings: Any) -> None:
    client.post("/sign-in/demo/")
    assert b"Sync now" in client.get("/sync/").content


def test_the_report_is_a_file(agent: Client, emulator: Emulator) -> None:
    sync(emulator)
    response = agent.get("/sync/report/")
    assert response["Content-Disposition"] == 'attachment; filename="archive-report.json"'
    assert json.loads(response.content)["threads"] == 45


def test_without_an_archive_there_is_no_such_page(get: Get, agent: Client, settings: Any) -> None:
    settings.ARCHIVE = "off"
    allow()
    get("/sync/", status=404)
    assert agent.post("/sync/start/").status_code == 404
