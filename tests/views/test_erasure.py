"""The pages of erasing: what is shown before, what is to be typed, and what may not be done."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core import signing
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from tests.support.accounts import account
from tests.support.erasing import done, ordered
from tests.support.page import Page
from tests.support.reader import Get, reader
from tests.support.syncing import sync
from threads.archive.models import ArchivedThread
from threads.audit.models import AuditEvent
from threads.audit.record import Action, Outcome, record
from threads.emulator import Emulator, Fault
from threads.erasure import journal, orders, preview, replay, vacuum
from threads.erasure.journal import EntryKind, NewEntry
from threads.erasure.models import Erasure, Target

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the queue was told of an order."""
    found: list[str] = []
    monkeypatch.setattr(orders, "notify_workers", lambda: found.append("told"))
    monkeypatch.setattr(vacuum, "scrub", lambda _alive: {"rewritten": True, "bytes": 0})
    return found


@pytest.fixture
def eraser(db: None) -> Client:
    client = Client()
    client.force_login(account("eraser", "Eraser"))
    return client


@pytest.fixture
def look(eraser: Client) -> Get:
    return reader(eraser)


Send = Callable[..., Page]


@pytest.fixture
def send(eraser: Client) -> Send:
    """Sends a form; what comes back, with the expected `status`."""

    def ask(address: str, status: int = 200, **fields: Any) -> Page:
        response = eraser.post(address, fields)
        assert response.status_code == status, response.content[:2000]
        if status == 302:
            return reader(eraser)(response["Location"])
        return Page(response.content.decode(), response.headers)

    return ask


def busiest(emulator: Emulator) -> str:
    return max(emulator.users(), key=lambda user: (len(list(emulator.thread_ids(user=user))), user))


def previewed(page: Page) -> str:
    return page.one("input", name="preview").get("value") or ""


def phrase(page: Page) -> str:
    return page.said(page.one("code", class_="phrase"))


def of_user(user: str) -> str:
    return f"/erase/?{urlencode({'user': user})}"


def test_who_may_not_erase_sees_nothing_of_it(get: Get, emulator: Emulator) -> None:
    one = next(emulator.thread_ids())
    for address in ("/threads/", f"/threads/{one}/", of_user("x").replace("/erase/", "/threads/")):
        text = get(address).text
        assert "rase" not in text
        assert "tick" not in text
    for address in ("/erase/", "/erasures/"):
        get(address, status=403)


@pytest.mark.parametrize("address", ["/erase/", "/erase/confirm/"])
def test_who_may_not_erase_may_not_send_either(agent: Client, emulator: Emulator, address: str) -> None:
    assert agent.post(address, {"thread": "x"}).status_code == 403
    assert not Erasure.objects.exists()


def test_the_right_is_asked_for_anew(eraser: Client, send: Send, look: Get, emulator: Emulator) -> None:
    """Whatever is remembered of an account for some seconds."""
    from django.contrib.auth.models import Group, User

    one = next(emulator.thread_ids())
    page = look(f"/erase/?thread={one}")
    User.groups.through.objects.filter(group=Group.objects.get(name="Eraser")).delete()  # tells nobody
    send("/erase/confirm/", 403, preview=previewed(page), typed=one)
    look(f"/erase/?thread={one}", status=403)
    assert not Erasure.objects.exists()


def test_rows_can_be_selected_and_the_preview_erases_nothing(look: Get, send: Send, emulator: Emulator) -> None:
    page = look("/threads/?limit=5")
    boxes = page.all("input", class_="pick")
    assert [each.get("value") for each in boxes] == list(emulator.thread_ids())[:5]
    assert {each.get("form") for each in boxes} == {page.one("form", id="selection").get("id")}
    assert "hx-delete" not in page.text
    ids = [each.get("value") for each in boxes][:3]
    shown = send("/erase/", thread=ids, list="limit=5")
    assert phrase(shown) == "erase 3 threads"
    assert "/threads/?limit=5" in {each.get("href") for each in shown.all("a")}
    assert all(each in shown.said() for each in map(str, ids))
    assert len(list(emulator.thread_ids())) == 45
    assert not Erasure.objects.exists()


def test_the_right_word_orders_it_once(look: Get, send: Send, emulator: Emulator, started: list[str]) -> None:
    ids = list(emulator.thread_ids())[:3]
    page = send("/erase/", thread=ids)
    form = {"preview": previewed(page), "typed": "  erase 3 threads "}
    first = send("/erase/confirm/", 302, **form)
    assert "Waiting to start" in first.said()
    send("/erase/confirm/", 302, **form)
    job = Erasure.objects.get()
    assert started
    assert [each.thread_id for each in job.targets.order_by("id")] == ids
    assert AuditEvent.objects.filter(action="erasure", outcome="intent", account="eraser").count() == 1
    assert len(list(emulator.thread_ids())) == 45


@pytest.mark.parametrize("typed", ["", "erase 2 threads", "Erase 3 threads", "erase  3 threads"])
def test_the_wrong_word_says_so_and_loses_nothing(send: Send, emulator: Emulator, typed: str) -> None:
    page = send("/erase/", thread=list(emulator.thread_ids())[:3])
    again = send("/erase/confirm/", 400, preview=previewed(page), typed=typed)
    field = again.one("input", id="typed")
    assert field.get("aria-invalid") == "true"
    assert field.get("value") == typed
    assert "typed-error" in (field.get("aria-describedby") or "")
    assert phrase(again) == "erase 3 threads"
    assert not Erasure.objects.exists()
    send("/erase/confirm/", 302, preview=previewed(again), typed="erase 3 threads")
    assert Erasure.objects.count() == 1


def test_all_of_a_user_is_offered_where_the_list_is_of_exactly_them(look: Get, emulator: Emulator) -> None:
    user = busiest(emulator)
    listed = f"/threads/?{urlencode({'user': user})}"
    address = f"/erase/?{urlencode({'user': user})}"
    assert look(listed).all("a", href=address)
    sync(emulator)
    for other in ("/threads/", f"{listed}&status=active", f"/threads/?match=part&{urlencode({'user': user[:4]})}"):
        assert not look(other).all("a", href=address)


def test_the_preview_of_a_user_joins_both_lists(look: Get, emulator: Emulator) -> None:
    user = busiest(emulator)
    sync(emulator)
    theirs = list(emulator.thread_ids(user=user))
    emulator.delete(theirs[0])
    new = emulator.arrive(1, user)
    page = look(of_user(user))
    assert phrase(page) == user
    facts = dict(zip(map(page.said, page.all("dt")), map(page.said, page.all("dd")), strict=True))
    assert facts["Threads"] == str(len(theirs) + 1)
    assert facts["Only on this desk"] == "1"
    assert len(page.all("li")) >= min(10, len(theirs))
    assert new[0] in emulator.thread_ids()


def test_a_long_list_is_said_not_to_be_counted(look: Get, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "_BUDGET_SECONDS", -1)
    said = look(of_user(busiest(emulator))).said()
    assert "at least" in said
    assert "too many to count now" in said


def test_a_preview_of_an_hour_ago_or_of_another_account_is_none(
    look: Get, send: Send, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = next(emulator.thread_ids())
    signed = previewed(look(f"/erase/?thread={one}"))
    for sent in (signed + "x", "", signing.dumps({"kind": "user"})):
        assert "Nothing was erased" in send("/erase/confirm/", 400, preview=sent, typed=one).said()
    other = Client()
    other.force_login(account("other", "Eraser"))
    assert other.post("/erase/confirm/", {"preview": signed, "typed": one}).status_code == 400
    monkeypatch.setattr(preview, "_VALID_SECONDS", -1)
    send("/erase/confirm/", 400, preview=signed, typed=one)
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("query", ["", "?thread=", "?thread=%00", "?user=" + "x" * 600, "?thread=" + "x" * 600])
def test_an_address_that_names_nothing_is_said_to(look: Get, emulator: Emulator, query: str) -> None:
    assert "Nothing to erase" in look(f"/erase/{query}", status=400).said()


def test_hostile_ids_are_shown_and_do_nothing(look: Get, send: Send, emulator: Emulator) -> None:
    user = "<b>\u202euser\n 'x' &"
    emulator.arrive(2, user)
    page = look(of_user(user))
    assert phrase(page) == "erase all threads of this customer"
    send("/erase/confirm/", 302, preview=previewed(page), typed=phrase(page), back="https://evil.example/")
    job = Erasure.objects.get()
    assert job.user_id == user
    again = look(f"/erasures/{job.pk}/")
    assert not again.all("b") or "user" not in again.said(again.all("b")[0])


def test_an_upstream_that_is_down_does_not_keep_the_order_back(look: Get, emulator: Emulator) -> None:
    user = busiest(emulator)
    sync(emulator)
    emulator.fault = Fault.ERROR_503
    page = look(of_user(user))
    assert "tries again for some hours" in page.said()
    assert previewed(page)


def test_where_the_api_is_retired_the_copies_are_offered(look: Get, send: Send, emulator: Emulator) -> None:
    user = busiest(emulator)
    sync(emulator)
    emulator.fault = Fault.GONE_410
    one = next(emulator.thread_ids())
    assert "the copies" in look(f"/erase/?thread={one}").said(look(f"/erase/?thread={one}").one("h1"))
    page = look(of_user(user))
    assert "Nothing can be deleted at OpenAI any more" in page.said()
    send("/erase/confirm/", 302, preview=previewed(page), typed=user)
    job = done(Erasure.objects.get(), emulator)
    assert job.kind == Erasure.Kind.COPIES
    assert not ArchivedThread.objects.filter(user=user).exists()
    assert "copy erased" in look(f"/erasures/{job.pk}/").said()


def test_an_order_that_cannot_be_recorded_is_none(
    look: Get, send: Send, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = next(emulator.thread_ids())
    page = look(f"/erase/?thread={one}")

    def full(**_values: Any) -> None:
        raise DatabaseError("disk is full")

    monkeypatch.setattr(AuditEvent.objects, "create", full)
    assert "nothing was erased" in send("/erase/confirm/", 503, preview=previewed(page), typed=one).said()
    assert not Erasure.objects.exists()
    assert not Target.objects.exists()


def test_the_receipt_as_a_page_and_as_a_file(look: Get, send: Send, eraser: Client, emulator: Emulator) -> None:
    user = busiest(emulator)
    theirs = list(emulator.thread_ids(user=user, order="asc"))
    emulator.set_title(theirs[0], "A title that is content")
    sync(emulator)
    send("/erase/confirm/", 302, preview=previewed(look(of_user(user))), typed=user)
    job = Erasure.objects.get()
    going = look(f"/erasures/{job.pk}/")
    assert going.one("div", id="erasure").get("hx-trigger") == "every 2s"
    done(job, emulator)
    page = look(f"/erasures/{job.pk}/", part=True)
    assert page.one("div", id="erasure").get("hx-get") is None
    assert "Final check: no other threads found" in page.said()
    assert "rewritten" in page.said()
    assert all(each in page.said() for each in theirs)
    assert "A title that is content" not in page.text
    response = eraser.get(f"/erasures/{job.pk}/receipt.json")
    assert response["Content-Disposition"] == f'attachment; filename="erasure-{job.pk}.json"'
    told = json.loads(response.content)
    assert told["asked_by"] == "eraser"
    assert told["totals"] == {"threads": len(theirs), "erased": len(theirs)}
    assert told["last_look"]["found_nothing_new"] is True
    assert sorted(each["id"] for each in told["threads"]) == sorted(theirs)
    assert all(each["upstream_request_id"] and each["at"] for each in told["threads"])
    assert told["local_traces"]["archive"]["threads"] == len(theirs)
    assert b"A title that is content" not in response.content


def test_a_list_that_could_not_be_had_is_not_said_to_be_empty(look: Get, emulator: Emulator) -> None:
    job = ordered(user=busiest(emulator))
    emulator.fault = Fault.WRONG_KEY
    done(job, emulator)
    said = look(f"/erasures/{job.pk}/").said()
    assert "Partly done" in said
    assert "No thread was erased." in said
    assert "The archive had no copy" not in said


def test_auditors_see_receipts_and_order_nothing(emulator: Emulator, send: Send, look: Get) -> None:
    one = next(emulator.thread_ids())
    send("/erase/confirm/", 302, preview=previewed(look(f"/erase/?thread={one}")), typed=one)
    job = Erasure.objects.get()
    auditor = Client()
    auditor.force_login(account("auditor", "Auditor"))
    reads = reader(auditor)
    assert "1 thread" in reads("/erasures/").said()
    assert one in (
        reads(f"/erasures/{job.pk}/").text + auditor.get(f"/erasures/{job.pk}/receipt.json").content.decode()
    )
    taken = AuditEvent.objects.latest("id")
    assert (taken.action, taken.account, taken.detail) == ("audit", "auditor", {"receipt": str(job.pk)})
    assert auditor.get("/erase/", {"thread": one}).status_code == 403


def test_the_receipt_that_htmx_gets_at_the_end_is_on_record(emulator: Emulator) -> None:
    job = ordered(list(emulator.thread_ids())[:1])
    auditor = Client()
    auditor.force_login(account("auditor", "Auditor"))
    seen = AuditEvent.objects.filter(action="audit", detail__receipt=str(job.pk))
    reads = reader(auditor)
    reads(f"/erasures/{job.pk}/", part=True)
    assert seen.count() == 0, "it comes again every few seconds"
    done(job, emulator)
    reads(f"/erasures/{job.pk}/", part=True)
    assert seen.count() == 1


def test_a_receipt_is_no_file_where_that_cannot_be_recorded(
    emulator: Emulator, eraser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = next(emulator.thread_ids())
    job = ordered([one])

    def full(**_values: Any) -> None:
        raise DatabaseError("disk is full")

    monkeypatch.setattr(AuditEvent.objects, "create", full)
    response = eraser.get(f"/erasures/{job.pk}/receipt.json")
    assert response.status_code == 503
    assert one not in response.content.decode()


def test_the_list_of_erasures_turns_its_pages(look: Get) -> None:
    Erasure.objects.bulk_create(
        Erasure(kind="threads", token=str(number), account="eraser", account_id="1", total=number)
        for number in range(60)
    )
    page = look("/erasures/")
    assert page.link("next") == "?page=2"
    assert len(look("/erasures/?page=2").all("tr")) == 11
    assert re.search(r"Page 1 of 2", page.said())


@pytest.fixture
def waiting(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Erasure:
    """An order of three threads by retention, which waits to be confirmed."""
    job = Erasure.objects.create(
        kind="retention", token="day", account="(Threadkeeper)", total=3, listed_at=timezone.now(),
        needs_confirmation=True, held="it is the first by a rule", phase="confirming",
        rule={"days": 1, "statuses": ["closed"], "before": "2026-01-01T00:00:00+00:00"},
    )  # fmt: skip
    Target.objects.bulk_create(Target(erasure=job, thread_id=each) for each in list(emulator.thread_ids())[:3])
    return job


def test_an_order_of_retention_starts_where_its_number_is_typed(
    look: Get, send: Send, waiting: Erasure, started: list[str]
) -> None:
    page = look(f"/erasures/{waiting.pk}/")
    assert "needs confirmation, since it is the first by a rule" in page.said()
    assert page.one("div", id="erasure").get("hx-trigger") is None, "what is typed is not swapped away"
    assert "Waiting for confirmation" in look("/erasures/").said()
    address = page.one("form", class_="stack sure").get("action") or ""
    for typed in ("", "4", "three"):
        again = send(address, 400, typed=typed)
        assert again.one("input", id="typed").get("value") == typed
        assert again.one("input", id="typed").get("aria-invalid") == "true"
    assert not started
    waiting.refresh_from_db()
    assert waiting.needs_confirmation
    assert "Confirmed by" in send(address, 302, typed=" 3 ").said()
    waiting.refresh_from_db()
    assert (waiting.needs_confirmation, waiting.confirmed_by, waiting.retry_at) == (False, "eraser", None)
    assert started
    told = AuditEvent.objects.filter(action="erasure").latest("id")
    assert (told.action, told.account, told.detail["confirmed_by"]) == ("erasure", "eraser", "eraser")
    send(address, 302, typed="4")


def test_retention_that_does_not_start_says_so(look: Get, settings: Any) -> None:
    assert "Retention" not in look("/erasures/").said()
    record(Action.ERASURE, Outcome.REFUSED, detail={"kind": "retention", "reason": "the clock is wrong"})
    assert "Retention" not in look("/erasures/").said()
    settings.RETENTION_DAYS = 30
    assert "Retention erases nothing at the moment: the clock is wrong." in look("/erasures/").said()


def test_who_may_not_erase_can_not_start_it(waiting: Erasure, look: Get, send: Send) -> None:
    from django.contrib.auth.models import Group, User

    address = f"/erasures/{waiting.pk}/start/"
    auditor = Client()
    auditor.force_login(account("auditor", "Auditor"))
    assert "with the role Eraser can confirm it" in reader(auditor)(f"/erasures/{waiting.pk}/").said()
    assert auditor.post(address, {"typed": "3"}).status_code == 403
    look("/erasures/")
    User.groups.through.objects.filter(group=Group.objects.get(name="Eraser")).delete()  # tells nobody
    send(address, 403, typed="3")
    waiting.refresh_from_db()
    assert waiting.needs_confirmation


def test_a_start_that_cannot_be_recorded_is_none(send: Send, waiting: Erasure, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_values: Any) -> None:
        raise DatabaseError("disk is full")

    monkeypatch.setattr(AuditEvent.objects, "create", full)
    assert "nothing was erased" in send(f"/erasures/{waiting.pk}/start/", 503, typed="3").said()
    waiting.refresh_from_db()
    assert waiting.needs_confirmation


def test_an_order_is_none_where_the_erasures_file_can_not_be_written(
    look: Get, send: Send, emulator: Emulator, settings: Any, tmp_path: Path
) -> None:
    settings.ERASURES_FILE = tmp_path / "nowhere" / "erasures.jsonl"
    one = next(emulator.thread_ids())
    page = look(f"/erase/?thread={one}")
    again = send("/erase/confirm/", 503, preview=previewed(page), typed=one)
    assert "The erasures file can't be written, so nothing was erased." in again.said()
    assert not Erasure.objects.exists()


def test_administrators_are_told_that_a_backup_was_restored(
    look: Get, emulator: Emulator, settings: Any, tmp_path: Path
) -> None:
    settings.ERASURES_FILE = tmp_path / "erasures.jsonl"
    boss = Client()
    boss.force_login(account("boss", "Administrator"))
    replay.forget_warning()
    assert "erasures replay" not in reader(boss)("/threads/").said()
    journal.append(NewEntry(uuid4(), EntryKind.ERASE, "cthr_1"))
    replay._warned.clear()  # half a minute later
    page = reader(boss)("/threads/")
    assert "a backup was restored" in page.said(page.one("p", id="restored"))
    assert "a backup was restored" not in look("/threads/").said()
    settings.ERASURES_FILE.unlink()
    settings.ERASURES_FILE.mkdir()
    replay.forget_warning()
    assert "The erasures file can't be read" in reader(boss)("/threads/").said()
