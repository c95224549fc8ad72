"""A search by best match, as a page and as a file."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.exporting import own_place
from tests.support.page import Page
from tests.support.reader import Get
from tests.support.syncing import spoken, sync
from threads.archive.search import ranking, source
from threads.audit.record import Actor, acting_as
from threads.emulator import Emulator
from threads.exports import list_pages, orders, storage, tasks
from threads.sources.query import ThreadQuery

__all__ = ["own_place"]

pytestmark = pytest.mark.django_db

SAID = ["My zeppelin is red", *["a zeppelinmaker, redder"] * 3, "a zeppelin, red", *["unzeppelinlike, shredded"] * 4]


@pytest.fixture
def copied(emulator: Emulator, agent: Client) -> Emulator:
    for each, text in zip(emulator.thread_ids(), SAID, strict=False):
        emulator.set_items(each, [spoken(text)])
    sync(emulator)
    return emulator


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MOST_RANKED", 3)
    monkeypatch.setattr(source, "MOST_RANKED", 3)


def newest(copied: Emulator) -> list[str]:
    return list(copied.thread_ids())[: len(SAID)]


def ranked(copied: Emulator) -> list[str]:
    ids = newest(copied)
    return [ids[4], ids[0], *ids[1:4], *ids[5:]]


def sort_options(page: Page) -> list[tuple[str, str, bool]]:
    """The orders of the menu: name, address, and whether the list is in it."""
    links = [
        each for each in page.one("details", id="sort").iter("a") if each.get("href") and not page.said(each).isdigit()
    ]
    return [(page.said(each), each.get("href") or "", each.get("aria-current") is not None) for each in links]


def test_a_search_comes_by_best_match_and_the_form_offers_the_other_orders(get: Get, copied: Emulator) -> None:
    page = get("/threads/?q=zeppelin red")
    assert page.thread_ids == ranked(copied)
    address = "/threads/?q=zeppelin+red"
    assert sort_options(page) == [
        ("Best match", address, True),
        ("Newest", f"{address}&sort=created", False),
        ("Oldest", f"{address}&order=asc", False),
        ("Latest activity", f"{address}&sort=latest", False),
    ]
    assert "best match first" in page.said()
    by_creation = get("/threads/?q=zeppelin red&order=desc")
    assert by_creation.thread_ids == newest(copied)
    assert [each for each, _, chosen in sort_options(by_creation) if chosen] == ["Newest"]
    assert "newest first" in by_creation.said()
    oldest = get("/threads/?q=zeppelin red&order=asc")
    assert oldest.thread_ids == newest(copied)[::-1]


def test_words_typed_into_the_plain_list_come_by_best_match(get: Get, copied: Emulator) -> None:
    """The form of the plain list sends no order."""
    plain = get("/threads/")
    assert [each for each, _, chosen in sort_options(plain) if chosen] == ["Newest"]
    assert not plain.all("input", name="order")
    assert get("/threads/?find=zeppelin+red&limit=20", part=True).thread_ids == ranked(copied)


def test_best_match_pages_there_and_back(get: Get, copied: Emulator) -> None:
    page = get("/threads/?q=zeppelin red&limit=4")
    assert "Best matches" in page.said()
    pages = [page.thread_ids]
    while address := page.link("next"):
        assert "since=" not in address
        page = get(address)
        pages.append(page.thread_ids)
    assert pages == [ranked(copied)[:4], ranked(copied)[4:8], ranked(copied)[8:]]
    back = [page.thread_ids]
    while address := page.link("prev"):
        page = get(address)
        back.append(page.thread_ids)
    assert back == pages[::-1]


def test_a_ranking_that_is_not_all_says_so(get: Get, copied: Emulator, limited: None) -> None:
    page = get("/threads/?q=zeppelin red")
    assert page.thread_ids == ranked(copied)[:3]
    assert "Best match of the newest 3 threads that match" in page.said()
    assert "sort by newest or oldest to see all" in page.said()
    assert "Best match of" not in get("/threads/?q=zeppelin red&order=desc").said()


def test_best_match_without_words_is_an_error_beside_the_form(get: Get, copied: Emulator) -> None:
    page = get("/threads/?sort=best", status=400)
    assert "Best match needs words to search for" in page.said(page.one("p", id="sort-error"))


def test_quotation_marks_are_named_where_they_help(get: Get, copied: Emulator) -> None:
    hint = "Quotes find an exact phrase."
    page = get("/threads/?q=zeppelin red")
    assert page.said(page.one("span", class_="muted hint")) == hint
    for address in ("/threads/", "/threads/?q=zeppelin", "/threads/?q=%22zeppelin red%22", "/threads/?status=locked"):
        assert hint not in get(address).said()


def test_neighbours_are_those_of_the_ranking(agent: Client, copied: Emulator) -> None:
    ids = ranked(copied)
    for thread, to, neighbour in [(ids[0], "next", ids[1]), (ids[1], "previous", ids[0]), (ids[4], "next", ids[5])]:
        step = agent.get("/step/", {"from": thread, "list": "q=zeppelin red", "to": to})
        assert step["Location"].startswith(f"/threads/{neighbour}/")
    for thread, to in [(ids[0], "previous"), (ids[-1], "next"), (list(copied.thread_ids())[-1], "next")]:
        step = agent.get("/step/", {"from": thread, "list": "q=zeppelin red", "to": to})
        assert step["Location"].startswith(f"/threads/{thread}/")
        assert f"end={to}" in step["Location"]


@pytest.mark.parametrize("sort", [None, "best", "created"])
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_file_of_a_search_has_all_threads_by_creation(
    copied: Emulator, limited: None, monkeypatch: pytest.MonkeyPatch, sort: str | None, order: str
) -> None:
    """Its pages go on from a stored cursor, so a ranking would lose rows or double them."""
    monkeypatch.setattr(list_pages, "MAX_LIMIT", 2)
    user = User.objects.get(username="agent")
    with acting_as(Actor("agent", str(user.pk), "", "")):
        query = ThreadQuery(q="zeppelin red", sort=sort, order=order)  # type: ignore[arg-type]
        export = orders.order_list("jsonl", query, ZoneInfo("UTC"))
    tasks.work()
    export.refresh_from_db()
    lines = [json.loads(line) for line in storage.path(export.pk).read_text(encoding="utf-8").splitlines()]
    assert (export.outcome, export.done) == ("whole", len(SAID))
    assert [line["id"] for line in lines] == (newest(copied) if order == "desc" else newest(copied)[::-1])
