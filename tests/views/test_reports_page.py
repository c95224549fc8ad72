"""The reports, as a signed-in agent gets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import pytest
from django.test import Client

from tests.support.page import Page
from tests.support.reader import Get
from threads.archive.models import Progress
from threads.archive.store import write
from threads.chatkit import Status, Thread
from threads.web.presenters.reports import list_url

pytestmark = pytest.mark.django_db

SVG = "{http://www.w3.org/2000/svg}"
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
"""A Tuesday."""

REASON = "fraud & <check> 100 %"


def keep_some(*rows: tuple[datetime | None, str, str | None, str | None]) -> None:
    """Threads of a time, a status, a reason and a user."""
    made = [
        Thread(id=f"cthr_{number}", created_at=moment, status=Status(status, reason), user=user, raw={})
        for number, (moment, status, reason, user) in enumerate(rows)
    ]
    write.store_threads(made, datetime(2026, 11, 20, tzinfo=UTC))


@pytest.fixture
def kept() -> None:
    keep_some(
        (NOON, "locked", REASON, "ada"),
        (NOON + timedelta(minutes=1), "locked", None, "ada"),
        (NOON + timedelta(hours=13), "active", None, "o'brien & sons"),
        (NOON + timedelta(days=1), "closed", "solved", None),
        (NOON + timedelta(days=2), "snoozed", "later", "ada"),
    )


DAYS = "/reports/?from=2026-11-01&to=2026-11-07"


def links(page: Page) -> list[str]:
    """The addresses of all links of the page, the drawn ones too."""
    return [each.get("href", "") for tag in ("a", f"{SVG}a") for each in page.all(tag)]


def counted(page: Page, **asked: str) -> int:
    """The number that the link to this list has, which is the same wherever it is shown."""
    wanted = {name.strip("_"): [value] for name, value in asked.items()}
    found = []
    for each in page.all("a"):
        where = urlsplit(each.get("href", ""))
        if where.path == "/threads/" and parse_qs(where.query) == wanted:
            found.append(page.said(each))
    numbers = {int("".join(filter(str.isdigit, text.removesuffix("threads").removesuffix("thread")))) for text in found}
    assert len(numbers) == 1, found
    return numbers.pop()


def charts(page: Page) -> list[Element]:
    """The drawings of the page itself, without the icons of its head."""
    return list(page.one("main").iter(f"{SVG}svg"))


def test_every_number_leads_to_the_list_that_it_counts(get: Get, kept: None) -> None:
    page = get(DAYS)
    week = {"from": "2026-11-01", "to": "2026-11-07"}
    assert counted(page, **week) == 5
    assert counted(page, status="locked", **week) == 2
    assert counted(page, status="snoozed", **week) == 1
    assert counted(page, status="locked", **{"from": "2026-11-03", "to": "2026-11-03"}) == 2
    assert counted(page, status="active", **{"from": "2026-11-04", "to": "2026-11-04"}) == 1
    assert counted(page, hour="1-12", **week) == 2
    assert counted(page, hour="2-01", **week) == 1
    assert counted(page, user="ada", **week) == 3


def test_a_reason_and_a_user_are_asked_for_to_the_letter(get: Get, kept: None) -> None:
    queries = [parse_qs(urlsplit(each).query) for each in links(get(DAYS))]
    assert {REASON, "solved", "later"} == {each["reason"][0] for each in queries if "reason" in each}
    assert {"ada", "o'brien & sons"} == {each["user"][0] for each in queries if "user" in each}


def test_every_link_to_a_list_is_one_that_the_list_takes_and_counts(get: Get, agent: Client, kept: None) -> None:
    for url in set(links(get(DAYS))):
        if url.startswith("/threads/?"):
            assert agent.get(url).status_code != 400, url


def test_each_drawn_mark_has_its_words_and_its_link_in_the_table(get: Get, kept: None) -> None:
    page = get(DAYS)
    drawn = page.all(f"{SVG}a")
    assert drawn
    for each in drawn:
        assert each.get("tabindex") == "-1"
        assert each.find(f"{SVG}title") is not None
    assert {each.get("href") for each in drawn} <= {each.get("href") for each in page.all("a")}
    assert all(each.get("aria-hidden") == "true" for each in page.all(f"{SVG}svg"))
    assert "Tuesday, 3 Nov 2026: 2 locked" in page.text
    assert "Tuesdays, 12:00 to 13:00: 2 threads" in page.text


def test_parts_of_an_address_stand_in_one_order_and_are_encoded() -> None:
    begin = end = NOON.date()
    made = list_url(user="a b", status="locked", reason="x&y", hour="0-09", begin=begin, end=end)
    assert made == "/threads/?user=a+b&status=locked&reason=x%26y&hour=0-09&from=2026-11-03&to=2026-11-03"
    assert list_url(begin=begin, end=end) == "/threads/?from=2026-11-03&to=2026-11-03"
    assert list_url(status="") is None
    assert list_url(user=" ") == "/threads/?user=+"
    assert list_url(user="") is None
    assert list_url(user="a\ufffdb") is None
    assert list_url(user="x" * 5000) is None
    assert list_url(reason="x" * 5000) is None
    assert list_url(reason="\ud800") is None


def test_days_are_those_of_the_reader(get: Get, agent: Client, kept: None) -> None:
    assert counted(get(DAYS), status="active", **{"from": "2026-11-04", "to": "2026-11-04"}) == 1
    agent.cookies["tz"] = "America/New_York"
    page = get(DAYS)
    assert counted(page, status="active", **{"from": "2026-11-03", "to": "2026-11-03"}) == 1
    assert counted(page, hour="1-20", **{"from": "2026-11-01", "to": "2026-11-07"}) == 1
    assert "America/New_York" in page.said()


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("from=yesterday&to=2026-11-07", "from", "“yesterday” is not a day"),
        ("from=2026-11-01&to=2026-02-30", "to", "“2026-02-30” is not a day"),
        ("from=2026-11-07&to=2026-11-01", "to", "The last day lies before the first"),
        ("from=%00&to=", "from", "is not a day"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(get: Get, kept: None, query: str, field: str, said: str) -> None:
    page = get(f"/reports/?{query}", status=400)
    assert said in page.said(page.one("p", id=f"{field}-error"))
    assert page.one("input", id=field).get("aria-invalid") == "true"
    assert page.one("input", id=field).get("aria-describedby") == f"{field}-error"
    assert not charts(page)
    assert any("12 months" in page.said(each) for each in page.all("a"))


def test_the_days_that_were_right_stay_in_their_fields(get: Get, kept: None) -> None:
    page = get("/reports/?from=2026-11-07&to=2026-11-01", status=400)
    assert page.one("input", id="from").get("value") == "2026-11-07"
    assert page.one("input", id="to").get("value") == "2026-11-01"


def chosen(page: Page) -> list[str]:
    return [page.said(each) for each in page.all("a") if each.get("aria-current") == "true"]


def test_thirty_days_up_to_today_unless_others_are_asked_for(get: Get, kept: None) -> None:
    page = get("/reports/")
    today = datetime.now(UTC).date()
    assert page.one("input", id="from").get("value") == (today - timedelta(days=29)).isoformat()
    assert page.one("input", id="to").get("value") == today.isoformat()
    assert "30 days" in chosen(page)
    for name in ("7 days", "90 days", "12 months", "All"):
        (link,) = [each for each in page.all("a") if page.said(each) == name]
        assert name in chosen(get(link.get("href", "")))


def test_one_day_alone_is_the_first_or_the_last(get: Get, kept: None) -> None:
    page = get("/reports/?from=&to=2026-11-07")
    assert page.one("input", id="from").get("value") == "2026-10-09"
    assert get("/reports/?from=2001-11-01").one("input", id="to").get("value") == datetime.now(UTC).date().isoformat()
    assert get("/reports/?from=2999-11-01").one("input", id="to").get("value") == "2999-11-01"


@pytest.mark.parametrize(
    "query",
    ["from=0001-01-01&to=9999-12-31", "from=9999-12-31&to=9999-12-31", "to=0001-01-01", "from=9999-12-31"],
)
def test_the_ends_of_the_calendar(get: Get, agent: Client, kept: None, query: str) -> None:
    for zone in ("UTC", "Asia/Kathmandu", "America/New_York"):
        agent.cookies["tz"] = zone
        get(f"/reports/?{query}")


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("from=2026-11-01&to=2026-11-30", "Threads per day"),
        ("from=2026-01-01&to=2026-11-30", "Threads per week"),
        ("from=2020-01-01&to=2026-11-30", "Threads per day"),
    ],
)
def test_a_bar_is_as_long_as_the_range_asks(get: Get, kept: None, query: str, title: str) -> None:
    page = get(f"/reports/?{query}")
    assert page.said(page.one("h2", id="bars")) == title


def test_days_without_threads_say_so(get: Get, kept: None) -> None:
    page = get("/reports/?from=2020-01-01&to=2020-01-31")
    assert "No threads created 1 Jan 2020 to 31 Jan 2020" in page.said()
    assert not charts(page)


def test_threads_without_a_time_are_named(get: Get) -> None:
    keep_some((NOON, "active", None, "ada"), (None, "active", None, "ada"), (None, "locked", None, None))
    assert "Not counted: 2 threads without a time." in get(DAYS).said()


def test_it_is_said_up_to_when_the_archive_is_confirmed(get: Get, kept: None) -> None:
    assert "Not complete: the newest threads are still syncing." in get(DAYS).said()
    when = datetime(2026, 11, 20, 6, 40, tzinfo=UTC)
    Progress.objects.update_or_create(
        pk=1, defaults={"started_at": when, "reached_end_at": when + timedelta(hours=1), "swept_at": when}
    )
    said = get(DAYS).said()
    assert "Complete to 20 Nov 2026, 07:40" in said
    assert "each status checked after 20 Nov 2026, 06:40" in said


def test_an_empty_archive_says_so_and_where_to_go(get: Get) -> None:
    page = get("/reports/")
    assert "No synced threads yet" in page.said()
    assert [each for each in page.all("a") if page.said(each) == "Go to Sync"]
    get("/reports/?from=x", status=400)


def test_what_strangers_wrote_is_shown_and_does_nothing(get: Get) -> None:
    keep_some((NOON, "<b>\u202e", "<script>alert(1)</script>\u202e", "<i>\u200b</i>"))
    page = get(DAYS)
    assert "U+202E" in page.text
    assert not [each for each in page.all("script") if not each.get("src")]
    assert isinstance(page.one("main"), Element)


def test_every_page_leads_to_it(get: Get, kept: None) -> None:
    places = get(DAYS).one("nav", aria_label="Main")
    (link,) = [each for each in places.iter("a") if each.get("href") == "/reports/"]
    assert link.get("aria-current") == "page"
