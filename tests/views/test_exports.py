"""Handing over lists and users: what the files hold, who may have them, and that none goes out unrecorded."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.accounts import account
from tests.support.effort import times
from tests.support.exporting import (
    body,
    broken_after,
    busiest,
    finished,
    later,
    name,
    own_place,
    recorded,
    rows,
    stored,
    transcripts,
    unwritable,
    zipped,
)
from tests.support.mirror import asking
from tests.support.reader import Get
from tests.support.syncing import sync
from tests.support.upstream import use_upstream
from threads import service
from threads.archive import thread_info
from threads.audit.models import AuditEvent
from threads.chatkit import Unavailable
from threads.emulator import Emulator, Fault
from threads.exports import runner, storage, tasks
from threads.exports.models import Export
from threads.sources import query_forms
from threads.sources.query import ThreadQuery
from threads.web.views import exports as views

__all__ = ["finished", "own_place"]

pytestmark = pytest.mark.django_db


def walked(query: str = "") -> list[str | None]:
    """The ids on all pages that a reader comes to who presses Next."""
    asked, _ = query_forms.parse_thread_query(QueryDict(query).dict(), masked=False)
    assert asked is not None
    found: list[str | None] = []
    while True:
        page = service.list_threads(asked)
        found += [row.id for row in page.window.rows]
        if not page.window.has_next:
            return found
        asked = page.query.beyond(after=page.window.last_id)


def test_a_list_as_csv_is_what_the_pager_shows(agent: Client, emulator: Emulator) -> None:
    response = agent.post("/exports/list/?limit=20&after=" + next(emulator.thread_ids()), {"format": "csv"})
    text = body(response)
    assert [row["id"] for row in rows(text)] == walked()
    assert name(response) == f"threads-{timezone.now().date()}.csv"
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert text.count("\r\n") == text.count("\n") == 46
    assert {row["source"] for row in rows(text)} == {"live"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["created"]) for row in rows(text))
    assert recorded() == [("intent", ""), ("done", "")]
    done = AuditEvent.objects.get(action="export", outcome="done")
    assert (done.account, done.detail["threads"], done.detail["file"]) == ("agent", 45, name(response))
    assert done.detail["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert not Export.objects.exists()
    assert not list(storage.on_disk())


@stored
def test_a_list_as_json_lines(agent: Client, emulator: Emulator) -> None:
    sync(emulator)
    ids = list(emulator.thread_ids())
    emulator.set_title(ids[0], 'Quotes ", commas, \u2028 and = all')
    found = [
        json.loads(line) for line in body(agent.post("/exports/list/?order=asc", {"format": "jsonl"})).split("\n")[:-1]
    ]
    assert [each["id"] for each in found] == ids[::-1]
    assert found[-1]["title"] == 'Quotes ", commas, \u2028 and = all'
    assert all(each["messages"] >= 0 and each["last_activity"] for each in found)
    assert any(each["first_message"] for each in found)


@stored
@pytest.mark.parametrize("archived", [False, True])
def test_whatever_is_filtered_by(agent: Client, emulator: Emulator, archived: bool, monkeypatch: Any) -> None:
    """The export has what walking the pages has, in its order, however many pages it takes."""
    from threads.exports import list_pages

    monkeypatch.setattr(list_pages, "MAX_LIMIT", 7)
    listed = service.list_threads(ThreadQuery(limit=100)).window.rows
    users = sorted({row.user for row in listed if row.user})
    filters: dict[str, Any] = {"user": st.sampled_from([*users, users[0][:4], "nobody"]), "order": st.just("asc")}
    if archived:
        sync(emulator)
        filters |= {
            "status": st.sampled_from(["active", "locked", "closed"]),
            "has_reason": st.sampled_from(["yes", "no"]),
            "q": st.sampled_from(["order", "refund", "the", "zzz"]),
            "from": st.sampled_from(["2026-06-01", "2026-09-01"]),
            "match": st.sampled_from(["part"]),
            "hour": st.sampled_from(["0-09", "2-14"]),
        }

    @hypothesis_settings(max_examples=times(25))
    @given(st.fixed_dictionaries({}, optional=filters))
    def equal(chosen: dict[str, str]) -> None:
        query = urlencode(chosen)
        found = rows(body(agent.post(f"/exports/list/?{query}", {"format": "csv"})))
        # A file comes by creation, the page of a search by best match.
        assert [row["id"] for row in found] == walked(f"{query}&sort=created" if query else "")

    equal()


def test_broken_rows_are_rows_that_say_so(agent: Client, emulator: Emulator) -> None:
    emulator.fault = Fault.BAD_ROWS
    found = rows(body(agent.post("/exports/list/", {"format": "csv"})))
    assert len(found) == len(walked())
    assert any(row["problems"] for row in found if not row["id"])


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_an_upstream_that_fails_half_way(
    agent: Client, emulator: Emulator, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threads.exports import list_pages

    monkeypatch.setattr(list_pages, "MAX_LIMIT", 10)
    broken_after(monkeypatch, 3, Unavailable("no connection"))
    response = agent.post("/exports/list/", {"format": kind})
    text = body(response)
    assert name(response) == f"threads-{timezone.now().date()}-PARTIAL.{kind}"
    ids = list(emulator.thread_ids())[:30]
    if kind == "csv":
        *found, last = rows(text)
        assert [row["id"] for row in found] == ids
        assert last["id"] == "PARTIAL: 30 threads, then not all. The API failed: no connection."
        assert set(last.values()) == {last["id"], ""}
    else:
        *lines, end = [json.loads(line) for line in text.splitlines()]
        assert [each["id"] for each in lines] == ids
        assert end == {"partial": True, "threads": 30, "reason": "The API failed: no connection."}
    assert recorded() == [("intent", ""), ("partial", "")]
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert AuditEvent.objects.get(action="export", outcome="partial").detail["sha256"] == digest


def test_an_upstream_that_gives_nothing(agent: Client, emulator: Emulator) -> None:
    emulator.fault = Fault.WRONG_KEY
    response = agent.post("/exports/list/", {"format": "csv"})
    assert response.status_code == 502
    assert "Nothing was exported." in response.content.decode()
    assert recorded() == [("intent", ""), ("failed", "")]
    assert not Export.objects.exists()


@stored
def test_while_the_upstream_is_down_the_archive_answers(agent: Client, emulator: Emulator) -> None:
    sync(emulator)
    emulator.fault = Fault.ERROR_503
    response = agent.post("/exports/list/", {"format": "csv"})
    found = rows(body(response))
    emulator.fault = None
    assert [row["id"] for row in found] == list(emulator.thread_ids())
    assert {row["source"] for row in found} == {"archive"}
    assert all(row["confirmed"] for row in found)
    assert "PARTIAL" not in name(response)


@stored
def test_an_archive_that_is_still_being_copied(agent: Client, emulator: Emulator) -> None:
    from threads.archive.models import Progress

    sync(emulator)
    Progress.objects.update(reached_end_at=None)
    response = agent.post("/exports/list/?has_reason=no", {"format": "csv"})
    assert name(response).endswith("-PARTIAL.csv")
    assert "still being filled: it has 45 threads so far" in rows(body(response))[-1]["id"]


@pytest.mark.parametrize(
    ("query", "kind", "says"),
    [("", "xls", "csv, jsonl"), ("format=csv", "", "csv, jsonl"), ("order=up", "csv", "Order is")],
)
def test_what_can_not_be_exported(agent: Client, emulator: Emulator, query: str, kind: str, says: str) -> None:
    response = agent.post(f"/exports/list/?{query}", {"format": kind})
    assert response.status_code == 400
    assert says in response.content.decode()
    assert not AuditEvent.objects.filter(action="export").exists()


def test_an_address_alone_exports_nothing(get: Get, finished: Export, emulator: Emulator) -> None:
    emulator.calls.clear()
    before = AuditEvent.objects.count()
    for address in ("list/?format=csv", "user/", f"{finished.pk}/file/", f"{finished.pk}/delete/"):
        page = get(f"/exports/{address}", status=405)
        assert page.headers["Allow"] == "POST"
        assert "press the button there again" in page.said()
    assert not emulator.calls
    assert AuditEvent.objects.count() == before
    assert Export.objects.count() == 1


def test_what_takes_longer_goes_on_in_the_background(
    agent: Client, get: Get, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threads.exports import list_pages

    monkeypatch.setattr(list_pages, "MAX_LIMIT", 10)
    monkeypatch.setattr(views, "AT_ONCE", 0)
    address = agent.post("/exports/list/?order=asc", {"format": "csv"}).headers["Location"]
    begun = Export.objects.get()
    assert (begun.done, begun.holder, begun.finished_at) == (10, "", None)
    page = get(address)
    assert page.one("div", id="export").get("hx-trigger") == "every 2s"
    assert page.one("progress").get("value") is None
    assert page.all("a", href=address)
    part = get(address, part=True)
    assert not part.all("h1")
    tasks.work()
    done = get(address)
    assert "Ready" in done.said()
    assert not done.all("progress")
    assert done.one("div", id="export").get("hx-trigger") is None
    assert "List of threads, CSV" in get("/exports/").said()
    for _ in range(2):
        response = agent.post(f"{address}file/")
        assert [row["id"] for row in rows(body(response))] == list(emulator.thread_ids(order="asc"))
    assert name(response) == f"threads-{timezone.now().date()}.csv"
    assert recorded() == [("intent", ""), *[("done", "")] * 3]
    assert [each.detail.get("download") for each in AuditEvent.objects.filter(outcome="done")][-2:] == [True, True]
    assert agent.post(f"{address}delete/").headers["Location"] == "/exports/"
    assert agent.get(address).status_code == 404
    assert not list(storage.on_disk())


def test_asked_for_twice_it_is_one(agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    user = service.list_threads(ThreadQuery()).window.rows[0].user or ""
    assert later(agent, user) == later(agent, user)
    assert recorded() == [("intent", user)]


def test_nobody_fills_the_disk(agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from threads.exports import orders

    monkeypatch.setattr(orders, "MAX_PER_ACCOUNT", 2)
    first = later(agent, "a")
    later(agent, "b")
    for response in (agent.post("/exports/user/", {"user": "c"}), agent.post("/exports/list/", {"format": "csv"})):
        assert response.status_code == 429
        assert "An account can have 2 exports at a time" in response.content.decode()
    assert later(agent, "a") == first
    assert recorded() == [("intent", "a"), ("intent", "b")]
    agent.post(f"/exports/{first.pk}/delete/")
    assert later(agent, "c").user_id == "c"


@pytest.mark.parametrize("ends", ["handed out", "goes on"])
def test_who_presses_twice_gets_the_file(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """The browser has given up the first reply, and its file is gone with it."""
    from threads.exports import orders

    monkeypatch.setattr(views, "AT_ONCE", -1)
    agent.post("/exports/list/", {"format": "csv"})
    first = Export.objects.get()
    assert first.claim()
    monkeypatch.setattr(views, "AT_ONCE", 0.3)
    monkeypatch.setattr(views, "_GRACE_SECONDS", 0.1 if ends == "goes on" else 30)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if ends == "handed out" and len(waited) == 2:
            orders.remove(first)
        if ends == "goes on":
            time.sleep(seconds)

    monkeypatch.setattr(views, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    response = agent.post("/exports/list/", {"format": "csv"})
    if ends == "handed out":
        assert len(rows(body(response))) == 45
        assert not Export.objects.exists()
    else:
        assert response.headers["Location"] == f"/exports/{first.pk}/"
        assert 0 < len(waited) < 10


def test_everything_of_a_user(agent: Client, get: Get, emulator: Emulator) -> None:
    user, ids = busiest(emulator)
    assert len(ids) > 2
    emulator.set_title(ids[0], "<script>alert(1)</script> \u202e")
    export = later(agent, user)
    tasks.work()
    with zipped(export) as found:
        manifest = json.loads(found.read("manifest.json"))
        assert (manifest["user"], manifest["threads"], manifest["complete"]) == (user, len(ids), True)
        assert manifest["lacking"] == []
        named = {each["name"]: each for each in manifest["files"]}
        assert sorted([*named, "manifest.json"]) == sorted(found.namelist())
        for each in named.values():
            data = found.read(each["name"])
            assert (each["bytes"], each["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        held = [json.loads(found.read(each)) for each in sorted(named) if each.endswith(".json")]
        assert [each["thread"]["id"] for each in held] == ids
        assert sum(each["count"] for each in held) == manifest["items"] > 0
        assert all(each["complete"] for each in held)
        assert all("End of the conversation" in found.read(each).decode() for each in named if each.endswith(".md"))
        index = found.read("index.html").decode()
        assert "<script" not in index
        assert "\u202e" not in index
        assert all(f'href="{each}"' in index for each in named if each != "index.html")
    assert recorded() == [("intent", user), ("done", user)]
    assert export.name == f"user-{re.sub(r'[^A-Za-z0-9_-]', '_', user)}-{timezone.now().date()}.zip"
    shown = get(f"/exports/{export.pk}/")
    facts = dict(zip(map(shown.said, shown.all("dt")), map(shown.said, shown.all("dd")), strict=False))
    assert facts["SHA-256"] == hashlib.sha256(storage.path(export.pk).read_bytes()).hexdigest() == export.sha256
    assert (facts["Requested by"], facts["Threads"]) == ("agent", str(len(ids)))
    assert "Ready" in shown.said()
    assert not storage.work(export.pk).exists()


def test_threads_that_can_not_be_had_are_named(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are waited for, and then no more: not for each of them anew."""
    user, ids = busiest(emulator)
    whole = service.read_whole_thread

    def failing(thread_id: str) -> Any:
        if thread_id in ids[1:3]:
            raise Unavailable("it is broken")
        return whole(thread_id)

    monkeypatch.setattr(service, "read_whole_thread", failing)
    export = later(agent, user)
    tasks.work()
    export.refresh_from_db()
    assert (export.done, export.finished_at) == (1, None)
    Export.objects.update(trouble_at=timezone.now() - runner.RETRY_FOR, until=None)
    tasks.work()
    with zipped(export) as found:
        manifest = json.loads(found.read("manifest.json"))
        assert manifest["lacking"] == [{"thread": each, "why": "the API failed: it is broken"} for each in ids[1:3]]
        assert manifest["complete"] is False
        assert manifest["reason"] == f"2 of {len(ids)} threads could not be had whole."
        assert "Not whole: the API failed: it is broken" in found.read("index.html").decode()
        assert transcripts(found) == [ids[0], *ids[3:]]
    assert export.name.endswith("-PARTIAL.zip")
    assert recorded()[-1] == ("partial", user)


@stored
def test_what_only_the_archive_has_of_a_user_is_theirs_too(agent: Client, emulator: Emulator) -> None:
    user, ids = busiest(emulator)
    sync(emulator)
    thread_info.clear_cache()
    client = asking(emulator)
    client.delete_thread(ids[0])
    client.close()
    sync(emulator)
    from threads.archive.models import ArchivedThread

    ArchivedThread.objects.filter(thread_id=ids[0]).update(deleted_upstream_at=timezone.now())
    export = later(agent, user)
    tasks.work()
    with zipped(export) as found:
        held = transcripts(found)
        assert sorted(held) == sorted(ids)
        assert "No longer at OpenAI" in found.read("index.html").decode()


def test_a_thread_of_somebody_else_is_not_handed_over(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upstream, or a proxy before it, that forgets the filter."""
    user, ids = busiest(emulator)
    asked = service.list_for_export

    def unfiltered(query: Any, *rest: Any, **how: Any) -> service.Listing:
        return asked(query.of(None), *rest, **how)

    monkeypatch.setattr(service, "list_for_export", unfiltered)
    export = later(agent, user)
    tasks.work()
    asked_for = {path.split("/")[-1] for _, path, _ in emulator.calls if not path.endswith(("/threads", "/items"))}
    assert asked_for == set(ids), "theirs was read"
    with zipped(export) as found:
        manifest = json.loads(found.read("manifest.json"))
        held = transcripts(found)
        assert held == ids
        assert len(manifest["lacking"]) == 45 - len(ids)


def test_names_in_a_zip_are_safe(agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    user, ids = busiest(emulator)
    hostile = ["../../etc/passwd", "..\\..\\x", "a/b", "a?b", "CON", "x" * 300, "\u202egnp", "a:b"]
    whole, asked = service.read_whole_thread, service.list_for_export
    from dataclasses import replace

    def renamed(*arguments: Any, **how: Any) -> service.Listing:
        found = asked(*arguments, **how)
        made = tuple(replace(found.window.rows[0], id=each) for each in hostile)
        return replace(found, window=replace(found.window, rows=made, has_next=False))

    monkeypatch.setattr(service, "list_for_export", renamed)
    monkeypatch.setattr(service, "read_whole_thread", lambda _: whole(ids[0]))
    export = later(agent, user)
    tasks.work()
    with zipped(export) as found:
        names = found.namelist()
        assert len({each.lower() for each in names}) == len(names) == 2 * len(hostile) + 2
        assert all(
            re.fullmatch(r"threads/\d{6}-[\w-]{1,80}\.(md|json)|index\.html|manifest\.json", each, re.ASCII)
            for each in names
        )


@stored
def test_a_user_whom_nobody_knows(agent: Client, emulator: Emulator) -> None:
    user, _ = busiest(emulator)
    sync(emulator)
    export = later(agent, user[:3])
    tasks.work()
    with zipped(export) as found:
        assert json.loads(found.read("manifest.json"))["threads"] == 0
    assert agent.post("/exports/user/", {"user": ""}).status_code == 400
    assert agent.post("/exports/user/", {"user": "x" * 600}).status_code == 400


@stored
def test_only_whose_it_is(finished: Export, agent: Client) -> None:
    other = Client()
    other.force_login(account("other", "Administrator"))
    for address in ("", "file/"):
        own = (agent.post if address else agent.get)(f"/exports/{finished.pk}/{address}")
        assert own.status_code == 200
        own.close()
        assert (other.post if address else other.get)(f"/exports/{finished.pk}/{address}").status_code == 404
    assert other.post(f"/exports/{finished.pk}/delete/").status_code == 404
    assert "No exports yet" in other.get("/exports/").content.decode()
    assert storage.path(finished.pk).exists()


def test_a_right_that_was_taken_away_is_gone_at_once(finished: Export, agent: Client) -> None:
    """Whatever this process remembers of the account, when another has changed it."""
    agent.get("/exports/")
    User.groups.through.objects.all().delete()
    assert [agent.get(each).status_code for each in ("/exports/", f"/exports/{finished.pk}/")] == [403] * 2
    assert agent.post("/exports/list/", {"format": "csv"}).status_code == 403
    assert agent.post(f"/exports/{finished.pk}/file/").status_code == 403
    assert storage.path(finished.pk).exists()


def test_nothing_goes_out_unrecorded(
    finished: Export, agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = next(emulator.thread_ids())
    unwritable(monkeypatch)
    emulator.calls.clear()
    asked: list[Callable[[], Any]] = [
        lambda: agent.post("/exports/list/", {"format": "csv"}),
        lambda: agent.post("/exports/user/", {"user": "x"}),
        lambda: agent.post(f"/exports/{finished.pk}/file/"),
        lambda: agent.post(f"/threads/{thread}/", {"format": "md"}),
    ]
    for each in asked:
        response = each()
        assert response.status_code == 503
        assert "The audit log can&#39;t be written." in response.content.decode()
    assert Export.objects.count() == 1
    assert not emulator.calls


def test_a_full_disk(agent: Client, get: Get, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "append", full)
    address = agent.post("/exports/list/", {"format": "csv"}).headers["Location"]
    assert "No space left on device" in get(address).said()
    assert recorded()[-1] == ("failed", "")


def test_who_may_sees_the_downloads(get: Get, emulator: Emulator) -> None:
    user, ids = busiest(emulator)
    page = get(f"/threads/?{urlencode({'user': user})}")
    address = f"/exports/list/?{urlencode({'user': user})}"
    popover = page.one("details", class_="tool downloads")
    offered = [each for each in popover.iter("button") if each.get("formaction") == address]
    assert [(each.get("value"), each.get("form")) for each in offered] == [
        ("csv", "export-list"),
        ("jsonl", "export-list"),
    ]
    assert page.one("form", id="export-list").get("method") == "post"
    assert page.one("button", formaction="/exports/user/").get("form") == "export-list"
    assert page.one("input", name="query", form="export-list").get("value") == urlencode({"user": user})
    assert not get("/threads/").all("button", formaction="/exports/user/")
    page = get(f"/threads/{ids[0]}/")
    assert page.one("form", action=f"/threads/{ids[0]}/").get("method") == "post"
    assert [each.get("value") for each in page.all("button") if each.get("name") == "format"] == ["md", "json"]
    assert page.all("a", href="/exports/")


def test_who_may_not_sees_none(emulator: Emulator) -> None:
    viewer = Client()
    viewer.force_login(account("viewer", "Viewer"))
    thread = next(emulator.thread_ids())
    for address in ("/threads/", f"/threads/{thread}/"):
        text = viewer.get(address).content.decode()
        assert 'name="format"' not in text
        assert "/exports/" not in text
    assert viewer.post("/exports/list/", {"format": "csv"}).status_code == 403
    assert viewer.post("/exports/user/", {"user": "x"}).status_code == 403


def _resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.slow
def test_memory_stays_flat(agent: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty thousand threads take no more than two thousand do."""
    client = asking(Emulator(threads=20_000, seed=7, now=1_790_000_000))
    use_upstream(monkeypatch, client)
    held: dict[int, int] = {}
    append = storage.append

    def weighed(where: Path, offset: int, data: bytes) -> None:
        append(where, offset, data)
        held[len(held) + 1] = _resident()

    monkeypatch.setattr(storage, "append", weighed)
    monkeypatch.setattr(views, "AT_ONCE", 600)
    response = agent.post("/exports/list/", {"format": "csv"})
    assert body(response).count("\r\n") == 20_001
    client.close()
    assert len(held) == 201
    assert held[200] - held[20] < 12_000_000, held
