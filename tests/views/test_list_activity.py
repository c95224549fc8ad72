"""The list on its page: how many threads it has in all, what was said last, and the threads by last activity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from tests.support.accounts import account
from tests.support.page import Page
from tests.support.reader import Get, reader
from tests.support.syncing import spoken, sync
from tests.support.upstream import NOW
from threads import service
from threads.archive import removal, thread_info
from threads.archive.models import ArchivedThread, Progress
from threads.archive.search import source
from threads.archive.statement_timeout import QueryTimeout
from threads.audit.models import AuditEvent
from threads.emulator import Emulator, Fault
from threads.sources.query import ThreadQuery
from threads.web.presenters.thread_list import extent

pytestmark = pytest.mark.django_db


@pytest.fixture
def copied(emulator: Emulator, agent: Client) -> Emulator:
    """The upstream of 45 threads, and an archive that has all of it."""
    ids = list(emulator.thread_ids())
    for each in ids:
        emulator.set_items(each, [spoken("Hello")])
    emulator.set_title(ids[2], "The invoice")
    emulator.set_items(ids[2], [spoken("Where is my invoice?"), spoken("It is <b>lost</b>, I fear")])
    emulator.set_status(ids[7], "locked", "Fraud desk")
    sync(emulator)
    for number, each in enumerate(ids):
        at = datetime.fromtimestamp(NOW, UTC) - timedelta(days=(number * 7) % 45)
        ArchivedThread.objects.filter(thread_id=each).update(last_activity_at=at)
    emulator.calls.clear()
    return emulator


def rows_of(page: Page) -> str:
    said = page.said(page.one("div", class_="foot").find("span"))
    return "" if said.endswith("threads") else said


def by_activity() -> list[str]:
    found = ArchivedThread.objects.order_by("-last_activity_at", "-number")
    return list(found.values_list("thread_id", flat=True))


def test_every_list_says_how_many_threads_it_has(get: Get, copied: Emulator) -> None:
    first = get("/threads/")
    assert rows_of(first) == "1–20 of 45"
    second = get(first.link("next") or "")
    assert rows_of(second) == "21–40 of 45"
    third = get(second.link("next") or "")
    assert rows_of(third) == "41–45 of 45"
    assert rows_of(get(third.link("prev") or "")) == "21–40 of 45"
    assert rows_of(get("/threads/?order=asc&limit=10&after=" + list(copied.thread_ids())[-3])) == "4–13 of 45"
    locked = ArchivedThread.objects.filter(status="locked").count()
    assert rows_of(get("/threads/?status=locked&limit=3")) == f"1–3 of {locked}"
    assert rows_of(get("/threads/?reason=Fraud+desk")) == "1 of 1"
    assert rows_of(get("/threads/?q=hello&limit=10")) == "1–10 of 44"
    assert rows_of(get("/threads/?limit=0")) == "45"
    user = next(name for name in copied.users() if len(list(copied.thread_ids(user=name))) > 2)
    theirs = len(list(copied.thread_ids(user=user)))
    assert rows_of(get(f"/threads/?limit=2&user={quote(user)}")) == f"1–2 of {theirs}"
    copied.fault = Fault.ERROR_503
    assert rows_of(get("/threads/")) == "1–20 of 45"


def test_threads_that_only_the_archive_has_are_not_counted_in_the_live_list(get: Get, copied: Emulator) -> None:
    ids = list(copied.thread_ids())
    user = next(name for name in copied.users() if len(list(copied.thread_ids(user=name))) > 3)
    theirs = list(copied.thread_ids(user=user))
    for each in (theirs[0], next(each for each in ids if each not in theirs)):
        copied.delete(each)
        removal.mark_deleted(ArchivedThread.objects.get(thread_id=each), timezone.now())
    assert rows_of(get("/threads/")) == "1–20 of 43"
    assert rows_of(get(f"/threads/?limit=2&user={quote(user)}")) == f"1–2 of {len(theirs) - 1}"


def test_an_archive_that_is_not_whole_gives_no_total(get: Get, copied: Emulator) -> None:
    Progress.objects.update(reached_end_at=None)
    thread_info.clear_cache()
    first = get("/threads/")
    assert rows_of(first) == "1–20"
    assert rows_of(get(first.link("next") or "")) == ""
    assert rows_of(get("/threads/?q=hello")) == "1–20"


def test_without_an_archive_there_is_no_total(get: Get, emulator: Emulator) -> None:
    get("/threads/")  # templates are set up once, with the archive
    with override_settings(ARCHIVE="off"):
        assert rows_of(get("/threads/")) == "1–20"
        assert rows_of(get("/threads/?limit=100")) == "1–45 of 45"


def test_many_are_counted_up_to_a_limit(get: Get, copied: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_MATCHES_COUNTED", 30)
    assert rows_of(get("/threads/?q=hello")) == "1–20 of more than 30"


def test_a_count_that_takes_too_long_is_left_out(get: Get, copied: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_arguments: object) -> Any:
        raise QueryTimeout("too long")

    monkeypatch.setattr(source.ArchiveSource, "count", slow)
    assert rows_of(get("/threads/?q=hello")) == "1–20"


@pytest.mark.parametrize(
    ("rows", "position", "total", "minimum", "more", "said"),
    [
        (25, 1, 4981, False, True, "1–25 of 4,981"),
        (25, 4957, 4981, False, False, "4,957–4,981 of 4,981"),
        (25, 26, 10_000, True, True, "26–50 of more than 10,000"),
        (25, 10_000, 10_000, True, True, "10,000–10,024"),
        (25, None, 4981, False, True, "4,981"),
        (25, None, None, False, True, ""),
        (25, 1, None, False, True, "1–25"),
        (1, 1, 1, False, False, "1 of 1"),
        (0, None, 0, False, False, "0"),
        (20, 41, 60, False, True, "41–60 of 61"),
    ],
)
def test_which_rows_of_how_many(
    rows: int, position: int | None, total: int | None, minimum: bool, more: bool, said: str
) -> None:
    assert extent(rows, position, total, minimum=minimum, more=more) == said


def test_by_last_activity_there_and_back(get: Get, copied: Emulator) -> None:
    first = get("/threads/?sort=latest")
    assert first.thread_ids == by_activity()[:20]
    assert "latest activity first" in first.said(first.one("caption"))
    assert first.said(first.one("span", class_="end")) == "Latest activity"
    second = get(first.link("next") or "", part=True)
    assert second.thread_ids == by_activity()[20:40]
    assert rows_of(second) == "21–40 of 45"
    back = get(second.link("prev") or "")
    assert back.thread_ids == by_activity()[:20]
    assert not back.link("prev")
    assert get("/threads/?sort=latest&order=asc&limit=100").thread_ids == by_activity()[::-1]
    assert get("/threads/?sort=latest&q=invoice").thread_ids == [by_activity()[by_activity().index(_invoice())]]


def _invoice() -> str:
    return ArchivedThread.objects.get(title="The invoice").thread_id


def test_a_message_that_arrives_meanwhile_is_announced(get: Get, copied: Emulator) -> None:
    second = get(get("/threads/?sort=latest").link("next") or "")
    later = datetime.fromtimestamp(NOW, UTC) + timedelta(hours=1)
    ArchivedThread.objects.filter(thread_id=second.thread_ids[3]).update(last_activity_at=later)
    back = get(second.link("prev") or "")
    assert back.thread_ids == by_activity()[1:21]
    assert "Messages have arrived in other threads since you opened the list." in back.said()
    assert get(back.link("prev") or "").thread_ids == by_activity()[:1]


def test_neighbours_in_a_list_by_activity(agent: Client, copied: Emulator) -> None:
    ids = by_activity()
    step = agent.get("/step/", {"from": ids[3], "list": "sort=latest", "to": "next"})
    assert step.headers["Location"].startswith(f"/threads/{ids[4]}/")
    step = agent.get("/step/", {"from": ids[3], "list": "sort=latest", "to": "previous"})
    assert step.headers["Location"].startswith(f"/threads/{ids[2]}/")


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the day of the emulator's clock."""
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(NOW, UTC))


def test_the_days_of_the_last_message_stay_relative(get: Get, agent: Client, copied: Emulator, today: None) -> None:
    page = get("/threads/?in=7d&sort=latest&limit=3", part=True)
    assert page.headers["HX-Push-Url"] == "/threads/?in=7d&sort=latest&limit=3"
    assert page.thread_ids == by_activity()[:3]
    assert rows_of(page) == "1–3 of 7"
    assert set(get("/threads/?in=7d").thread_ids) == set(by_activity()[:7])
    (chosen,) = (each for each in page.all("input", name="in") if each.get("checked") is not None)
    assert chosen.get("value") == "7d"
    assert "Last message last 7 days" in page.said(page.one("details", id="filter-in"))
    assert page.said(page.one("summary", id="sort-summary")) == "Sort: Latest activity"
    agent.post("/views/", {"name": "This week", "query": "in=7d&sort=latest"})
    assert any(each.get("href") == "/threads/?in=7d&sort=latest" for each in get("/threads/").all("a"))
    for wrong in ("in=8d", "in=today&in=x", "sort=newest"):
        assert get(f"/threads/?{wrong}", status=400).one("p", id=f"{wrong.partition('=')[0]}-error") is not None


@pytest.mark.parametrize("query", [ThreadQuery(sort="latest"), ThreadQuery(sort="latest", q="hello", limit=100)])
def test_an_export_of_a_list_by_activity_is_read_by_creation(copied: Emulator, query: ThreadQuery) -> None:
    """A thread that is written in meanwhile would change its place, and could be passed over."""
    plain = service.list_threads(replace(query, sort=None)).window.rows
    assert service.list_for_export(query).window.rows == plain


def last_said(page: Page, thread: str) -> list[str]:
    row = page.one("tr", data_thread_id=thread)
    return [page.said(each) for each in row.iter("p") if each.get("class") == "said" and each.find("bdi") is not None]


def test_a_row_shows_what_was_said_last(get: Get, copied: Emulator) -> None:
    page = get("/threads/")
    assert last_said(page, _invoice()) == ["Customer: It is <b>lost</b>, I fear"]
    other = next(each for each in page.thread_ids if each != _invoice())
    assert last_said(page, other) == [], "the first message says it"
    found = get("/threads/?q=where")
    assert last_said(found, _invoice()) == [], "the match is shown in its place"
    with override_settings(LIST_PREVIEWS=False):
        assert last_said(get("/threads/"), _invoice()) == []


def test_a_thread_that_is_not_read_to_its_end_shows_none(get: Get, copied: Emulator) -> None:
    ArchivedThread.objects.filter(thread_id=_invoice()).update(read_at=None)
    assert last_said(get("/threads/"), _invoice()) == []


Recorded = Callable[[str], dict[str, Any]]


@pytest.fixture
def recorded(get: Get) -> Recorded:
    def ask(address: str) -> dict[str, Any]:
        get(address)
        detail: dict[str, Any] = AuditEvent.objects.filter(action="search").latest("pk").detail
        return detail

    return ask


def test_the_event_of_a_list_says_that_last_messages_were_shown(recorded: Recorded, copied: Emulator) -> None:
    assert recorded("/threads/?status=active")["previews"] is True
    assert "previews" not in recorded("/threads/?q=invoice"), "the match was shown instead"
    with override_settings(LIST_PREVIEWS=False):
        assert "previews" not in recorded("/threads/?status=active")


def test_a_masked_account_learns_no_address_from_it(copied: Emulator) -> None:
    thread, mail = _invoice(), "augusta.king@lovelace.example"
    user = ArchivedThread.objects.get(thread_id=thread).user or ""
    texts = [f"I am {user} at {mail}", f"{'x' * 190} {mail}", f"{'x' * 195} {user}"]
    with override_settings(MASK_IDENTITIES=True):
        viewer = Client()
        viewer.force_login(account("viewer", "Viewer"))
        for text in texts:
            copied.set_items(thread, [spoken("before"), spoken(text)])
            ArchivedThread.objects.update(read_at=None, due_at=None)
            sync(copied, everything=True)
            page = reader(viewer)("/threads/")
            (said,) = last_said(page, thread)
            assert said.startswith("Customer: ")
            assert user not in page.text
            assert "augusta" not in page.text
            assert user[:6] not in said.replace(f"{user[:3]}…", "")


def test_users_are_offered_with_their_counts(agent: Client, copied: Emulator) -> None:
    made = copied.arrive(3, user="quentin")
    for each in made[:2]:
        copied.set_status(each, "locked", None)
    sync(copied, everything=True)
    assert b'<option value="quentin">3 threads, 2 locked</option>' in agent.get("/users/?user=QUEN").content
