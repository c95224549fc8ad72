"""The list and the conversation where the archive answers: what the API cannot, and while it is down or retired."""

from __future__ import annotations

import itertools
import json
import string
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import OperationalError, transaction
from django.test import Client, override_settings
from django.utils import timezone

from tests.support.reader import Get
from tests.support.syncing import spoken, sync
from threads.archive import thread_info
from threads.archive.models import ArchivedThread
from threads.archive.models import StoredOutage as Kept
from threads.archive.search import words
from threads.archive.store import write
from threads.chatkit import TimedOut
from threads.chatkit.decode import thread as read_thread
from threads.emulator import Emulator, Fault
from threads.service import circuit_breaker

DOWN = [Fault.ERROR_503, Fault.GONE_404, Fault.GONE_410, Fault.WRONG_KEY, Fault.NOT_JSON]


@pytest.fixture
def copied(emulator: Emulator, agent: Client) -> Emulator:
    """The upstream, and an archive that has all of it."""
    ids = list(emulator.thread_ids())
    emulator.set_status(ids[3], "locked", "Waiting for the fraud desk")
    emulator.set_status(ids[9], "closed", None)
    emulator.set_title(ids[5], None)
    emulator.set_items(ids[5], [spoken("My zeppelin will not inflate. It is new."), spoken("Hello?")])
    sync(emulator)
    emulator.calls.clear()
    return emulator


def test_rows_of_one_title_are_told_apart_by_what_was_said_first(get: Get, emulator: Emulator) -> None:
    ids = list(emulator.thread_ids())
    said = ["My invoice 4711 is wrong", "Cannot sign in any more", "No title but words", "x" * 300]
    for thread, title, text in zip(ids, ["New thread", "New thread", None, "x" * 200], said, strict=False):
        emulator.set_title(thread, title)
        emulator.set_items(thread, [spoken(text)])
    sync(emulator)
    page = get("/threads/")
    cells = {row.get("data-thread-id"): page.said(row.find("td[@class='thread']")) for row in page.all("tr")}
    assert cells[ids[0]] == said[0], "in the place of a title that says nothing"
    assert cells[ids[1]] == said[1]
    assert cells[ids[2]] == said[2]
    assert cells[ids[3]] == "x" * 200, "the title says it already"
    found = get("/threads/?q=invoice")
    (row,) = (each for each in found.all("tr") if each.get("data-thread-id") == ids[0])
    assert found.said(row).count("invoice 4711") == 1, "the sentence of the match says it"


def test_a_first_message_of_which_more_follows_says_so(get: Get, emulator: Emulator) -> None:
    thread = next(emulator.thread_ids())
    emulator.set_title(thread, "New thread")
    emulator.set_items(thread, [spoken("y" * 199), spoken("later")])
    sync(emulator)
    assert "y" * 199 in get("/threads/").text
    assert "y" * 199 + "…" not in get("/threads/").text
    emulator.set_items(thread, [spoken("z" * 201)])
    ArchivedThread.objects.filter(thread_id=thread).update(opening="z" * 200)
    assert f"{'z' * 200}…" in get("/threads/").text


def test_a_status_is_asked_of_the_archive_and_says_so(get: Get, copied: Emulator) -> None:
    page = get("/threads/?status=locked&limit=100")
    rows = [row for row in page.all("tr") if row.get("data-thread-id")]
    assert rows
    assert all("Locked" in page.said(row) for row in rows)
    assert "From the archive, checked just now or later" in page.said(page.one("caption"))
    assert not copied.calls
    chosen = page.one("input", type="radio", name="status", value="locked")
    assert chosen.get("checked") is not None
    (label,) = [each for each in page.all("label") if chosen in each]
    assert page.said(label) == f"Locked {len(rows)}"


def test_rows_have_what_the_api_lacks_live_too(get: Get, copied: Emulator) -> None:
    page = get("/threads/")
    row = page.said(page.all("tr")[6])
    assert "My zeppelin will not inflate. It is new." in row
    assert page.said(page.all("td", class_="count")[5]) == "2"
    assert len(copied.calls) == 1


def test_a_search_shows_the_sentence_and_leads_to_the_item(get: Get, copied: Emulator) -> None:
    page = get("/threads/?q=zeppel")
    (row,) = [row for row in page.all("tr") if row.get("data-thread-id")]
    assert page.said(row.find(".//mark")) == "zeppel"
    hit = page.one("p", class_="said hit").find("a")
    assert hit is not None
    href = hit.get("href") or ""
    assert parse_qs(urlsplit(href).query)["list"] == ["q=zeppel"]
    there = get(href)
    assert there.one("li", id=urlsplit(href).fragment.replace("%25", "%")) is not None


def test_what_was_found_is_harmless(get: Get, copied: Emulator) -> None:
    (thread,) = copied.arrive(1)
    copied.set_title(thread, "<script>alert('owl')</script> <b>owl</b>")
    copied.set_items(thread, [spoken("<img src=x onerror=alert(1)> owl \u202eowl")])
    sync(copied)
    page = get("/threads/?q=owl")
    assert page.thread_ids == [thread]
    assert not page.all("b", text="owl")
    assert "<img" not in page.text.split("<table")[1]
    assert "U+202E" in page.said(page.one("p", class_="said hit"))


def test_part_of_a_user_finds_them_without_asking_how(get: Get, copied: Emulator) -> None:
    copied.arrive(2, user="Zoë.Quince@example.org")
    sync(copied)
    page = get("/threads/?find=zoe.quince", part=True)
    assert len(page.thread_ids) == 2
    assert "Zoë.Quince@example.org is the only customer with “zoe.quince” in their id" in page.said()
    assert page.headers["HX-Push-Url"] == "/threads/?user=Zo%C3%AB.Quince%40example.org"
    assert get("/threads/?find=nobody-at-all", part=True).thread_ids == []


def test_users_are_offered_while_one_is_typed(get: Get, agent: Client, copied: Emulator) -> None:
    copied.arrive(3, user="quentin")
    sync(copied)
    assert b'<option value="quentin">3 threads</option>' in agent.get("/users/?user=QUEN").content
    assert b'value="quentin"' in agent.get("/users/?find=QUEN").content
    assert b"option" not in agent.get("/users/?user=%00").content


def test_dates_are_days_of_the_reader(get: Get, agent: Client, copied: Emulator) -> None:
    agent.cookies["tz"] = "Asia/Tokyo"
    newest = ArchivedThread.objects.order_by("-number")[0]
    assert newest.created_at
    page = get("/threads/?from=2026-09-21&to=2026-09-21&limit=100")
    assert newest.thread_id in page.thread_ids
    assert get("/threads/?from=2026-09-22").thread_ids == []


WRONG = [("from=yesterday", "from"), ("from=2026-09-02&to=2026-09-01", "to"), ("has_reason=perhaps", "has_reason")]


@pytest.mark.parametrize(("query", "field"), WRONG)
def test_what_is_wrong_is_said_beside_the_filter(get: Get, copied: Emulator, query: str, field: str) -> None:
    page = get(f"/threads/?{query}", status=400)
    assert page.said(page.one("p", id=f"{field}-error"))
    assert "Some filters aren't valid" in page.said(page.one("div", id="invalid"))
    assert page.thread_ids, "the list is shown without it"


@pytest.mark.parametrize("fault", DOWN)
def test_while_the_upstream_is_down_the_archive_answers(get: Get, copied: Emulator, fault: Fault) -> None:
    live = get("/threads/")
    copied.fault = fault
    page = get("/threads/")
    assert page.thread_ids == live.thread_ids
    assert "no live answer since" in page.said(page.one("div", id="outage"))
    following = get(page.link("next") or "")
    copied.fault = None
    circuit_breaker.breaker.forget()
    assert following.thread_ids == get(page.link("next") or "").thread_ids
    assert not get("/threads/").all("div", id="outage")


def test_nobody_waits_twice_for_an_upstream_that_is_down(get: Get, copied: Emulator) -> None:
    copied.fault = Fault.ERROR_503
    get("/threads/")
    copied.calls.clear()
    get("/threads/?limit=5")
    assert not copied.calls


def test_the_live_page_comes_back_by_itself(
    get: Get, agent: Client, copied: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied.fault = Fault.ERROR_503
    get("/threads/")
    assert Kept.objects.exists()
    assert agent.get("/live/").status_code == 204
    copied.calls.clear()
    assert agent.get("/live/").status_code == 204
    assert not copied.calls  # a hundred pages that wait are one question
    monkeypatch.setattr(circuit_breaker, "PROBE_INTERVAL_SECONDS", 0)
    copied.fault = None
    assert agent.get("/live/")["HX-Refresh"] == "true"
    assert not get("/threads/").all("div", id="outage")
    assert not Kept.objects.exists()


@pytest.mark.slow
def test_what_one_process_found_back_is_back_for_all(
    get: Get, agent: Client, copied: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied.fault = Fault.ERROR_503
    assert get("/threads/").one("div", id="outage")
    copied.fault = None
    other = circuit_breaker.CircuitBreaker()
    other.record_success()  # as every process notes once after it started
    copied.fault = Fault.ERROR_503
    assert get("/threads/").one("div", id="outage")
    copied.fault = None
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("threads.service.fallback.breaker", other)
        assert agent.get("/live/")["HX-Refresh"] == "true"
    assert not get("/threads/").all("div", id="outage")


def test_a_conversation_is_read_from_the_archive_when_the_api_is_retired(get: Get, copied: Emulator) -> None:
    thread = list(copied.thread_ids())[5]
    copied.fault = Fault.GONE_410
    page = get(f"/threads/{thread}/")
    assert "My zeppelin" in page.said(page.one("ol", class_="items"))
    assert "no live answer since" in page.said()
    assert get("/threads/none/", status=404)


def test_a_thread_that_is_gone_upstream_is_read_from_the_archive(get: Get, copied: Emulator) -> None:
    thread = list(copied.thread_ids())[5]
    copied.delete(thread)
    sync(copied, everything=True)
    assert "Deleted at OpenAI (noticed" in get(f"/threads/{thread}/").said()
    assert "Deleted at OpenAI (noticed " in get("/threads/?q=zeppelin").said()


def test_reading_live_refreshes_the_copy(get: Get, copied: Emulator) -> None:
    thread = list(copied.thread_ids())[5]
    copied.set_status(thread, "locked", "Airship desk")
    copied.add_items(thread, [spoken("It floats now")])
    get(f"/threads/{thread}/")
    assert get("/threads/?q=airship").thread_ids == [thread]
    assert get("/threads/?q=floats&status=locked").thread_ids == [thread]


def test_where_items_are_not_kept_reading_live_keeps_none(get: Get, copied: Emulator) -> None:
    thread = list(copied.thread_ids())[5]
    copied.add_items(thread, [spoken("It floats now")])
    with override_settings(ARCHIVE="threads"):
        get(f"/threads/{thread}/")
    assert get("/threads/?q=floats").thread_ids == []


def test_items_that_fail_alone_come_from_the_archive(
    get: Get, copied: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = list(copied.thread_ids())[5]

    def broken(*_asked: object, **_how: object) -> None:
        raise TimedOut("too slow")

    monkeypatch.setattr("threads.chatkit.ChatKitClient.list_items", broken)
    page = get(f"/threads/{thread}/")
    assert "My zeppelin" in page.said(page.one("ol", class_="items"))
    assert "no live answer since" in page.said()


def test_an_archive_that_is_not_whole_says_so(get: Get, copied: Emulator) -> None:
    from threads.archive.models import Progress

    Progress.objects.update(reached_end_at=None)
    assert "Still syncing threads: 45 threads so far" in get("/threads/?status=active").said()


def test_without_an_archive_there_is_no_such_filter(get: Get, emulator: Emulator) -> None:
    with override_settings(ARCHIVE="off"):
        assert "switched off" in get("/threads/?status=locked", status=400).said()
        assert get("/threads/").thread_ids


ASKED = ["?q=zebra", "?status=locked", "?from=2026-01-01", "?user=nobody&match=part"]


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("query", ASKED)
def test_an_empty_archive_is_not_taken_for_an_answer(get: Get, emulator: Emulator, query: str) -> None:
    page = get(f"/threads/{query}")
    assert "No threads match" not in page.said()
    assert "No threads synced yet" in page.said()
    assert "only just begun" in page.said()
    assert "no live answer" not in page.said()
    emulator.fault = Fault.ERROR_503
    for address in (f"/threads/{query}", "/threads/"):
        page = get(address, status=502)
        assert "OpenAI can't be reached" in page.said(page.one("div", id="summary"))
        assert page.one("a", id="again").get("href") == address
    with override_settings(ARCHIVE_ONLY=True):
        assert "shows synced threads only" in get(f"/threads/{query}").said()
        assert "shows synced threads only" in get("/threads/").said()


@pytest.mark.parametrize("query", ASKED)
@pytest.mark.parametrize("down", [False, True])
def test_an_archive_that_is_not_whole_is_not_taken_for_all(get: Get, copied: Emulator, query: str, down: bool) -> None:
    from threads.archive.models import Progress

    Progress.objects.update(reached_end_at=None)
    ArchivedThread.objects.filter(status="locked").update(state=None)
    thread_info.clear_cache()
    copied.fault = Fault.ERROR_503 if down else None
    page = get("/threads/?q=notthere" if query == "?q=zebra" else "/threads/?q=notthere&" + query[1:])
    assert "No threads match among those synced so far" in page.said()
    if down:
        page = get("/threads/?user=nobody")
        assert "no live answer since" in page.said()
        assert "not all: OpenAI can't be reached" in page.said()


def test_what_nothing_matches_offers_a_way_out(get: Get, copied: Emulator) -> None:
    page = get("/threads/?q=notthere")
    assert "No threads match" in page.said()
    ways = {page.said(each): each.get("href") for each in page.one("div", id="summary").iter("a")}
    assert ways == {
        "without “Words notthere”": "/threads/",
        "Customer is exactly “notthere”": "/threads/?user=notthere",
    }
    page = get("/threads/?q=notthere&status=locked")
    ways = {page.said(each): each.get("href") for each in page.one("div", id="summary").iter("a")}
    assert ways == {
        "without “Words notthere”": "/threads/?status=locked",
        "without “Status Locked”": "/threads/?q=notthere",
        "Customer is exactly “notthere”": "/threads/?user=notthere",
        "All threads": "/threads/",
    }
    locked = len(get("/threads/?status=locked&limit=100").thread_ids)
    assert f"without “Words notthere”: {locked} thread" in page.said()


def test_neighbours_are_those_of_the_search(agent: Client, copied: Emulator) -> None:
    ids = list(copied.thread_ids())[:3]
    for each in ids:
        copied.add_items(each, [spoken("hippogriff")])
    ArchivedThread.objects.update(due_at=None)
    sync(copied)
    step = agent.get("/step/", {"from": ids[0], "list": "q=hippogriff", "to": "next"})
    assert step["Location"].startswith(f"/threads/{ids[1]}/")


@pytest.mark.slow
@pytest.mark.parametrize("between", [" ", "-", ""])
def test_a_pasted_page_is_searched_for(get: Get, copied: Emulator, between: str) -> None:
    """Its first words are looked for and marked, and no database finds them too many."""
    (thread,) = copied.arrive(1)
    pasted = ["".join(pair) + end for end in ("", "1") for pair in itertools.product(string.ascii_lowercase, repeat=2)]
    text = between.join(pasted) if between else "".join(chr(0x4E00 + number) for number in range(19_000))
    copied.set_items(thread, [spoken(text)])
    sync(copied)
    assert get("/threads/?" + urlencode({"q": text})).thread_ids == [thread]


def test_a_short_word_is_shown_where_it_is_a_word(get: Get, copied: Emulator) -> None:
    (thread,) = copied.arrive(1)
    copied.set_items(thread, [*[spoken("I look at the token.")] * 25, spoken("It is fine.\nOK then, xq")])
    sync(copied)
    page = get("/threads/?q=ok xq")
    assert page.thread_ids == [thread]
    assert [page.said(mark) for mark in page.one("p", class_="said hit").iter("mark")] == ["OK", "xq"]


def test_a_search_that_stops_with_nothing_found_goes_on(
    get: Get, copied: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "MOST_LOOKED_AT", 5)
    oldest, *others = copied.arrive(30)
    for each in others:
        copied.set_items(each, [spoken("lorry zebra")])
    copied.set_items(oldest, [spoken("zebra lorry")])
    sync(copied)
    page = get("/threads/?" + urlencode({"q": '"zebra lorry"', "limit": "1"}))
    assert "Nothing found yet" in page.said()
    for _ in range(30):
        if page.thread_ids:
            break
        page = get(page.link("next") or "")
    assert page.thread_ids == [oldest]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("at", [-62135596800, 253402300799])
def test_threads_from_the_ends_of_the_calendar_hinder_no_filter(
    get: Get, agent: Client, copied: Emulator, at: int, zone: str
) -> None:
    kept = ArchivedThread.objects.order_by("-number")[0]
    with transaction.atomic():
        write.refresh_threads([(kept, read_thread(json.loads(kept.raw) | {"created_at": at}))], timezone.now())
    agent.cookies["tz"] = zone
    assert get("/threads/?hour=0-09")
    assert len(get("/threads/?from=0001-01-02&to=9999-12-30&limit=100").thread_ids) == 44
    assert len(get("/threads/?to=0001-01-02").thread_ids) == (at < 0)
    assert len(get("/threads/?from=9999-12-31").thread_ids) == (at > 0)


def test_a_reason_of_several_lines_survives_a_form(get: Get, copied: Emulator) -> None:
    thread = next(copied.thread_ids())
    copied.set_status(thread, "locked", "First line\nsecond line")
    sync(copied, everything=True)
    for sent in ("First line\nsecond line", "First line\r\nsecond line"):
        assert get("/threads/?" + urlencode({"reason": sent})).thread_ids == [thread]


@pytest.mark.slow
def test_a_copy_that_cannot_be_refreshed_hinders_no_reader(
    get: Get, copied: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    thread = next(copied.thread_ids())
    monkeypatch.setattr(thread_info, "refresh", locked)
    assert get(f"/threads/{thread}/").one("ol", class_="items") is not None
    monkeypatch.setattr(Kept.objects, "get_or_create", locked)
    copied.fault = Fault.ERROR_503
    assert "no live answer since" in get("/threads/").said()


def test_what_is_not_kept_is_not_said_to_be_deleted_while_the_upstream_is_down(get: Get, copied: Emulator) -> None:
    (new,) = copied.arrive(1)
    copied.fault = Fault.ERROR_503
    assert "Thread not found" not in get(f"/threads/{new}/", status=502).said()
    assert "was deleted" not in get(f"/threads/?after={new}", status=502).said()
    assert "No customer nobody" in get("/threads/?user=nobody").said()
    assert "No customer nobody" in get("/threads/?user=nobody").said()


def test_a_step_through_a_filtered_list_without_an_archive_says_why_not(agent: Client, emulator: Emulator) -> None:
    with override_settings(ARCHIVE="off"):
        answer = agent.get("/step/", {"from": "x", "list": "q=a", "to": "next"})
        assert answer["Location"] == "/threads/?q=a"


@pytest.mark.parametrize("address", ["/users/?user=a", "/live/", "/threads/?q=a"])
def test_strangers_are_told_nothing(db: None, emulator: Emulator, address: str) -> None:
    answer = Client().get(address)
    assert answer["Location"].startswith("/sign-in/")
    assert answer["Cache-Control"] == "no-store"
    assert not emulator.calls


def test_what_was_just_copied_is_shown_with_its_sentence(get: Get, copied: Emulator) -> None:
    """Whether there is an archive is remembered; what came from it needs no such memory."""
    thread_info._filled.put("", False)
    assert "My zeppelin will not inflate." in get("/threads/?q=zeppel").said()
