"""The list page, as a signed-in agent gets it."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client

from tests.support.page import Page
from tests.support.reader import Get
from threads.emulator import Emulator


def test_the_newest_threads_come_first(get: Get, emulator: Emulator) -> None:
    page = get("/threads/")
    assert page.thread_ids == list(emulator.thread_ids())[:20]
    assert page.said(page.one("caption")).startswith("20 threads, newest first, created ")
    assert [page.said(cell) for cell in page.all("th", scope="col")] == [
        "Mark",
        "Thread",
        "Status",
        "Customer",
        "Created",
    ]
    assert len(emulator.calls) == 1


def test_the_part_is_what_the_page_includes(get: Get, emulator: Emulator) -> None:
    page, part = get("/threads/?limit=5"), get("/threads/?limit=5", part=True)
    assert part.thread_ids == page.thread_ids
    assert not part.whole
    inside = part.text[part.text.index('<div id="browse"') :].strip()
    assert inside in page.text
    assert part.said(part.one("title")) == page.said(page.one("title"))
    assert "HX-Request" in page.headers["Vary"]


def test_going_back_gets_the_whole_page(get: Get, emulator: Emulator) -> None:
    assert get("/threads/", part=True, **{"HX-History-Restore-Request": "true"}).whole


def test_the_part_tells_the_address_it_stands_at(get: Get, emulator: Emulator) -> None:
    part = get("/threads/?user=&order=desc&limit=20&after=&utm=x", part=True)
    assert part.headers["HX-Push-Url"] == "/threads/"
    part = get("/threads/?limit=5&order=asc&user=", part=True)
    assert part.headers["HX-Push-Url"] == "/threads/?order=asc&limit=5"


def test_trying_again_is_no_new_place(get: Get, emulator: Emulator) -> None:
    here = "http://testserver/threads/?limit=5"
    part = get("/threads/?limit=5&user=", part=True, **{"HX-Current-URL": here})
    assert part.headers["HX-Replace-Url"] == "/threads/?limit=5"
    assert "HX-Push-Url" not in part.headers


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_next_and_previous_are_links(get: Get, emulator: Emulator, order: str) -> None:
    truth = list(emulator.thread_ids(order=order))
    page = get(f"/threads/?limit=20&order={order}")
    assert page.link("prev") is None
    seen = [page.thread_ids]
    while (onward := page.link("next")) is not None:
        page = get(onward)
        seen.append(page.thread_ids)
    assert "End of the list" in page.said()
    assert seen == [truth[:20], truth[20:40], truth[40:]]
    back = [page.thread_ids]
    while (onward := page.link("prev")) is not None:
        page = get(onward)
        back.append(page.thread_ids)
    assert back == seen[::-1]


def test_newer_threads_are_announced_on_the_way_back(get: Get, emulator: Emulator) -> None:
    second = get(get("/threads/").link("next") or "")
    arrived = emulator.arrive(3)[::-1]
    first = get(second.link("prev") or "")
    assert "Newer threads have arrived since you opened the list." in first.said()
    newest = get(first.link("prev") or "")
    assert newest.thread_ids == arrived
    assert "These threads arrived since you opened the list." in newest.said()
    assert newest.link("prev") is None
    assert get(newest.link("next") or "").thread_ids == first.thread_ids


def test_a_status_is_a_word_and_a_shape_with_its_reason_beside_it(get: Get, emulator: Emulator) -> None:
    ids = list(emulator.thread_ids())
    emulator.set_status(ids[0], "locked", "Handed to tier 2")
    emulator.set_status(ids[1], "closed", None)
    emulator.set_status(ids[2], "active", None)
    emulator.set_status(ids[3], "archived", "old")
    page = get("/threads/")
    rows = {row.get("data-thread-id"): row for row in page.all("tr") if row.get("data-thread-id")}
    cells = {each: row.find("td[@class='state']") for each, row in rows.items()}
    assert page.said(cells[ids[0]]) == "Locked Handed to tier 2"
    assert page.said(cells[ids[1]]) == "Closed No reason given"
    assert page.said(cells[ids[2]]) == "Active"
    assert page.said(cells[ids[3]]) == "archived old"
    shapes = [rows[each].get("class") for each in ids[:4]]
    assert shapes == ["locked", "closed", "active", "unknown"]


def test_a_missing_title_is_told_from_an_empty_one(get: Get, emulator: Emulator) -> None:
    ids = list(emulator.thread_ids())
    emulator.set_title(ids[0], None)
    emulator.set_title(ids[1], "  ")
    emulator.set_title(ids[2], "Refund")
    rows = [get("/threads/").said(row) for row in get("/threads/").all("tr")[1:4]]
    assert "No title" in rows[0]
    assert "Empty title" in rows[1]
    assert "Refund" in rows[2]


def test_times_are_exact_and_relative_in_the_readers_zone(get: Get, agent: object, emulator: Emulator) -> None:
    agent.cookies["tz"] = "Asia/Tokyo"  # type: ignore[attr-defined]
    tokyo = get("/threads/?limit=1")
    agent.cookies["tz"] = "nonsense/../zone"  # type: ignore[attr-defined]
    utc = get("/threads/?limit=1")
    assert tokyo.one("time").get("datetime") == utc.one("time").get("datetime")
    assert tokyo.said(tokyo.one("time")) != utc.said(utc.one("time"))
    assert "times in Asia/Tokyo" in tokyo.said()
    assert "times in UTC" in utc.said()
    assert " ago" in (utc.one("time").get("title") or "")


@pytest.mark.parametrize("user", ["user/1 %", "ü&ser=x", "a+b@example.org", 'quo"te', "  edges "])
def test_a_user_in_a_row_leads_to_that_user(get: Get, emulator: Emulator, user: str) -> None:
    arrived = emulator.arrive(2, user=user)[::-1]
    page = get("/threads/?limit=50&order=desc")
    link = page.all("td", class_="user")[0].find("a")
    assert link is not None
    href = link.get("href") or ""
    assert parse_qs(urlsplit(href).query)["user"] == [user]
    filtered = get(href)
    assert filtered.thread_ids == arrived
    assert filtered.one("input", id="user").get("value") == user
    assert filtered.all("td", class_="user")[0].find("a") is None


def test_filters_stay_while_paging(get: Get, emulator: Emulator) -> None:
    emulator.arrive(12, user="heavy")
    page = get("/threads/?user=heavy&limit=5&order=asc")
    following = get(page.link("next") or "")
    assert following.one("input", id="user").get("value") == "heavy"
    assert chosen(following) == ["Oldest", "5"]
    fields = {each.get("name"): each.get("value") for each in following.one("form", id="filters").iter("input")}
    assert (fields["limit"], fields["order"]) == ("5", "asc")


def chosen(page: Page) -> list[str]:
    """What the menu of the order says to be chosen."""
    return [page.said(each) for each in page.one("details", id="sort").iter("a") if each.get("aria-current")]


INVALID = [
    ("limit=-1", "limit", "whole number from 0 to 100"),
    ("limit=101", "limit", "whole number from 0 to 100"),
    ("limit=ten", "limit", "whole number from 0 to 100"),
    ("limit=" + "9" * 5000, "limit", "whole number from 0 to 100"),
    ("order=sideways", "order", "newest first"),
    ("user=" + "x" * 513, "user", "at most 512 characters. This one has 513"),
]


@pytest.mark.parametrize("part", [False, True])
@pytest.mark.parametrize(
    ("query", "field", "words"), INVALID, ids=lambda value: value[:16] if isinstance(value, str) else ""
)
def test_what_is_wrong_is_said_beside_the_field(
    get: Get, emulator: Emulator, query: str, field: str, words: str, part: bool
) -> None:
    page = get(f"/threads/?{query}", status=400, part=part)
    assert words in page.said(page.one("p", id=f"{field}-error"))
    (popover,) = [each for each in page.all("details") if each.get("open") is not None]
    assert page.one("p", id=f"{field}-error") in popover.iter()
    if field == "user":
        wrong = page.one("input", id=field)
        assert (wrong.get("aria-invalid"), wrong.get("aria-describedby")) == ("true", "user-error")
    assert page.thread_ids == list(emulator.thread_ids())[:20], "the list is shown without it"
    assert not page.all("input", form="save-view"), "and is no view to save"


@pytest.mark.parametrize(
    "query", ["after=a&before=b", "after=" + "x" * 513, "before=%00", "after=a%0d%0ab", "since=a%c2%85b"]
)
def test_a_broken_place_is_said_and_the_first_page_offered(get: Get, emulator: Emulator, query: str) -> None:
    page = get(f"/threads/?{query}&limit=5", status=400)
    assert "Some filters aren't valid" in page.said(page.one("div", id="invalid"))
    assert any(link.get("href") == "/threads/?limit=5" for link in page.one("div", id="invalid").iter("a"))
    assert page.thread_ids == list(emulator.thread_ids())[:5]
    assert len(emulator.calls) == 1


def test_what_was_right_in_a_wrong_address_is_kept(get: Get, emulator: Emulator) -> None:
    emulator.arrive(2, user="u")
    page = get("/threads/?limit=50.0&order=asc&user=u&after=a&before=b", status=400)
    assert chosen(page) == ["Oldest", "50"]
    assert page.one("input", id="user").get("value") == "u"
    assert page.thread_ids == list(emulator.thread_ids("asc", "u"))


def test_bytes_that_are_no_text_are_no_error_of_ours(get: Get, emulator: Emulator) -> None:
    assert "No customer" in get("/threads/?user=%ff%fe").said()


def test_a_user_without_threads_is_told_what_to_do(get: Get, emulator: Emulator) -> None:
    page = get("/threads/?user=nobody")
    assert "No customer nobody" in page.said()
    assert page.link("next") is None
    assert not page.all("nav", aria_label="Pages")
    assert any(link.get("href") == "/threads/" for link in page.all("a"))


def test_a_user_with_a_space_at_the_edge_is_searched_to_the_letter_and_offered_without(
    get: Get, emulator: Emulator
) -> None:
    user = "plain"
    emulator.arrive(1, user=user)
    page = get(f"/threads/?user={quote(user + ' ')}")
    assert f"user={user}+" in emulator.calls[0][2] or f"user={user}%20" in emulator.calls[0][2]
    assert any(link.get("href") == f"/threads/?user={user}" for link in page.all("a"))


def test_an_empty_page_on_the_way_offers_the_first(get: Get, emulator: Emulator) -> None:
    last = list(emulator.thread_ids())[-1]
    page = get(f"/threads/?after={last}&limit=10")
    assert "Nothing on this page" in page.said()
    assert any(link.get("href") == "/threads/?limit=10" for link in page.all("a"))


def test_a_cursor_that_is_gone_offers_the_first_page(get: Get, emulator: Emulator) -> None:
    page = get("/threads/?after=cthr_gone", status=404)
    assert "This page of the list is gone" in page.said()
    assert any(link.get("href") == "/threads/" for link in page.all("a"))


def test_an_empty_desk_says_what_will_come(get: Get, emulator: Emulator) -> None:
    for thread_id in list(emulator.thread_ids()):
        emulator.delete(thread_id)
    assert "No threads yet" in get("/threads/").said()


HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe\u2066\u200b{{ 7*7 }}"


def test_what_strangers_wrote_is_text(get: Get, emulator: Emulator) -> None:
    thread_id = emulator.arrive(1, user=HOSTILE)[0]
    emulator.set_title(thread_id, HOSTILE)
    emulator.set_status(thread_id, "closed", HOSTILE)
    page = get("/threads/")
    assert not page.all("img")
    assert page.said().count("<img src=x onerror=alert(1)>U+202Egnp.exeU+2066U+200B{{ 7*7 }}") == 3
    assert "\u202e" not in page.said(page.one("tbody"))


def test_a_browser_keeps_no_copy(get: Get, emulator: Emulator) -> None:
    for part in (False, True):
        page = get("/threads/", part=part)
        assert page.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_only_reading_is_answered(agent: object, emulator: Emulator) -> None:
    for method in ("post", "put", "delete", "patch"):
        assert getattr(agent, method)("/threads/").status_code == 405
    assert not emulator.calls


def test_a_row_is_light(agent: Client, emulator: Emulator) -> None:
    emulator.arrive(60)
    weights = {}
    for limit in (20, 100):
        sent = {"HX-Request": "true", "Accept-Encoding": "gzip"}
        response = agent.get(f"/threads/?limit={limit}", headers=sent)
        assert response["Content-Encoding"] == "gzip"
        weights[limit] = len(response.content)
    assert (weights[100] - weights[20]) / 80 <= 120


@pytest.mark.django_db
def test_queries_and_calls_per_page_do_not_grow(
    get: Get, emulator: Emulator, django_assert_max_num_queries: object
) -> None:
    get("/threads/")  # the session and its user are asked for once in a while
    for limit in (1, 45):
        with django_assert_max_num_queries(0):  # type: ignore[operator]
            get(f"/threads/?limit={limit}")
    assert len(emulator.calls) == 3
