"""ARCHIVE_ONLY: no key and no call, and everything that can be read is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from dashboard.monitoring import doctor
from tests.support.accounts import account
from tests.support.reader import Get, reader
from tests.support.syncing import spoken, sync
from tests.support.upstream import use_upstream
from threads.archive import database_guard, tasks, thread_info
from threads.archive.models import ArchivedThread, SyncRequest
from threads.chatkit import ApiConfig, ChatKitClient, Limits, Retired
from threads.emulator import Emulator, EmulatorAdapter
from threads.erasure import runner
from threads.erasure.models import Erasure
from threads.service.circuit_breaker import breaker
from threads.sources import upstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(emulator: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A desk that reads its archive alone, and the upstream that was copied, which nobody may ask any more."""
    emulator.add_items(next(emulator.thread_ids()), [spoken("hippogriff")])
    sync(emulator)
    settings.ARCHIVE_ONLY, settings.EMULATOR, settings.OPENAI_API_KEY = True, False, None
    breaker.forget()
    thread_info.clear_cache()
    use_upstream(monkeypatch, upstream.make_client(Limits(), upstream.notify_observers))
    emulator.calls.clear()
    yield emulator
    assert not emulator.calls, "OpenAI was asked"


@pytest.fixture
def boss(kept: Emulator) -> Client:
    client = Client()
    client.force_login(account("boss", "Administrator", "Exporter", "Eraser"))
    return client


@pytest.mark.parametrize(
    "address",
    ["/threads/", "/threads/?limit=5", "/threads/?q=hippogriff", "/threads/?status=active", "/reports/", "/sync/"],
)
def test_every_page_says_so_in_one_quiet_line(get: Get, kept: Emulator, address: str) -> None:
    page = get(address)
    assert "Copies only; OpenAI is not asked" in page.said(page.one("header", class_="top"))
    assert not page.all("div", id="outage")


def test_lists_pages_and_searches(get: Get, kept: Emulator) -> None:
    ids = list(kept.thread_ids())
    first = get("/threads/")
    assert first.thread_ids == ids[:20]
    second = get(first.link("next") or "")
    assert second.thread_ids == ids[20:40]
    assert get(second.link("prev") or "").thread_ids == ids[:20]
    assert get("/threads/?q=hippogriff").thread_ids == ids[:1]
    assert get("/live/", status=204) is not None


def test_a_conversation_and_its_files(get: Get, agent: Client, kept: Emulator) -> None:
    newest = next(kept.thread_ids())
    page = get(f"/threads/{newest}/")
    assert "hippogriff" in page.said()
    assert "the archive's copy" not in page.said(), "it was checked as lately as promised"
    ArchivedThread.objects.filter(thread_id=newest).update(checked_at=timezone.now() - timedelta(hours=72))
    assert "This is our copy, checked 3 days ago." in get(f"/threads/{newest}/").said()
    whole = json.loads(b"".join(agent.post(f"/threads/{newest}/", {"format": "json"})))
    assert whole["complete"] is True
    get("/threads/cthr_nowhere/", status=404)


def test_copies_are_erased(boss: Client, kept: Emulator) -> None:
    newest = next(kept.thread_ids())
    page = reader(boss)(f"/erase/?thread={newest}")
    assert "OpenAI is not asked" in page.said()
    signed = page.one("input", name="preview").get("value")
    boss.post("/erase/confirm/", {"preview": signed, "typed": newest})
    job = Erasure.objects.get()
    assert job.kind == Erasure.Kind.COPIES
    runner.work(job, upstream.client(), Event())
    assert not ArchivedThread.objects.filter(thread_id=newest).exists()


def test_what_was_ordered_before_waits(kept: Emulator) -> None:
    Erasure.objects.create(kind=Erasure.Kind.USER, token="a", user_id="u")
    assert not runner.ready().exists()


def test_nothing_is_synced(boss: Client, kept: Emulator) -> None:
    assert "Sync now" not in boss.get("/sync/").content.decode()
    assert boss.post("/sync/start/").status_code == 409
    tasks._keep_up()
    SyncRequest.objects.create()
    tasks._sync_now()
    assert "was requested" not in boss.get("/sync/").content.decode()
    for command in (("archive", "sync"), ("archive", "adopt"), ("retention", "--erase")):
        with pytest.raises(CommandError):
            call_command(*command)
    call_command("archive", "report")


def test_readiness_and_the_doctor_say_so(visitor: Get, kept: Emulator) -> None:
    client = Client()
    assert "upstream: not asked, since ARCHIVE_ONLY is set" in client.get("/readyz").content.decode()
    found = {each.name: each for each in doctor.run_checks()}
    assert "key" not in found
    assert found["upstream"].detail == "not asked, since ARCHIVE_ONLY is set"


def test_no_client_makes_a_call(kept: Emulator) -> None:
    client = upstream.client()
    with pytest.raises(Retired, match="ARCHIVE_ONLY"):
        client.list_threads()
    with pytest.raises(Retired):
        client.delete_thread("cthr_a")


def test_the_database_of_the_api_is_opened_without_a_key(kept: Emulator, settings: Any) -> None:
    settings.ARCHIVE_ONLY = False
    settings.OPENAI_API_KEY = "sk-first"
    with pytest.MonkeyPatch.context() as patch:
        use_upstream(patch, ChatKitClient(ApiConfig("sk-first"), adapter=EmulatorAdapter(kept)))
        database_guard.claim()
    settings.OPENAI_API_KEY, settings.EMULATOR = None, True
    with pytest.raises(ImproperlyConfigured, match="ARCHIVE_ONLY=1"):
        database_guard.claim()
    settings.EMULATOR, settings.ARCHIVE_ONLY = False, True
    kept.calls.clear()
    database_guard.claim()
