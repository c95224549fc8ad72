"""Searching, on both databases: every form of a word, and what a search cannot hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.support.searching import ids, say
from tests.support.upstream import NOW
from threads.archive import thread_info
from threads.archive.models import SearchDoc
from threads.archive.report import archive_report
from threads.archive.search import words
from threads.archive.search.source import ArchiveSource
from threads.archive.store import word_index
from threads.emulator import Emulator
from threads.sources.query import ThreadQuery

pytestmark = pytest.mark.django_db

CASES = json.loads((Path(__file__).parents[2] / "support" / "search_forms.json").read_text(encoding="utf-8"))


@pytest.fixture
def world() -> Emulator:
    return Emulator(threads=0, seed=7, now=NOW)


def test_every_form_of_a_word_is_found_and_shown(world: Emulator) -> None:
    threads = say(world, *(stored for stored, _ in CASES))
    for thread, (_, typed) in zip(threads, CASES, strict=True):
        assert thread in ids(ThreadQuery(q=typed, limit=100)), typed
        hit = thread_info.by_id([thread], typed)[thread].hit
        assert hit is not None, typed
        assert hit.marks, typed


def test_two_characters_of_chinese_find_all_that_one_finds(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_EXPANDED", 3)
    threads = say(world, *(f"我需要您的{chr(0x4E00 + 37 * number)}谢谢" for number in range(20)))
    for typed in ("您", "您的", "您的谢", "要您的"):
        window = ArchiveSource().list_threads(ThreadQuery(q=typed, limit=100))
        assert {row.id for row in window.rows} == (set() if typed == "您的谢" else set(threads))
        assert not window.gaps


def test_words_and_parts_are_counted_over_the_whole_search(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_EXPANDED", 10)
    say(world, *(f"aaa{letter}ing bbb{letter}ong" for letter in "abcdefgh"))
    found = words.parse("aaa bbb")
    assert sum(map(len, found.groups)) == 10
    assert [len(group) for group in found.groups] == [5, 5]
    assert found.gaps == found.notes
    assert "“aaa”, “bbb” are part of very many words" in found.gaps[0]
    assert not words.parse("aaa").gaps
    digits = words.parse(".".join(f"{number:03}" for number in range(1000)))
    assert "first 32 of 1,000 words" in digits.gaps[-1]
    assert len(digits.units[0].split()) == 32


def test_a_word_beyond_what_the_database_compares_is_said(world: Emulator) -> None:
    say(world, "x" * 12_000)
    window = ArchiveSource().list_threads(ThreadQuery(q="x" * 12_000))
    assert len(window.rows) == 1
    assert "first 10,000 characters" in window.gaps[0]


def _log(number: int) -> str:
    return " ".join(hashlib.sha256(str(each).encode()).hexdigest()[:16] for each in range(number))


@pytest.mark.slow
def test_a_pasted_log_hides_no_word(world: Emulator) -> None:
    log = _log(30_000)
    (thread,) = say(world, f"{log} please refund my warranty zebrafinch")
    for word in ("please", "refund", "warranty", "zebrafinch", log[:16], log[-16:], max(log.split())):
        assert ids(ThreadQuery(q=word)) == [thread], word
    assert not thread_info.is_cut(thread)


def test_what_has_no_room_is_the_longest_codes_and_is_said(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_index, "MOST", 900)
    (thread,) = say(world, f"{_log(100)} please refund my zebrafinch")
    thread_info.clear_cache()
    assert ids(ThreadQuery(q="please refund zebrafinch")) == [thread]
    assert len(SearchDoc.objects.get().words.encode()) <= 900
    assert thread_info.is_cut(thread)
    assert (archive_report().cut, archive_report().cut_threads) == (1, (thread,))
    lacking = thread_info.search_gaps()
    assert lacking
    assert "1 thread has more words than can be searched" in lacking.unindexed
