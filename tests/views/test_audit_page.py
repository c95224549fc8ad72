"""The audit log as an auditor reads it: found, turned over, and taken along."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.accounts import account
from tests.support.page import Page
from threads.audit import query as find
from threads.audit.models import AuditEvent
from threads.audit.query import AuditQuery
from threads.audit.record import Action

_NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def auditor(db: None) -> Client:
    client = Client()
    client.force_login(account("augusta", "Auditor"))
    return client


def _ask(client: Client, address: str, status: int = 200, headers: dict[str, str] | None = None) -> Page:
    response = client.get(address, headers=headers)
    assert response.status_code == status, response.content[:2000]
    return Page(response.content.decode(), response.headers)


def _numbers(page: Page) -> list[int]:
    return [int(row.get("data-event", "")) for row in page.all("tr") if row.get("data-event")]


@pytest.fixture
def events(db: None) -> list[AuditEvent]:
    """A hundred and twenty, a minute apart, every third pair at the same moment; newest last."""
    made = [
        AuditEvent(
            at=_NOON + timedelta(minutes=number - number % 3),
            action=["read", "search", "delete"][number % 3],
            outcome="refused" if number % 10 == 0 else "done",
            account=f"agent{number % 4}",
            account_id=str(number % 4),
            address=f"192.0.2.{number % 5}",
            thread_id=f"thr_{number % 6}" if number % 2 else "",
            user_id=f"cus_{number % 7}" if number % 7 else "",
            detail={"list": "q=refund&status=locked", "threads": number},
            request_id=f"request-{number}",
        )
        for number in range(120)
    ]
    AuditEvent.objects.bulk_create(made)
    return list(AuditEvent.objects.filter(at__gte=_NOON, at__lt=_NOON + timedelta(hours=3)).order_by("at", "id"))


_DAY = "from=2026-09-01&to=2026-09-01"


@pytest.mark.slow
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_next_and_previous_are_exact(auditor: Client, events: list[AuditEvent], order: str) -> None:
    truth = [each.pk for each in events][:: -1 if order == "desc" else 1]
    page = _ask(auditor, f"/audit/?{_DAY}&limit=50&order={order}")
    assert page.link("prev") is None
    seen = [_numbers(page)]
    while (onward := page.link("next")) is not None:
        page = _ask(auditor, onward)
        seen.append(_numbers(page))
    assert "Last page" in page.said()
    assert seen == [truth[:50], truth[50:100], truth[100:]]
    back = [_numbers(page)]
    while (onward := page.link("prev")) is not None:
        page = _ask(auditor, onward)
        back.append(_numbers(page))
    assert back == seen[::-1]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("account", "agent3", "account"), ("action", "delete", "action"), ("outcome", "refused", "outcome"),
        ("thread", "thr_5", "thread_id"), ("customer", "cus_4", "user_id"), ("address", "192.0.2.3", "address"),
        ("request_id", "request-77", "request_id"),
    ],
)  # fmt: skip
def test_each_filter_finds_its_rows_alone(
    auditor: Client, events: list[AuditEvent], name: str, value: str, field: str
) -> None:
    wanted = [each.pk for each in reversed(events) if getattr(each, field) == value]
    assert wanted
    page = _ask(auditor, f"/audit/?{_DAY}&limit=200&{name}={value}")
    assert _numbers(page) == wanted
    kept = page.one("select" if name in {"action", "outcome"} else "input", id=name)
    if kept.tag == "input":
        assert kept.get("value") == value
    else:
        assert [each.get("value") for each in kept if "selected" in each.keys()] == [value]  # noqa: SIM118
    if name != "account":
        both = [each.pk for each in reversed(events) if getattr(each, field) == value and each.account == "agent1"]
        assert _numbers(_ask(auditor, f"/audit/?{_DAY}&limit=200&account=agent1&{name}={value}")) == both


def test_days_are_those_of_the_reader(auditor: Client, db: None) -> None:
    AuditEvent.objects.create(
        at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC), action="read", outcome="done", account="late"
    )
    assert len(_numbers(_ask(auditor, "/audit/?from=2026-03-01&to=2026-03-01"))) == 1
    auditor.cookies["tz"] = "Asia/Tokyo"
    assert not _numbers(_ask(auditor, "/audit/?from=2026-03-01&to=2026-03-01"))
    page = _ask(auditor, "/audit/?from=2026-03-02&to=2026-03-02")
    assert len(_numbers(page)) == 1
    assert "Monday, 2 Mar 2026 08:30:00" in page.said()
    assert "times in Asia/Tokyo" in page.said()


@pytest.mark.parametrize(
    ("address", "field", "words"),
    [
        ("from=yesterday", "from", "A day is written as in"), ("from=2026-09-02&to=2026-09-01", "to", "lies before"),
        ("action=fly", "action", "Event is one of"), ("outcome=x", "outcome", "Result is one of"),
        ("limit=0", "limit", "from 1 to 200"), ("order=x", "order", "asc (oldest first)"),
        (f"account={'a' * 151}", "account", "at most 150"), ("customer=a%00b", "customer", "NUL"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_the_field(auditor: Client, address: str, field: str, words: str) -> None:
    page = _ask(auditor, f"/audit/?{address}", 400)
    marked = [each for tag in ("input", "select") for each in page.all(tag, id=field)]
    assert [each.get("aria-invalid") for each in marked] == ["true"]
    assert words in page.said(page.one("p", id=f"{field}-error"))
    response = auditor.post(f"/audit/file/?{address}")
    assert response.status_code == 400
    assert Page(response.content.decode(), response.headers).one("p", id=f"{field}-error") is not None


@pytest.mark.parametrize("place", ["after=1&before=2", "after=x", "before=0", "after=99999999999", f"after={2**70}"])
def test_a_place_that_is_none_leads_back_to_the_start(auditor: Client, place: str) -> None:
    page = _ask(auditor, f"/audit/?{place}", 400)
    said = page.said(page.one("div", id="summary"))
    assert "Start from the first page" in said
    assert "marked above" not in said


def test_the_part_is_what_the_page_includes(auditor: Client, events: list[AuditEvent]) -> None:
    address = f"/audit/?{_DAY}&limit=20"
    page, part = _ask(auditor, address), _ask(auditor, address, headers={"HX-Request": "true"})
    assert not part.whole
    assert _numbers(part) == _numbers(page)
    assert part.headers["HX-Push-Url"] == "/audit/?from=2026-09-01&to=2026-09-01&limit=20"
    assert "HX-Request" in page.headers["Vary"]
    assert page.headers["Cache-Control"] == "no-store"
    assert _ask(auditor, address, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}).whole


def test_a_row_says_who_what_and_about_whom_in_plain_words(auditor: Client, db: None) -> None:
    AuditEvent.objects.create(
        at=_NOON, action="search", outcome="done", account="ada", account_id="1", address="192.0.2.1",
        user_id="cus/1&2", thread_id="thr_1", request_id="r-1", upstream_request_id="up-1",
        detail={"list": "user=cus%2F1%262&q=refund+please", "threads": 3, "from": "archive", "odd": {"a": [1]}},
    )  # fmt: skip
    page = _ask(auditor, f"/audit/?{_DAY}")
    said = page.said(page.one("tbody"))
    for words in (
        "Tuesday, 1 Sep 2026 12:00:00", "ada", "192.0.2.1", "Searched threads of a customer", "Customer cus/1&2",
        "Thread thr_1", "Wordsrefund please", "Threads shown3", 'Odd{"a": [1]}', "Request idr-1",
        "OpenAI request idup-1",
    ):  # fmt: skip
        assert words in said
    assert [each.get("href") for each in page.all("a") if page.said(each) == "cus/1&2"] == [
        f"/audit/?customer={quote('cus/1&2', safe='')}"
    ]
    # An auditor without another role reads the audit log, and no conversation.
    assert not [each for each in page.all("a") if page.said(each) == "Open"]


@pytest.mark.parametrize(
    ("action", "detail", "words"),
    [
        ("roles", {"role": "Controllers", "change": "deleted"}, "Deleted the role Controllers"),
        ("roles", {"role": "Controllers", "change": "given", "rights": ["read"]}, "what the role Controllers may do"),
        ("audit", {"receipt": "1-2"}, "Downloaded the receipt of an erasure"),
        ("audit", {"download": "who=ada"}, "Downloaded the audit log"),
    ],
)
def test_what_was_done_is_said(auditor: Client, db: None, action: str, detail: dict[str, str], words: str) -> None:
    AuditEvent.objects.create(at=_NOON, action=action, outcome="done", account="ada", detail=detail)
    page = _ask(auditor, f"/audit/?{_DAY}")
    assert words in page.said(page.one("tbody"))


@pytest.fixture
def erased(db: None) -> tuple[AuditEvent, AuditEvent]:
    """The start and, three seconds later, the result of a deletion; another event between them."""
    about = {"action": "delete", "account": "ada", "thread_id": "thr_1", "detail": {"erasure": "e-1"}}
    start = AuditEvent.objects.create(at=_NOON, outcome="intent", request_id="r-1", **about)
    AuditEvent.objects.create(at=_NOON + timedelta(seconds=1), action="read", outcome="done", account="grace")
    end = AuditEvent.objects.create(at=_NOON + timedelta(seconds=3), outcome="done", request_id="r-2", **about)
    return start, end


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_the_start_and_the_result_of_an_act_are_one_row(
    auditor: Client, erased: tuple[AuditEvent, AuditEvent], order: str
) -> None:
    start, end = erased
    page = _ask(auditor, f"/audit/?{_DAY}&order={order}")
    assert len(_numbers(page)) == 2
    row = page.one("tr", data_event=str(end.pk))
    assert [each.get("datetime") for each in row.iter("time")] == [start.at.isoformat(), end.at.isoformat()]
    assert "12:00:00–12:00:03" in page.said(row)
    assert "Request idr-1" in page.said(row)
    assert "Request idr-2" in page.said(row)
    assert not page.said(list(row)[-1]), "what was done needs no word"
    assert "3 events" in page.said(page.one("caption"))
    _, rows = _file(auditor, f"/audit/file/?{_DAY}&action=delete")
    assert [row[7] for row in rows[1:]] == ["done", "intent"]


def test_a_start_on_another_page_than_its_result_stands_alone(
    auditor: Client, erased: tuple[AuditEvent, AuditEvent]
) -> None:
    start, end = erased
    for address in (f"/audit/?{_DAY}&limit=2", f"/audit/?{_DAY}&outcome=done&action=delete"):
        assert end.pk in _numbers(_ask(auditor, address))
        assert start.pk not in _numbers(_ask(auditor, address))
    for address in (f"/audit/?{_DAY}&limit=2&after={end.pk}", f"/audit/?{_DAY}&outcome=intent"):
        page = _ask(auditor, address)
        assert start.pk in _numbers(page)
        assert "Started" in page.said(page.one("tr", data_event=str(start.pk)))


def test_an_act_that_ends_on_another_day_says_which(auditor: Client, db: None) -> None:
    late = datetime(2026, 9, 1, 23, 59, 59, tzinfo=UTC)
    for at, outcome in ((late, "intent"), (late + timedelta(seconds=2), "failed")):
        AuditEvent.objects.create(at=at, action="export", outcome=outcome, account="ada", detail={"export": "x"})
    page = _ask(auditor, "/audit/?from=2026-09-01&to=2026-09-02")
    assert "Tuesday, 1 Sep 2026 23:59:59–2 Sep 2026, 00:00:01" in page.said(page.one("tbody"))
    assert "Failed" in page.said(page.one("tbody"))


def test_days_are_headings(auditor: Client, db: None) -> None:
    for day in (1, 2, 4):
        AuditEvent.objects.create(at=_NOON + timedelta(days=day), action="read", outcome="done", account="ada")
    page = _ask(auditor, "/audit/?from=2026-09-01&to=2026-09-08")
    heads = [page.said(each) for each in page.all("th", scope="rowgroup")]
    assert heads == ["Saturday, 5 Sep 2026", "Thursday, 3 Sep 2026", "Wednesday, 2 Sep 2026"]


def test_events_of_earlier_versions_say_the_same(auditor: Client, db: None) -> None:
    AuditEvent.objects.create(at=_NOON, action="audit", outcome="done", account="ada", detail={"trail": "who=grace"})
    assert "Accountgrace" in _ask(auditor, f"/audit/?{_DAY}").said()


def test_who_may_read_is_led_to_the_conversation(client: Client, db: None) -> None:
    client.force_login(account("both", "Auditor", "Viewer"))
    AuditEvent.objects.create(at=_NOON, action="read", outcome="done", account="ada", thread_id="thr/1")
    page = _ask(client, f"/audit/?{_DAY}")
    assert [each.get("href") for each in page.all("a") if page.said(each) == "Open"] == ["/threads/thr%2F1/"]


def test_what_strangers_wrote_is_shown_and_does_nothing(auditor: Client, db: None) -> None:
    bad = '<script>alert(1)</script>"\u202e'
    AuditEvent.objects.create(
        at=_NOON,
        action=bad[:40],
        outcome="<b>",
        account=bad,
        address="<i>",
        thread_id=bad,
        user_id=bad,
        detail={bad: bad},
    )
    AuditEvent.objects.create(at=_NOON, action="search", outcome="done", account="x", detail=["no mapping"])
    page = _ask(auditor, f"/audit/?{_DAY}")
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    assert "no mapping" in page.said()


def test_an_empty_audit_log_says_so(auditor: Client) -> None:
    page = _ask(auditor, "/audit/?account=nobody")
    assert "No events match" in page.said()
    assert page.one("a", id="clear").get("href") == "/audit/"


def test_looking_at_the_audit_log_stands_in_it(auditor: Client) -> None:
    _ask(auditor, "/audit/?account=ada")
    row = AuditEvent.objects.get(action=Action.AUDIT)
    assert (row.account, row.detail) == ("augusta", {"log": "account=ada", "events": 0})


def test_who_is_no_auditor_is_refused(agent: Client) -> None:
    for address in ("/audit/", "/audit/file/"):
        assert agent.get(address).status_code == 403
        assert agent.post(address).status_code == 403
    assert not AuditEvent.objects.filter(action=Action.AUDIT).exists()


def _file(client: Client, address: str) -> tuple[bytes, list[list[str]]]:
    response = client.post(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="audit-log-')
    sent = b"".join(response)
    return sent, list(csv.reader(io.StringIO(sent.decode("utf-8-sig"), newline=""), strict=True))


def test_the_file_has_all_that_is_found(auditor: Client, events: list[AuditEvent]) -> None:
    sent, rows = _file(auditor, f"/audit/file/?{_DAY}&action=delete&limit=1&after={events[3].pk}")
    assert sent.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in sent
    assert [int(row[0]) for row in rows[1:]] == [each.pk for each in reversed(events) if each.action == "delete"]
    assert rows[0][:3] == ["number", "time", "account"]
    assert rows[1][1] == "2026-09-01T13:57:00.000+00:00"
    told = AuditEvent.objects.filter(action=Action.AUDIT).order_by("id").values_list("outcome", "detail")
    assert [(outcome, detail.get("rows")) for outcome, detail in told] == [("intent", None), ("done", 40)]
    assert AuditEvent.objects.filter(action=Action.AUDIT, account="augusta", address="127.0.0.1").count() == 2


def test_a_spreadsheet_obeys_nobody(auditor: Client, db: None) -> None:
    for bad in ("=cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", "\t=1", " =1", '"x",\r\ny'):
        AuditEvent.objects.create(at=_NOON, action="read", outcome="done", account=bad)
    _, rows = _file(auditor, f"/audit/file/?{_DAY}&order=asc")
    assert [row[2] for row in rows[1:6]] == ["'=cmd|'/c calc'!A1", "'+1", "'-1", "'@SUM(1)", "'\t'=1"]
    assert rows[7][2] == '"x",\r\ny'
    assert {len(row) for row in rows} == {13}


def test_the_file_is_read_in_pieces(auditor: Client, events: list[AuditEvent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "_CHUNK", 7)
    for order in ("asc", "desc"):
        _, rows = _file(auditor, f"/audit/file/?{_DAY}&order={order}")
        assert [int(row[0]) for row in rows[1:]] == [each.pk for each in events][:: -1 if order == "desc" else 1]


def test_what_is_recorded_meanwhile_is_not_waited_for(
    events: list[AuditEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "_CHUNK", 7)
    query, seen = AuditQuery(action="read", order="asc"), []
    for event in find.all_events(query):
        seen.append(event.pk)
        AuditEvent.objects.create(action="read", outcome="done", account="on and on")
        assert len(seen) <= len(events)
    assert seen == [each.pk for each in events if each.action == "read"]


def test_a_file_that_stops_half_way_says_so(
    auditor: Client, events: list[AuditEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> Iterator[AuditEvent]:
        yield events[0]
        raise DatabaseError("gone")

    monkeypatch.setattr("threads.web.views.audit.all_events", broken)
    _, rows = _file(auditor, "/audit/file/")
    assert rows[-1] == ["This file is partial: the audit log could not be read beyond these 1 rows."]
    last = AuditEvent.objects.latest("id")
    assert (last.outcome, last.detail["rows"]) == ("partial", 1)


def test_the_audit_log_is_not_taken_along_unseen(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_values: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(AuditEvent.objects, "create", full)
    response = auditor.post("/audit/file/")
    assert response.status_code == 503
    assert "could not be recorded, so there is none" in response.content.decode()
    # The page goes on: who looks into it needs to, just then.
    assert _ask(auditor, "/audit/").whole


def test_an_address_alone_downloads_nothing(auditor: Client) -> None:
    page = _ask(auditor, "/audit/file/?account=ada", 405)
    assert "press Export CSV there" in page.said()
    assert auditor.head("/audit/file/").status_code == 405
    assert not AuditEvent.objects.filter(action=Action.AUDIT).exists()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (AuditQuery(), "audit_at"), (AuditQuery(account="a"), "audit_by_who"),
        (AuditQuery(action="a"), "audit_by_action"), (AuditQuery(outcome="a"), "audit_by_outcome"),
        (AuditQuery(address="a"), "audit_by_address"),
        (AuditQuery(thread_id="a"), "audit_by_thread"), (AuditQuery(user_id="a"), "audit_by_customer"),
        (AuditQuery(request_id="a"), "audit_by_request_id"),
    ],
)  # fmt: skip
def test_each_filter_has_an_index_in_the_order_of_the_page(db: None, query: AuditQuery, index: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        find.page(query)
    sql = asked.captured_queries[-1]["sql"]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}")
        plan = "\n".join(str(row) for row in cursor.fetchall())
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
