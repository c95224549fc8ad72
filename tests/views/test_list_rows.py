"""A row of the list: the reason in its column, what was said last, notes, and the columns that one switches on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
from django.test import Client, override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.support.page import Page
from tests.support.reader import Get
from tests.support.syncing import spoken, sync
from threads.archive import thread_info
from threads.archive.models import ArchivedThread
from threads.emulator import Emulator
from threads.sources.query import ThreadQuery
from threads.web.presenters import thread_list, thread_rows
from threads.web.views import thread_list as view

_NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def _row(page: Page, thread_id: str) -> Element:
    return page.one("tr", data_thread_id=thread_id)


def _cell(page: Page, thread_id: str, name: str) -> Element:
    (cell,) = (each for each in _row(page, thread_id).iter("td") if each.get("class") == name)
    return cell


def test_a_long_reason_is_whole_in_the_page_and_unfolds_without_a_script(get: Get, emulator: Emulator) -> None:
    ids = list(emulator.thread_ids())
    long = "Chargeback opened by the bank; " * 20 + "the end"
    for thread, reason in zip(ids, ["Fraud", long, "two\nlines", "x" * 30, None], strict=False):
        emulator.set_status(thread, "locked", reason)
    page = get("/threads/")
    folds = [_cell(page, each, "state").find("details/summary") for each in ids[:5]]
    assert [fold is not None and fold.get("aria-label") for fold in folds] == [
        False,
        "Whole reason",
        "Whole reason",
        "Whole reason",
        False,
    ]
    assert long in page.said(_cell(page, ids[1], "state"))
    assert page.said(_cell(page, ids[4], "state")) == "Locked No reason given"


@pytest.mark.parametrize("reason", ["i" * 41, "ÄÖÜ" * 7, "MMMMMMMM", "界" * 8])
def test_wide_letters_take_more_room(reason: str) -> None:
    row = thread_rows.ThreadRow(
        id=None,
        url=None,
        title=None,
        shape="locked",
        status="Locked",
        reason=reason,
        user=None,
        user_url=None,
        created=None,
        created_iso=None,
        ago=None,
        problems=(),
    )
    assert row.fold
    assert not replace(row, reason="Fraud desk").fold


def test_every_part_of_the_table_has_its_role(get: Get, emulator: Emulator) -> None:
    """Browsers derive roles from `display`, which the table does not have."""
    page = get("/threads/")
    roles = {
        "table": "table",
        "thead": "rowgroup",
        "tbody": "rowgroup",
        "tr": "row",
        "td": "cell",
        "th": "columnheader",
    }
    for tag, role in roles.items():
        assert {each.get("role") for each in page.all(tag)} == {role}
    heads = len(page.all("th"))
    assert all(len(list(row)) == heads for row in page.all("tr"))


def test_without_an_archive_created_is_the_time_of_a_row(get: Get, emulator: Emulator) -> None:
    page = get("/threads/")
    assert "stored" not in (page.one("table").get("class") or "")
    assert "Last message" not in page.said(page.one("thead"))
    sync(emulator)
    thread_info.clear_cache()
    page = get("/threads/")
    assert "stored" in (page.one("table").get("class") or "")
    assert [page.said(each) for each in page.all("th")][-3:] == ["Messages", "Last message", "Created"]
    time = page.all("td", class_="when")[0].find("time")
    assert time is not None
    assert ", " in (time.get("title") or ""), "the exact time"


def test_the_last_message_follows_the_title_with_its_author(
    get: Get, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = list(emulator.thread_ids())
    emulator.set_title(ids[0], "Refund")
    emulator.set_title(ids[1], None)
    emulator.set_items(ids[1], [spoken("Hello there")])
    sync(emulator)
    made = thread_rows.archive_columns

    def with_last(*args: object, **options: object) -> thread_rows.ArchiveColumns:
        last = {"Refund": "<b>Thanks</b>"}.get(args[0].title, "Hello there")  # type: ignore[attr-defined]
        return replace(made(*args, **options), last=last, last_by="Customer")  # type: ignore[arg-type]

    monkeypatch.setattr(thread_rows, "archive_columns", with_last)
    page = get("/threads/")
    assert page.said(_cell(page, ids[0], "thread")) == "Refund Customer: <b>Thanks</b>"
    assert page.said(_cell(page, ids[1], "thread")) == "Hello there", "the title says it already"


def test_a_match_is_in_sight_at_the_beginning_of_its_snippet(get: Get, emulator: Emulator) -> None:
    thread = next(emulator.thread_ids())
    emulator.set_items(thread, [spoken("I have been waiting for such a long time now that my zeppelin has rusted")])
    sync(emulator)
    page = get("/threads/?q=zeppelin")
    assert page.said(page.one("p", class_="said hit")) == "… time now that my zeppelin has rusted"


@given(st.text(st.sampled_from("ab é\n…"), min_size=1, max_size=80), st.data())
def test_a_snippet_keeps_its_matches(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    shown, ((first, last),) = thread_rows._from_match(text, [(begin, end)])
    assert shown[first:last] == text[begin:end]
    assert shown[last:] == text[end:]
    assert first <= thread_rows._LEAD + 2


@pytest.mark.parametrize(("hours", "overdue"), [(1, False), (47, False), (49, True)])
def test_a_row_that_was_not_checked_as_promised_says_so(
    get: Get, emulator: Emulator, hours: int, overdue: bool
) -> None:
    sync(emulator)
    ArchivedThread.objects.update(checked_at=timezone.now() - timedelta(hours=hours))
    page = get("/threads/?status=active")
    assert ("Last checked 2 days ago" in page.said(page.one("tbody"))) == overdue
    assert "Last checked" not in get("/threads/").said(), "live rows are as of now"


def test_columns_are_switched_on_without_a_script(get: Get, agent: Client, emulator: Emulator) -> None:
    sync(emulator)
    first = next(emulator.thread_ids())
    page = get("/threads/?limit=5")
    assert first not in page.said(), "no ids in a row"
    assert not page.all("button", data_copy="")
    boxes = page.all("input", name="column")
    assert [each.get("value") for each in boxes] == ["id", "checked"]
    assert {each.get("form") for each in boxes} == {page.one("form", action="/columns/").get("id")}
    sent = {"column": ["id", "checked", "nonsense"], "list": page.one("input", name="list").get("value")}
    answer = agent.post("/columns/", sent)
    assert (answer.status_code, answer["Location"]) == (303, "/threads/?limit=5")
    page = get("/threads/?limit=5")
    assert [page.said(each) for each in page.all("th")][-2:] == ["Checked", "Thread id"]
    assert page.said(_cell(page, first, "id")) == first
    assert page.said(_cell(page, first, "checked")) == "just now"
    assert all("checked" in each.attrib for each in page.all("input", name="column"))
    ArchivedThread.objects.update(checked_at=timezone.now() - timedelta(hours=2))
    page = get("/threads/?status=active")
    assert {page.said(each) for each in page.all("td", class_="checked")} == {"2 h ago"}
    agent.post("/columns/", {"list": "status=%00&nonsense=1"})
    assert not get("/threads/?limit=5").all("td", class_="id")


@pytest.mark.parametrize("cookie", ["", "nonsense", "id.id.", "x" * 4000, "checked.<b>"])
def test_a_cookie_that_nobody_set_does_no_harm(get: Get, agent: Client, emulator: Emulator, cookie: str) -> None:
    agent.cookies["columns"] = cookie
    heads = {page_head.get("class") for page_head in get("/threads/?limit=1").all("th")}
    assert heads & {"id", "checked"} <= set(cookie.split("."))


def test_the_strip_of_one_customer(get: Get, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    user = emulator.users()[0]
    assert not get("/threads/").all("div", class_="strip")
    query = ThreadQuery(user=user)
    made = thread_list.customer(query, {"locked": 19, "active": 1240, "on hold": 1, "closed": 0}, _NOW, UTC)
    assert [(each.count, each.word, each.shape) for each in made.counts] == [
        (1240, "active", "active"),
        (19, "locked", "locked"),
        (1, "on hold", "unknown"),
    ]
    monkeypatch.setattr(view, "_NOTHING", view._NOTHING | {"customer": made})
    page = get(f"/threads/?user={user}")
    strip = page.one("div", class_="strip")
    assert page.said(strip).startswith(f"{user} 1,240 active 19 locked 1 on hold First seen Thursday, 26 Nov 2026")
    links = [each.get("href") or "" for each in strip.iter("a")]
    assert links[1] == f"/threads/?user={user}&status=locked"


def test_without_a_total_the_rows_are_counted_from_the_first(get: Get, emulator: Emulator) -> None:
    page = get("/threads/?limit=20")
    assert page.said(page.one("div", class_="foot")).startswith("1–20 Newest threads ")


def test_nothing_red_and_no_box_for_who_may_only_read(get: Get, emulator: Emulator) -> None:
    page = get("/threads/")
    assert not page.all("input", class_="pick")
    assert not page.all("div", class_="bulk")
    assert "danger" not in page.text


@override_settings(ARCHIVE="off")
def test_no_archive_no_empty_columns(get: Get, emulator: Emulator) -> None:
    assert "Messages" not in get("/threads/").said(get("/threads/").one("thead"))
