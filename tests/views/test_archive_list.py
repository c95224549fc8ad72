"""The list and the conversation where the archive answers: what the API cannot, and while it is down or retired."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client, override_settings

from tests.archive.test_sync import spoken, sync
from tests.conftest import Get
from threads import outage
from threads.archive import about
from threads.archive.models import ArchivedThread
from threads.archive.models import Outage as Kept
from threads.emulator import Emulator, Fault

DOWN = [Fault.ERROR_503, Fault.GONE_404, Fault.GONE_410, Fault.WRONG_KEY, Fault.NOT_JSON]


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    about.forget()
    outage.watch.forget()
    yield
    about.forget()
    outage.watch.forget()


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


def test_a_status_is_asked_of_the_archive_and_says_so(get: Get, copied: Emulator) -> None:
    page = get("/threads/?status=locked&limit=100")
    rows = [row for row in page.all("tr") if row.get("data-thread-id")]
    assert rows
    assert all("Locked" in page.said(row) for row in rows)
    assert "From the archive, confirmed just now" in page.said(page.one("caption"))
    assert not copied.calls
    assert page.said(page.one("select", id="status").find("option[@selected]")) == f"Locked ({len(rows)})"


def test_rows_have_what_the_api_lacks_live_too(get: Get, copied: Emulator) -> None:
    page = get("/threads/")
    row = page.said(page.all("tr")[6])
    assert "My zeppelin will not inflate. It is new." in row
    assert "2 messages" in row
    assert len(copied.calls) == 1


def test_a_search_shows_the_sentence_and_leads_to_the_item(get: Get, copied: Emulator) -> None:
    page = get("/threads/?q=zeppel")
    (row,) = [row for row in page.all("tr") if row.get("data-thread-id")]
    assert page.said(row.find(".//mark")) == "zeppel"
    hit = page.one("p", class_="hit").find("a")
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
    assert "U+202E" in page.said(page.one("p", class_="hit"))


def test_part_of_a_user_finds_them_without_asking_how(get: Get, copied: Emulator) -> None:
    copied.arrive(2, user="Zoë.Quince@example.org")
    sync(copied)
    page = get("/threads/?user=zoe.quince", part=True)
    assert len(page.thread_ids) == 2
    assert "No user is exactly zoe.quince" in page.said()
    assert page.headers["HX-Push-Url"] == "/threads/?user=zoe.quince&match=part"
    assert get("/threads/?user=nobody-at-all").thread_ids == []


def test_users_are_offered_while_one_is_typed(get: Get, agent: Client, copied: Emulator) -> None:
    copied.arrive(3, user="quentin")
    sync(copied)
    assert b'<option value="quentin">3 threads</option>' in agent.get("/users/?user=QUEN").content
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
    assert not copied.calls


@pytest.mark.parametrize("fault", DOWN)
def test_while_the_upstream_is_down_the_archive_answers(get: Get, copied: Emulator, fault: Fault) -> None:
    live = get("/threads/")
    copied.fault = fault
    page = get("/threads/")
    assert page.thread_ids == live.thread_ids
    assert "has not answered since" in page.said(page.one("div", id="outage"))
    following = get(page.link("next") or "")
    copied.fault = None
    outage.watch.forget()
    assert following.thread_ids == get(page.link("next") or "").thread_ids
    assert not get("/threads/").all("div", id="outage")


def test_nobody_waits_twice_for_an_upstream_that_is_down(get: Get, copied: Emulator) -> None:
    copied.fault = Fault.ERROR_503
    get("/threads/")
    copied.calls.clear()
    get("/threads/?limit=5")
    assert not copied.calls


def test_the_live_page_comes_back_by_itself(get: Get, agent: Client, copied: Emulator) -> None:
    copied.fault = Fault.ERROR_503
    get("/threads/")
    assert Kept.objects.exists()
    assert agent.get("/live/").status_code == 204
    copied.fault = None
    assert agent.get("/live/")["HX-Refresh"] == "true"
    assert not get("/threads/").all("div", id="outage")
    assert not Kept.objects.exists()


def test_a_conversation_is_read_from_the_archive_when_the_api_is_retired(get: Get, copied: Emulator) -> None:
    thread = list(copied.thread_ids())[5]
    copied.fault = Fault.GONE_410
    page = get(f"/threads/{thread}/")
    assert "My zeppelin" in page.said(page.one("ol", class_="items"))
    assert "has not answered since" in page.said()
    assert get("/threads/none/", status=404)


def test_a_thread_that_is_gone_upstream_is_read_from_the_archive(get: Get, copied: Emulator) -> None:
    thread = list(copied.thread_ids())[5]
    copied.delete(thread)
    sync(copied, everything=True)
    assert "OpenAI has not had this thread since" in get(f"/threads/{thread}/").said()
    assert "Gone upstream since" in get("/threads/?q=zeppelin").said()


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


def test_an_archive_that_is_not_whole_says_so(get: Get, copied: Emulator) -> None:
    from threads.archive.models import Progress

    Progress.objects.update(reached_end_at=None)
    assert "The archive is still being copied: 45 threads so far" in get("/threads/?status=active").said()


def test_without_an_archive_there_is_no_such_filter(get: Get, emulator: Emulator) -> None:
    with override_settings(ARCHIVE="off"):
        assert "switched off" in get("/threads/?status=locked", status=400).said()
        assert get("/threads/").thread_ids


def test_what_nothing_matches_offers_a_way_out(get: Get, copied: Emulator) -> None:
    page = get("/threads/?q=notthere")
    assert "No threads like that" in page.said()
    assert any(link.get("href") == "/threads/" for link in page.all("a"))


def test_neighbours_are_those_of_the_search(agent: Client, copied: Emulator) -> None:
    ids = list(copied.thread_ids())[:3]
    for each in ids:
        copied.add_items(each, [spoken("hippogriff")])
    ArchivedThread.objects.update(due_at=None)
    sync(copied)
    step = agent.get("/step/", {"from": ids[0], "list": "q=hippogriff", "to": "next"})
    assert step["Location"].startswith(f"/threads/{ids[1]}/")
