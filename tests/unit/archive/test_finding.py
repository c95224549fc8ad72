"""Finding: what the archive answers is what a look at every thread would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.effort import times
from tests.support.mirror import asking
from tests.support.searching import ids, say
from tests.support.syncing import spoken, sync
from tests.support.upstream import NOW
from threads.archive import user_ids
from threads.archive.search import words
from threads.archive.search.source import ArchiveSource
from threads.archive.store import word_index
from threads.archive.store.tokens import folded
from threads.chatkit import ApiConfig, ChatKitClient, NotFound, Thread
from threads.emulator import Emulator, EmulatorAdapter
from threads.sources.live import LiveSource
from threads.sources.query import ItemQuery, ThreadQuery

pytestmark = pytest.mark.django_db

ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Asia/Kolkata"]


@pytest.fixture
def world() -> Emulator:
    return Emulator(threads=90, seed=7, now=NOW)


def walk(query: ThreadQuery, zone: str, onward: str) -> Iterator[list[str]]:
    source = ArchiveSource(ZoneInfo(zone))
    while True:
        window = source.list_threads(query)
        yield [row.id or "" for row in window.rows]
        if onward == "next" and window.has_next:
            query = query.beyond(after=window.last_id)
        elif onward == "previous" and window.has_previous:
            query = query.beyond(before=window.first_id)
        else:
            return


def naive(rows: list[Thread], query: ThreadQuery, zone: str) -> list[str]:
    """Every thread, asked one by one."""

    def fits(row: Thread) -> bool:
        status, reason = (row.status.label, row.status.reason) if row.status else ("", None)
        local = row.created_at.astimezone(ZoneInfo(zone)) if row.created_at else None
        return all(
            [
                query.user is None
                or (
                    row.user == query.user
                    if query.match == "exact"
                    else user_ids.folded_user_id(query.user) in user_ids.folded_user_id(row.user or "")
                ),
                query.status is None or status == query.status,
                query.has_reason is None or bool(reason) == query.has_reason,
                query.reason is None or reason == query.reason,
                query.begin is None or (local and local.date() >= query.begin),
                query.end is None or (local and local.date() <= query.end),
                query.hour is None or (local and query.hour == f"{local.weekday()}-{local.hour:02}"),
                query.q is None or folded(query.q) in folded(row.title or ""),
            ]
        )

    return [row.id or "" for row in rows if fits(row)]


class Rows(list[Thread]):
    """Short to look at where a test fails."""

    def __repr__(self) -> str:
        return f"{len(self)} rows"


@pytest.fixture
def filled(world: Emulator) -> Rows:
    ids_ = list(world.thread_ids())
    for number, each in enumerate(ids_):
        if number % 3 == 0:
            world.set_status(each, "locked", "fraud check" if number % 2 else None)
        if number % 5 == 0:
            world.set_status(each, "closed", "solved")
        world.set_title(each, f"Tïtle {number} {'lamp' if number % 4 else 'desk'}")
        world.set_items(each, [spoken("nothing to see")])
    sync(world)
    client = asking(world)
    rows = Rows(client.list_threads(order="desc", limit=100).rows)
    client.close()
    return rows


days = st.integers(-3, 20).map(lambda back: datetime.fromtimestamp(NOW, UTC).date() - timedelta(days=back))
queries = st.builds(
    ThreadQuery,
    status=st.sampled_from([None, None, "locked", "closed", "active", "unheard of"]),
    has_reason=st.sampled_from([None, None, True, False]),
    reason=st.sampled_from([None, None, None, "solved", "fraud check", "none such"]),
    q=st.sampled_from([None, None, "lamp", "esk", "LÀMP", "title 1", '"title 1"']),
    hour=st.sampled_from([None, None, None, "0-09", "4-14", "6-23"]),
    begin=st.none() | days,
    end=st.none() | days,
    sort=st.just("created"),
    order=st.sampled_from(["asc", "desc"]),
    limit=st.sampled_from([1, 3, 20, 100]),
)


@pytest.mark.slow
@settings(max_examples=times(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(queries, st.sampled_from(ZONES), st.integers(0, 5), st.sampled_from(["exact", "part"]))
def test_every_filter_is_what_a_look_at_each_thread_finds_and_pages_there_and_back(
    filled: Rows, query: ThreadQuery, zone: str, whose: int, match: str
) -> None:
    if whose < 3:
        user = filled[whose].user or ""
        query = replace(query, user=user if match == "exact" else user[1:6].upper(), match="exact")
        query = replace(query, match="part" if match == "part" else "exact")
    expected = naive(filled, replace(query, q=None if query.q is None else query.q.strip('"')), zone)
    if query.q in {"title 1", '"title 1"'}:  # words of one letter are whole words
        titles = {row.id: folded(row.title or "").split() for row in filled}
        expected = [each for each in naive(filled, replace(query, q=None), zone) if any(w == "1" for w in titles[each])]
    expected = expected if query.order == "desc" else expected[::-1]
    forward = list(walk(query, zone, "next"))
    assert [each for page in forward for each in page] == expected
    if expected:
        last = query.beyond(before=expected[-1])
        back = [each for page in list(walk(last, zone, "previous"))[::-1] for each in page]
        assert back == expected[:-1]


FOUND = [
    ("Please REFUND the lamp", "refund", True),
    ("Please refund the lamp", "fund", True),
    ("Please refund the lamp", "amp refu", True),
    ("Please refund the lamp", "refund sofa", False),
    ("Please refund the lamp", '"refund the"', True),
    ("Please refund the lamp", '"the refund"', False),
    ("Crème brûlée à la carte", "creme brulee", True),
    ("creme brulee", "CRÈME", True),
    ("Straße 7", "strasse", True),
    ("我要退款，谢谢", "退款", True),
    ("我要退款，谢谢", "要退款", True),
    ("我要退款，谢谢", "款退", False),
    ("我要退款，谢谢", "退", True),
    ("我要退款，谢谢", "款", True),
    ("ご返金をお願いします", "返金", True),
    ("أُرِيدُ اسْتِرْدَادَ المَال", "استرداد", True),
    ("ขอเงินคืนครับ", "เงินคืน", True),
    ("환불해 주세요", "환불", True),
    ("Thanks 😀", "😀", True),
    ("Thanks 😀", "😢", False),
    ("mail ada.lovelace@example.org now", "ada.lovelace@example.org", True),
    ("mail ada.lovelace@example.org now", "lovelace@example", True),
    ("call order_lookup", "order_lookup", True),
    ("id 7 of 9", "7", True),
    ("id 77 of 9", "7", False),
    ("ﬁrst ＡＢＣ", "first abc", True),
    ("don't", "don't", True),
    ("x" * 200, "x" * 200, True),
]


@pytest.mark.parametrize(("text", "typed", "there"), FOUND)
def test_words_are_found_as_a_person_means_them(world: Emulator, text: str, typed: str, there: bool) -> None:
    for each in world.thread_ids():
        world.set_items(each, [])
    (thread,) = say(world, text)
    world.set_title(thread, None)
    sync(world, everything=True)
    assert (thread in ids(ThreadQuery(q=typed, limit=100))) is there


@pytest.mark.slow
@settings(max_examples=times(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300) | st.sampled_from(['"', "a AND", "NEAR(", "^x", "*", "a'b", "\\", "=s1", "-", '""', "%_"]))
def test_nothing_that_can_be_typed_is_an_error(filled: Rows, typed: str) -> None:
    ArchiveSource().list_threads(ThreadQuery(q=typed))
    ArchiveSource().list_threads(ThreadQuery(user=typed or "x", match="part"))


def test_ten_thousand_characters_are_a_search(filled: Rows) -> None:
    window = ArchiveSource().list_threads(ThreadQuery(q="lamp " + " ".join(f"w{n}" for n in range(2500))))
    assert any("first 32 of 2,501 words" in note for note in window.notes)


def test_a_facet_cannot_be_typed(filled: Rows) -> None:
    assert ids(ThreadQuery(q="=s1")) == []


def test_a_search_that_must_look_at_texts_stops_and_goes_on(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_LOOKED_AT", 10)
    found, *_ = say(world, "green lamp", *["lamp of green"] * 40)
    query = ThreadQuery(q='"green lamp"', limit=5)
    pages = list(walk(query, "UTC", "next"))
    assert [each for page in pages for each in page] == [found]
    assert len(pages) >= 3
    assert any("may be more" in note for note in ArchiveSource().list_threads(query).notes)


def test_more_words_than_are_looked_for_is_said(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_EXPANDED", 3)
    say(world, "prefixa prefixb prefixc prefixd")
    assert any("very many words" in note for note in ArchiveSource().list_threads(ThreadQuery(q="prefix")).notes)


def test_what_changes_is_found_by_what_it_is_now(world: Emulator) -> None:
    (thread,) = say(world, "zanzibar")
    world.set_status(thread, "locked", "quarantine")
    world.set_title(thread, "Umbrella")
    world.add_items(thread, [spoken("kilimanjaro")])
    sync(world, everything=True)
    for typed in ("zanzibar", "quarantine", "umbrella", "kilimanjaro", "umbrella zanzibar"):
        assert ids(ThreadQuery(q=typed, status="locked")) == [thread]
    world.set_title(thread, "Parasol")
    sync(world, everything=True)
    assert ids(ThreadQuery(q="umbrella")) == []
    assert ids(ThreadQuery(q="zanzibar", status="active")) == []


@pytest.mark.slow
@settings(max_examples=times(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(queries, st.sampled_from(ZONES), st.booleans())
def test_counts_by_status_are_what_each_list_has(filled: Rows, query: ThreadQuery, zone: str, whose: bool) -> None:
    query = replace(query, q=None, hour=None, reason=None, limit=100, user=filled[0].user if whose else None)
    counted = ArchiveSource(ZoneInfo(zone)).counts(query)
    assert counted is not None
    for status in ("active", "locked", "closed"):
        assert counted.get(status, 0) == len(ids(replace(query, status=status), zone))


def test_a_conversation_pages_as_the_live_one_does(world: Emulator) -> None:
    (thread,) = world.arrive(1)
    world.set_items(thread, [spoken(f"said {number}") for number in range(130)])
    sync(world)
    source = ArchiveSource()
    assert source.thread(thread).id == thread
    first = source.list_items(thread, ItemQuery(limit=50, from_beginning=True))
    second = source.list_items(thread, ItemQuery(limit=50, after=first.last_id))
    back = source.list_items(thread, ItemQuery(limit=50, before=second.first_id))
    at = source.list_items(thread, ItemQuery(limit=10, at=second.rows[2].id))
    latest = source.list_items(thread, ItemQuery())
    assert (len(first.rows), first.has_previous, first.has_next) == (50, False, True)
    assert back.rows == first.rows
    assert at.rows == second.rows[:10]
    assert not source.list_items(thread, ItemQuery(limit=50, after=second.last_id)).has_next
    assert (latest.rows[-1].id, len(latest.rows)) == (source.list_items(thread, ItemQuery(limit=1)).last_id, 50)
    assert (latest.has_previous, latest.has_next) == (True, False)
    live = LiveSource(ChatKitClient(ApiConfig("sk-test"), adapter=EmulatorAdapter(world)))
    hundred = [row.id or "" for row in (*first.rows, *second.rows)]
    for limit in (1, 4, 50, 100):
        queries = [ItemQuery(limit=limit), ItemQuery(limit=limit, from_beginning=True)]
        for place in (0, 1, 9, 60, 99):
            item = hundred[place]
            queries += [ItemQuery(limit, after=item), ItemQuery(limit, before=item), ItemQuery(limit, at=item)]
        for query in queries:
            kept, asked = source.list_items(thread, query), live.list_items(thread, query)
            assert [row.id for row in kept.rows] == [row.id for row in asked.rows], query
            if kept.rows:
                ends = (kept.first_id, kept.last_id, kept.has_previous, kept.has_next)
                assert ends == (asked.first_id, asked.last_id, asked.has_previous, asked.has_next), query


@pytest.mark.parametrize(
    "ask",
    [
        lambda source: source.thread("none"),
        lambda source: source.list_threads(ThreadQuery(after="none")),
        lambda source: source.list_items("none", ItemQuery()),
    ],
)
def test_what_is_not_kept_is_not_found(ask: Callable[[ArchiveSource], object]) -> None:
    with pytest.raises(NotFound):
        ask(ArchiveSource())


def test_a_conversation_too_long_for_the_index_is_cut_and_marked(
    world: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_index, "MOST", 60)
    (thread,) = say(world, " ".join(f"word{number}" for number in range(50)))
    assert ids(ThreadQuery(q="word0")) == [thread]
    from threads.archive.models import SearchDoc

    assert SearchDoc.objects.get(thread__thread_id=thread).words.startswith(word_index.CUT_MARKER)
