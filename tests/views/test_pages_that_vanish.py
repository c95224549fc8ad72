"""What an agent sees where the upstream says that something is not there, or gives more than can be read."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.accounts import account
from tests.support.dying import Dying, run
from tests.support.exporting import body, own_place, rows
from tests.support.page import Page
from tests.support.reader import Get, reader
from tests.support.syncing import spoken
from tests.support.upstream import use_upstream
from threads.archive import deletion_evidence, thread_info
from threads.archive.models import ArchivedItem, ArchivedThread
from threads.audit.models import AuditEvent
from threads.emulator import Fault
from threads.service.circuit_breaker import breaker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CAP = 60_000

__all__ = ["own_place"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Dying:
    """An upstream of 60 threads, which the desk asks; nothing is copied yet."""
    made = Dying(threads=60, seed=7, now=timezone.now().timestamp())
    client = made.client(seconds=10, bytes=CAP)
    settings.CHATKIT_MAX_BYTES = CAP
    use_upstream(monkeypatch, client)
    return made


def items_of(page: Page) -> list[Any]:
    return [each for each in page.all("li") if "item" in str(each.get("class")).split()]


def copy(world: Dying) -> None:
    assert run(world.client(seconds=10, bytes=CAP)) is None
    thread_info.clear_cache()


@pytest.mark.parametrize("fault", [Fault.GONE_404, Fault.GONE_410])
def test_page_two_right_after_the_retirement_comes_from_the_archive(world: Dying, get: Get, fault: Fault) -> None:
    copy(world)
    first = get("/threads/")
    world.fault = fault
    second = get(first.link("next") or "")
    assert second.thread_ids == list(world.thread_ids())[20:40]
    assert "OpenAI no longer offers this" in second.said(second.one("div", id="outage"))
    assert get("/threads/").thread_ids == first.thread_ids


@pytest.mark.parametrize("fault", [Fault.CURSORS_404, Fault.CURSORS_400])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("status", [404, 400])
def test_the_edge_of_a_page_vanishes(world: Dying, get: Get, fault: Fault, order: str, status: int) -> None:
    """Case 17: the next page goes on with the next row."""
    world._api._readings = type(world._api._readings)(gone_cursor_status=status)
    copy(world)
    ids = list(world.thread_ids(order=order))
    first = get(f"/threads/?order={order}")
    for each in ids[17:20]:
        world.delete(each)
    second = get(first.link("next") or "")
    assert second.thread_ids == ids[20:40]
    assert get(second.link("prev") or "").thread_ids == [*ids[:17]][-20:]
    # Where all of them are refused, the archive answers.
    world.fault = fault
    third = get(second.link("next") or "")
    assert third.thread_ids == ids[40:60]
    assert "OpenAI refuses this place in its list, so this is what the archive has" in third.said()
    get(f"/threads/?order={order}&after=cthr_nowhere", status=404)


def test_a_list_of_one_user_goes_on_in_that_list(world: Dying, get: Get) -> None:
    copy(world)
    user = max(world.users(), key=lambda each: len(list(world.thread_ids(user=each))))
    theirs = list(world.thread_ids(user=user))
    assert len(theirs) >= 3
    world.delete(theirs[0])
    page = get(f"/threads/?user={user}&limit=1&after={theirs[0]}")
    assert page.thread_ids == theirs[1:2]


def test_a_thread_that_is_deleted_upstream_is_marked_by_who_reads_it(world: Dying, get: Get) -> None:
    copy(world)
    lost = list(world.thread_ids())[5]
    world.delete(lost)
    assert "Deleted at OpenAI" in get(f"/threads/{lost}/").said()
    assert ArchivedThread.objects.get(thread_id=lost).deleted_upstream_at is not None
    world.calls.clear()
    get(f"/threads/{lost}/")
    assert len(world.calls) <= 3  # it is known


def test_a_thread_whose_id_is_not_found_while_the_list_shows_it(world: Dying, get: Get) -> None:
    copy(world)
    world.fault = Fault.THREADS_404
    page = get(f"/threads/{list(world.thread_ids())[5]}/")
    assert "which is not taken as certain: no other kept thread was found by its id" in page.said()
    assert page.one("ol", class_="items") is not None
    assert not ArchivedThread.objects.exclude(deleted_upstream_at=None).exists()
    get("/threads/cthr_nowhere/", status=404)


def test_a_retired_upstream_is_an_outage_and_no_deletion(world: Dying, get: Get) -> None:
    copy(world)
    world.fault = Fault.GONE_404
    page = get(f"/threads/{list(world.thread_ids())[5]}/")
    assert "OpenAI no longer offers this" in page.said(page.one("div", id="outage"))
    assert not ArchivedThread.objects.exclude(deleted_upstream_at=None).exists()


def test_a_page_that_is_too_large_is_no_outage(world: Dying, agent: Client, get: Get) -> None:
    """Case 03, with a smaller cap: 50 items of a word, then 60 of a seventh of it each."""
    newest = next(world.thread_ids())
    world.set_items(
        newest, [spoken("one"), *(spoken("z") for _ in range(49)), *(spoken("z" * 8_500) for _ in range(60))]
    )
    copy(world)
    arrived = world.arrive(1)
    page = get(f"/threads/{newest}/?from=beginning")
    seen = len(items_of(page))
    assert seen == 50
    for _ in range(30):
        onward = page.link("next")
        if onward is None:
            break
        assert "The end" not in page.said()
        page = get(onward, part=True, **{"HX-Target": "more"})
        seen += len(items_of(page))
    assert seen == 110
    assert "The end: all 110." in page.said()
    assert get("/threads/").thread_ids[0] == arrived[0]
    assert breaker.open_outage() is None
    whole = json.loads(b"".join(agent.post(f"/threads/{newest}/", {"format": "json"})))
    assert (whole["count"], whole["complete"]) == (110, True)


@pytest.mark.parametrize("from_archive", [False, True])
def test_one_item_that_is_too_large_is_named_in_its_place(
    world: Dying, agent: Client, get: Get, from_archive: bool
) -> None:
    newest = next(world.thread_ids())
    items = [spoken(f"said {number}") for number in range(110)]
    items[60] = spoken("m" * 90_000)
    world.set_items(newest, items)
    run(world.client(seconds=10, bytes=CAP))
    thread_info.clear_cache()
    if from_archive:
        world.fault = Fault.GONE_404
    page = get(f"/threads/{newest}/?from=beginning")
    said: list[str] = []
    while True:
        said += [page.said(each) for each in items_of(page)]
        onward = page.link("next")
        if onward is None:
            break
        page = get(onward, part=True, **{"HX-Target": "more"})
    assert len(said) == 110
    assert "too large to be shown: the reply is larger than 60,000 bytes" in said[60]
    assert ["said 59" in said[59], "said 61" in said[61], "said 109" in said[109]] == [True] * 3
    assert "The end: all 110." in page.said()
    whole = json.loads(b"".join(agent.post(f"/threads/{newest}/", {"format": "json"})))
    assert (whole["count"], whole["complete"]) == (109, False)
    assert whole["error"] == "1 item is left out, too large to be read"
    text = b"".join(agent.post(f"/threads/{newest}/", {"format": "md"})).decode()
    assert "This transcript is partial: 109 items, then 1 item is left out" in text
    report = get("/sync/")
    assert "Not complete" in report.said()
    assert "too large to be read" in report.said()


def test_a_conversation_that_is_kept_in_part_does_not_say_that_it_is_all(world: Dying, get: Get) -> None:
    copy(world)
    newest = next(world.thread_ids())
    ArchivedThread.objects.filter(thread_id=newest).update(read_at=None)
    world.fault = Fault.ERROR_500
    said = get(f"/threads/{newest}/").said()
    assert "there is more, which is not here" in said
    assert "The end: all" not in said


def test_searches_and_counts_say_how_many_threads_are_not_read(world: Dying, get: Get, agent: Client) -> None:
    copy(world)
    unread = ArchivedThread.objects.filter(number__in=ArchivedThread.objects.values("number")[:53])
    unread.update(read_at=None, due_at=None)
    thread_info.clear_cache()
    for address in ("/threads/?q=the", "/threads/", "/threads/?status=active"):
        said = get(address).said()
        assert re.search(r"Still syncing messages: (\d+) of (\d+) threads", said), address
        done, of_all = map(int, re.findall(r"Still syncing messages: (\d+) of (\d+) threads", said)[0])
        assert of_all - done == 53
    last = rows(body(agent.post("/exports/list/?q=the", {"format": "csv"})))[-1]
    assert last["id"].startswith("PARTIAL")
    assert "has not read 53 threads to the last item yet" in last["id"]
    assert run(world.client(seconds=10, bytes=CAP)) is None
    thread_info.clear_cache()
    assert "have not been read" not in get("/threads/?q=the").said()


@pytest.fixture
def boss(db: None) -> Client:
    client = Client()
    client.force_login(account("boss", "Administrator"))
    return client


def opened(world: Dying) -> list[str]:
    """The circuit breaker is open: 25 threads were deleted, which is 5 too many."""
    copy(world)
    lost = list(world.thread_ids())[10:35]
    for each in lost:
        world.delete(each)
    ArchivedThread.objects.update(checked_at=timezone.now() - timedelta(hours=30))
    from threads.archive.models import Progress

    Progress.objects.update(started_at=timezone.now() - timedelta(hours=30))
    assert run(world.client(seconds=10, bytes=CAP)) is None
    return lost


def test_an_administrator_sees_which_deletions_are_withheld_and_accepts_them(
    world: Dying, boss: Client, settings: Any
) -> None:
    settings.ARCHIVE_DELETIONS_PER_DAY = 0
    opened(world)
    look = reader(boss)
    page = look("/sync/")
    assert "5 deletions to confirm" in page.said()
    withheld = set(deletion_evidence.withheld().values_list("thread_id", flat=True))
    assert withheld == {page.said(each) for each in page.all("a", class_="id")}
    until = page.one("input", name="until").get("value")
    # What is found after the page was made is not accepted with it.
    late = ArchivedThread.objects.filter(deleted_upstream_at=None, withheld_at=None).first()
    assert late is not None
    ArchivedThread.objects.filter(pk=late.pk).update(withheld_at=timezone.now())
    reply = boss.post("/sync/deletions/", {"until": until}, follow=True)
    assert b"5 threads are marked as deleted at OpenAI" in reply.content
    assert list(deletion_evidence.withheld()) == [late]
    assert ArchivedThread.objects.exclude(deleted_upstream_at=None).count() == 25
    event = AuditEvent.objects.get(detail__deletions="accepted")
    assert event.account == "boss"
    assert set(event.detail["threads"]) == withheld


def test_others_see_it_and_cannot_accept(world: Dying, agent: Client, get: Get, settings: Any) -> None:
    settings.ARCHIVE_DELETIONS_PER_DAY = 0
    opened(world)
    page = get("/sync/")
    assert "An administrator can mark them as deleted here" in page.said()
    assert not page.all("input", name="until")
    assert agent.post("/sync/deletions/", {"until": timezone.now().isoformat()}).status_code == 403
    assert deletion_evidence.withheld().count() == 5


def test_the_report_and_the_metrics_say_so(world: Dying, agent: Client, settings: Any) -> None:
    settings.ARCHIVE_DELETIONS_PER_DAY = 0
    opened(world)
    found = json.loads(agent.get("/sync/report/").content)
    assert found["breaker"]["withheld"] == len(found["withheld"]) == 5
    from dashboard.monitoring import gauges
    from dashboard.monitoring.doctor import CheckStatus, local_checks

    assert gauges.read_state().withheld == 5
    assert local_checks.archive().status is CheckStatus.FAIL


def test_a_user_is_handed_over_with_what_only_the_archive_has(world: Dying, settings: Any) -> None:
    """Withheld threads are on nobody's list, and are the user's all the same."""
    from threads import service
    from threads.sources.query import ThreadQuery

    settings.ARCHIVE_DELETIONS_PER_DAY = 0
    opened(world)
    withheld = deletion_evidence.withheld().first()
    assert withheld is not None
    assert withheld.user
    found = service.list_archive_only(ThreadQuery(user=withheld.user))
    assert withheld.thread_id in {row.id for row in found.window.rows}


def test_an_empty_list_of_a_desk_that_has_threads(world: Dying, get: Get) -> None:
    copy(world)
    world.fault = Fault.EMPTY_LIST
    page = get("/threads/")
    assert page.thread_ids == list(world.thread_ids())[:20]
    assert "OpenAI's list shows none of these threads, so this is what the archive has" in page.said()
    user = ArchivedThread.objects.exclude(user=None).first()
    assert user is not None
    assert get(f"/threads/?user={user.user}").thread_ids


@pytest.mark.parametrize("wrong", ["thread", "items"])
def test_an_answer_about_another_thread_is_shown_and_kept_nowhere(
    world: Dying, get: Get, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    mine, other = list(world.thread_ids())[:2]
    world.set_items(other, [spoken("the secret of another customer")])
    run(world.client(seconds=10, bytes=CAP), with_items=False)
    thread_info.clear_cache()
    handle = Dying.handle

    def mixed(self: Dying, method: str, path: str, query: str, headers: Any) -> Any:
        if wrong == "items" or not path.endswith("/items"):
            path = path.replace(mine, other)
        return handle(self, method, path, query, headers)

    monkeypatch.setattr(Dying, "handle", mixed)
    reply = get(f"/threads/{mine}/")
    assert "the secret of another customer" not in reply.said()
    assert not ArchivedItem.objects.filter(thread__thread_id=mine).exists()


def test_a_time_at_the_edge_of_the_calendar_is_no_time(boss: Client) -> None:
    for until in ("0001-01-01T00:00:00+14:00", "2026-11-25T00:00:00", "soon"):
        assert boss.post("/sync/deletions/", {"until": until}).status_code == 400


@pytest.mark.parametrize("fault", [Fault.GZIP_BOMB, Fault.DEEP_NESTING])
def test_a_list_that_is_too_large_for_one_reader_is_no_outage_for_others(world: Dying, get: Get, fault: Fault) -> None:
    copy(world)
    world.fault = fault
    page = get("/threads/")
    assert page.thread_ids == list(world.thread_ids())[:20]
    assert "OpenAI's answer is too large to be read" in page.said()
    world.fault = None
    arrived = world.arrive(1)
    assert get("/threads/").thread_ids[0] == arrived[0]
    assert breaker.open_outage() is None
