"""What is the same word, whoever typed it and how: one folding for index, query, users, marks and the browser."""

from __future__ import annotations

import sys
import time
import unicodedata
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.archive.store.tokens import LONGEST_WORD, terms, words
from threads.lib import folding, folding_js
from threads.lib.folding import fold_with_origins, folded, spaced, split_boundary

FORMS: list[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ["NFC", "NFD", "NFKC", "NFKD"]
TRICKY = [*"aZ1 .ßıİŁøœþÅσς", "e\u0301", "\u0301", "\u0345", "\u00ad", "\u200b", "\u200c", "\u200d", "\ufe0f", "\u0640",
          *"ᾳŉﬁ½①٤۷", *"ㅋㅏ한각가", "\u1100", "\u1161", "\u11a8", *"カﾌﾟガ", "\u3099", *"我要", *"👍🏽❤☎🇩🇪",
          "\u093c", "\u094d", "क", *"کكیي\u0649", "\u05be", "א", "\u05b8", "\0", "\ud800"]  # fmt: skip
texts = st.lists(st.sampled_from(TRICKY) | st.characters(), max_size=12).map("".join)


@given(texts)
def test_all_forms_of_a_text_fold_alike_and_once_is_enough(text: str) -> None:
    made = folded(text)
    assert folded(made) == made
    for form in FORMS:
        assert folded(unicodedata.normalize(form, text)) == made
    # As Unicode defines it: on composed letters, folding case may put marks out of their order.
    assert folded(unicodedata.normalize("NFD", text).casefold()) == made


def test_a_syllable_is_one_character() -> None:
    assert folded(unicodedata.normalize("NFD", "계약")) == "계약"
    assert "가" not in folded("각")
    assert folded("ｶﾞ") == "ガ" != folded("カ")


@given(texts)
def test_capital_and_small_letters_fold_alike(text: str) -> None:
    if text.upper().casefold() == text.lower().casefold():
        assert folded(text.upper()) == folded(text.lower())


@given(texts, st.integers(0, 20), st.integers(1, 5))
def test_places_are_whole_characters_of_what_was_folded(text: str, begin: int, length: int) -> None:
    plain, origins = fold_with_origins(text)
    assert plain.strip() == folded(text)
    assert len(plain) == len(origins)
    assert all(before <= after for before, after in pairwise(origins))
    part = plain[begin : begin + length].strip()
    if not part:
        return
    begin = plain.index(part, begin)
    span = text[origins[begin][0] : origins[begin + len(part) - 1][1]]
    assert part in folded(span)
    assert not folding._CONTINUES[span[0]] or origins[begin][0] == 0
    after = text[origins[begin + len(part) - 1][1] :]
    assert not after or not folding._CONTINUES[after[0]]


@given(texts, st.integers(1, 12))
def test_a_text_can_be_cut_at_a_boundary(text: str, place: int) -> None:
    cut = split_boundary(text, min(place, len(text))) if text else 0
    assert spaced(text[:cut]) + spaced(text[cut:]) == spaced(text)


def _seconds(text: str) -> float:
    begun = time.thread_time()
    folded(text)
    fold_with_origins(text)
    return time.thread_time() - begun


@pytest.mark.parametrize("hostile", ["\u0316\u0301", "\u094d\u093c", "ﷺ", "한\u200d", "👍🏽\u200d"])
def test_doubling_a_hostile_text_does_no_more_than_double_the_time(hostile: str) -> None:
    _seconds(hostile * 1000)
    small = min(_seconds("a" + hostile * 5_000) for _ in range(2))
    # Quadratic would be a hundred times as long.
    assert _seconds("a" + hostile * 50_000) < 40 * max(small, 0.001)


@given(st.text("ab", min_size=1, max_size=200), st.integers(0, 200), st.integers(1, 100))
def test_every_part_of_a_word_is_found_in_the_words_of_the_index(word: str, begin: int, length: int) -> None:
    indexed = set(words(word))
    assert all(0 < len(each) <= LONGEST_WORD for each in indexed)
    for term in terms(word[begin : begin + length]) if word[begin:] else ():
        assert (any(term.word in each for each in indexed)) if term.part else True


@given(st.text("我要退款", min_size=1, max_size=9), st.integers(0, 9), st.integers(1, 9))
def test_a_run_of_chinese_needs_no_parts_of_words(run: str, begin: int, length: int) -> None:
    asked = terms(run[begin : begin + length]) if run[begin:] else []
    assert not any(term.part for term in asked)
    assert {term.word for term in asked} <= set(words(run))


def test_the_browser_has_the_same_rules() -> None:
    written = folding_js.FILE.read_text(encoding="utf-8")
    if sys.version_info[:2] == (3, 11):  # which fixes the version of Unicode
        assert written == folding_js.script(), "run: python -m threads.lib.folding_js"
