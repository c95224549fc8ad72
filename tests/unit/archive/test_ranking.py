"""Best match: the same threads as by creation, whole words first, in an order that pages there and back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.effort import times
from tests.support.searching import ids, say
from tests.support.syncing import spoken, sync
from tests.support.upstream import NOW
from threads.archive import statement_timeout, thread_info
from threads.archive.models import ArchivedThread
from threads.archive.search import ranking, source, words
from threads.archive.search.ranking import Ranking
from threads.archive.search.snippets import Sought, marks, snippet
from threads.archive.search.source import ArchiveSource
from threads.archive.statement_timeout import QueryTimeout, limit_statements
from threads.archive.store.tokens import folded
from threads.chatkit import NotFound
from threads.emulator import Emulator
from threads.sources import query_forms
from threads.sources.query import ThreadQuery

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> Emulator:
    return Emulator(threads=0, seed=7, now=NOW)


def best(typed: str, **more: Any) -> list[str]:
    return ids(ThreadQuery(q=typed, sort="best", limit=100, **more))


def by_creation(typed: str, **more: Any) -> list[str]:
    return ids(ThreadQuery(q=typed, sort="created", limit=100, **more))


def fill(world: Emulator, *threads: tuple[str | None, list[str]]) -> list[str]:
    """Creates and syncs threads of a title and messages; returns their ids, oldest first."""
    made = []
    for title, texts in threads:
        (thread,) = world.arrive(1)
        world.set_title(thread, title)
        world.set_items(thread, [spoken(text) for text in texts])
        made.append(thread)
    sync(world)
    return made


BETTER = {
    "whole words before parts of words": (
        "broken tea set",
        (None, ["My tea set came broken"]),
        (None, ["It is set to be unbroken, I would like steam instead"]),
    ),
    "whole words before beginnings of words": ("refund lamp", (None, ["refund lamp"]), (None, ["refunds lamps"])),
    "beginnings of words before parts": ("fund lamp", (None, ["funds for a lamp"]), (None, ["refunds for a lamp"])),
    "all whole words, however far apart, before a part": (
        "lamp sofa",
        (None, ["a lamp", "and later", "a sofa"]),
        ("lamp", ["a lamp on sofas"]),
    ),
    "a phrase before its words": ("red lamp", (None, ["the red lamp"]), (None, ["the lamp is red"])),
    "close words before distant ones": (
        "lamp red",
        (None, ["the red lamp"]),
        (None, [f"red {'and so on ' * 20} lamp"]),
    ),
    "one message before several": ("lamp sofa", (None, ["sofa or lamp"]), (None, ["a lamp", "a sofa"])),
    "a title before a message": ("lamp", ("My lamp", ["hello"]), (None, ["My lamp"])),
    "a phrase in quotation marks as whole words": ('"hen red"', (None, ["so hen red"]), (None, ["so then red"])),
}


@pytest.mark.parametrize("better_is_newer", [False, True])
@pytest.mark.parametrize("case", BETTER)
def test_the_better_match_comes_first(world: Emulator, case: str, better_is_newer: bool) -> None:
    typed, better, worse = BETTER[case]
    made = fill(world, *((worse, better) if better_is_newer else (better, worse)))
    assert best(typed) == (made[::-1] if better_is_newer else made)
    assert by_creation(typed) == made[::-1]


def test_a_common_word_weighs_little(world: Emulator) -> None:
    rare, common, *_ = fill(world, (None, ["zebra mother"]), (None, ["zebras the"]), *[(None, ["the"])] * 30)
    assert best("the zebra") == [rare, common]


def test_of_equal_threads_the_newest_comes_first(world: Emulator) -> None:
    made = say(world, *["a lamp"] * 9)
    assert best("lamp") == made[::-1]


def test_scripts_without_spaces_have_no_parts(world: Emulator) -> None:
    phrase, close, spread = say(world, "我要退款，谢谢您", "谢谢，退款", f"谢谢。{'我要别的。' * 9}也要退款")
    assert best("退款 谢谢") == [phrase, close, spread]


VOCABULARY = "broken tea set steady instead setting the mother unbroken lamp".split()
WORDS = ["broken", "tea", "set", "the", "lamp", "ste", "ing"]


@pytest.fixture
def filled(world: Emulator) -> dict[str, list[str]]:
    """The texts of 70 threads by thread id."""
    chosen = random.Random(5)

    def text() -> str:
        return " ".join(chosen.choices(VOCABULARY, k=chosen.randint(1, 8)))

    threads = [(text(), [text() for _ in range(chosen.randint(0, 4))]) for _ in range(70)]
    made = fill(world, *threads)
    return {thread: [title, *texts] for thread, (title, texts) in zip(made, threads, strict=True)}


def pages(query: ThreadQuery, *, onward: bool) -> Iterator[list[str]]:
    while True:
        window = ArchiveSource().list_threads(query)
        yield [row.id or "" for row in window.rows]
        if not (window.has_next if onward else window.has_previous):
            return
        query = query.beyond(after=window.last_id) if onward else query.beyond(before=window.first_id)


searches = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).flatmap(
    lambda found: st.sampled_from([" ".join(found), f'"{" ".join(found)}"'])
)


@pytest.mark.slow
@settings(max_examples=times(120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(searches, st.sampled_from([1, 3, 20, 100]), st.sampled_from([4, 15, 1000]), st.sampled_from([0, 20, 10_000]))
def test_a_ranking_has_the_threads_of_the_search_and_pages_there_and_back(
    filled: dict[str, list[str]], typed: str, limit: int, ranked: int, read: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "MOST_RANKED", ranked)
        patch.setattr(source, "MOST_RANKED", ranked)
        patch.setattr(ranking, "_MOST_READ", read)
        query = ThreadQuery(q=typed, sort="best", limit=limit)
        found = [each for page in pages(query, onward=True) for each in page]
        expected = by_creation(typed)
        assert len(found) == len(set(found)) == min(ranked, len(expected))
        assert set(found) <= set(expected)
        says_so = any("There are more" in note for note in ArchiveSource().list_threads(query).notes)
        assert says_so is (len(expected) > ranked)
        if found:
            back = list(pages(query.beyond(before=found[-1]), onward=False))[::-1]
            assert [each for page in back for each in page] == found[:-1]
        if typed.startswith('"'):
            return
        whole = [set(typed.split()) <= set(" ".join(filled[each]).split()) for each in found]
        assert whole == sorted(whole, reverse=True)
        assert sum(whole) == min(
            ranked, sum(set(typed.split()) <= set(" ".join(texts).split()) for texts in filled.values())
        )


def test_older_threads_with_whole_words_are_among_the_ranked(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MOST_RANKED", 5)
    monkeypatch.setattr(source, "MOST_RANKED", 5)
    tea, teas, *rest = fill(world, *((None, [each]) for each in ["tea", "teas", *["instead"] * 20]))
    assert best("tea") == [tea, teas, *rest[:-4:-1]]
    (note,) = ArchiveSource().list_threads(ThreadQuery(q="tea")).notes
    assert note.startswith("Best match of the newest 5 threads that match")
    assert by_creation("tea") == [*rest[::-1], teas, tea]


def test_a_rare_phrase_is_looked_for_by_creation(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the search gives up early, its pages lead on to the rest of the threads."""
    monkeypatch.setattr(words, "MOST_LOOKED_AT", 10)
    found, *_ = say(world, "green lamp", *["lamp of green"] * 40)
    query = ThreadQuery(q='"green lamp"', limit=5)
    assert [each for page in pages(query, onward=True) for each in page] == [found]
    window = ArchiveSource().list_threads(query)
    assert not window.ranked
    assert any(note.startswith("Newest first") for note in window.notes)


def test_a_cursor_that_has_left_the_ranking_is_not_found(world: Emulator) -> None:
    one, other = say(world, "a lamp", "a sofa")
    assert ids(ThreadQuery(q="lamp", after=one)) == []
    for cursor in (other, "none"):
        with pytest.raises(NotFound):
            ids(ThreadQuery(q="lamp", after=cursor))


def test_messages_that_take_too_long_to_compare_do_not_count_and_it_is_said(
    world: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = say(world, "red lamp", "lamp red")

    def slow(_: Ranking) -> None:
        raise QueryTimeout("slow")

    monkeypatch.setattr(Ranking, "compare_texts", slow)
    window = ArchiveSource().list_threads(ThreadQuery(q="red lamp"))
    assert [row.id for row in window.rows] == made[::-1]
    assert any("comparing the messages took too long" in note for note in window.notes)


@pytest.mark.database("sqlite")
def test_an_ended_comparison_leaves_the_ranking_as_it_was(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    say(world, "red lamp", "lamp red")
    search = words.parse("red lamp")
    numbers = sorted(ArchivedThread.objects.values_list("number", flat=True), reverse=True)
    made = Ranking(search, ranking.Candidates(numbers))
    before = made.numbers()
    monkeypatch.setattr(statement_timeout, "SQLITE_SECONDS", -1.0)
    monkeypatch.setattr(statement_timeout, "_CHECK_STEPS", 1)
    with pytest.raises(QueryTimeout), limit_statements(), statement_timeout.statement_timeout():
        made.compare_texts()
    assert made.numbers() == before
    made.compare_texts()
    assert made.numbers() == before[::-1]


SORTS = [
    ("q=a", "best", "q=a"),
    ("q=a&sort=best", "best", "q=a"),
    ("q=a&sort=best&order=asc", "best", "q=a"),
    ("q=a&sort=created", "created", "q=a&sort=created"),
    ("q=a&order=desc", "created", "q=a&sort=created"),
    ("q=a&order=asc", "created", "q=a&order=asc"),
    ("q=a&sort=created&order=asc", "created", "q=a&order=asc"),
    ("q=a&sort=latest", "latest", "q=a&sort=latest"),
    ("q=a&order=", "best", "q=a"),
    ("", "created", ""),
    ("sort=created", "created", ""),
    ("order=desc", "created", ""),
    ("order=asc", "created", "order=asc"),
]


@pytest.mark.parametrize(("address", "sort", "canonical"), SORTS)
def test_words_come_by_best_match_unless_another_order_is_named(address: str, sort: str, canonical: str) -> None:
    parameters = dict(each.split("=") for each in address.split("&")) if address else {}
    query, errors = query_forms.parse_thread_query(parameters, masked=False)
    assert query, errors
    assert (query.sorted_by, query.encoded()) == (sort, canonical)


def test_best_match_needs_words() -> None:
    for q in ("", "  "):
        query, errors = query_forms.parse_thread_query({"sort": "best", "q": q}, masked=False)
        assert query is None
        assert list(errors) == ["sort"]
        assert "needs words" in errors["sort"][0]
    assert query_forms.parse_thread_query({"sort": "worst"}, masked=False)[1]["sort"]


@pytest.mark.parametrize(
    ("typed", "could"),
    [
        ("red lamp", True),
        ("red", False),
        ('"red lamp"', False),
        ('red "lamp', False),
        ("red - !", False),
        ("「a」 b", False),
    ],
)
def test_several_words_without_quotation_marks_could_be_a_phrase(typed: str, could: bool) -> None:
    assert words.could_be_phrase(typed) is could


def test_the_sentence_shown_is_the_best_one(world: Emulator) -> None:
    (thread,) = fill(
        world,
        (None, ["It is set, I wrote instead.", "Steam.", f"{'Hello there. ' * 30}My tea set came broken.", "set"]),
    )
    hit = thread_info.by_id([thread], "broken tea set")[thread].hit
    assert hit is not None
    assert "My tea set came broken." in hit.text
    assert [hit.text[begin:end] for begin, end in hit.marks] == ["tea", "set", "broken"]


MARKED = [
    ("My tea set, instead of steam", ["tea"], (), "My [tea] set, instead of steam"),
    ("teas instead", ["tea"], (), "[tea]s instead"),
    ("instead", ["tea"], (), "ins[tea]d"),
    ("no other, the mother", ["the"], ["the"], "no other, [the] mother"),
    ("no other, mother", ["the", "mother"], ["the"], "no other, [mother]"),
    ("no other mother", ["the"], ["the"], "no other mother"),
    ("the refund", ["the refund"], ["the"], "[the refund]"),
    ("我要退款 退款", ["退款"], (), "我要[退款] [退款]"),
]


@pytest.mark.parametrize(("text", "units", "common", "marked"), MARKED)
def test_whole_words_are_marked_before_parts(text: str, units: list[str], common: list[str], marked: str) -> None:
    for begin, end in reversed(marks(text, Sought([folded(each) for each in units], common=common))):
        text = f"{text[:begin]}[{text[begin:end]}]{text[end:]}"
    assert text == marked


def test_a_snippet_of_parts_of_common_words_is_better_than_none() -> None:
    found = snippet("no other mother", Sought(["the"], common=["the"]))
    assert found is not None
    assert len(found.marks) == 2


def test_a_word_that_many_threads_have_is_common(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    say(world, *["the lamp"] * 8, *["a sofa"] * 12, *["zebra"] * 2)
    assert ranking.sought(("the", "zebra")).common == set()
    monkeypatch.setattr(ranking, "_FEW", 10)
    found = ranking.sought(("the", "zebra", "the zebra"))
    assert found.common == {"the"}
    assert found.weights[0] < found.weights[1] < found.weights[2]


def test_the_length_of_a_page_is_that_of_the_query(world: Emulator) -> None:
    say(world, *["a lamp"] * 3)
    query = ThreadQuery(q="lamp")
    assert len(ids(replace(query, limit=0))) == 0
    assert ArchiveSource().list_threads(replace(query, limit=0)).has_next
    assert not ArchiveSource().list_threads(replace(query, limit=3)).has_next
