"""Text shown for what it is."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.rendering.escape import in_blocks, visible


def test_markup_is_text() -> None:
    assert visible("<b>&'\"") == "&lt;b&gt;&amp;&#39;&#34;"


@pytest.mark.parametrize(
    "character", "\u202e\u2066\u200b\u200f\u00ad\ufeff\x00\x1b\x85\u2028\U000e0041\ufdd0\ufffe\U0010ffff"
)
def test_what_hides_is_named(character: str) -> None:
    shown = visible(f"a{character}b")
    assert character not in shown
    assert f"U+{ord(character):04X}" in shown


@pytest.mark.parametrize("text", ["👩\u200d👩\u200d👧", "می\u200cخواهم", "שלום", "line\nline\ttab", "ñ\u0303"])
def test_what_people_write_is_left_alone(text: str) -> None:
    assert visible(text) == text


def test_a_text_without_end_is_cut_and_says_so() -> None:
    shown = visible("x" * 9_000_000)
    assert len(shown) < 6_000
    assert "the first 5,000 of 9,000,000 characters" in shown


def test_a_text_of_hidden_characters_does_not_grow_without_end() -> None:
    shown = visible("\u200b\u200c" * 1_000_000)
    assert len(shown) < 20_000
    assert "\u200b" not in shown


@given(st.text())
def test_nothing_is_lost_and_nothing_runs(text: str) -> None:
    shown = str(visible(text))
    plain = re.sub(
        r'<span class="hidden-character" title="[^"<>]*">U\+([0-9A-F]{4,6})</span>', lambda m: chr(int(m[1], 16)), shown
    )
    assert "<" not in plain.replace(html.escape(text), "")
    assert html.unescape(plain.replace("\x00", "")) == html.unescape(html.escape(text).replace("\x00", ""))


PARTS = ["a" * 900, "b\n", "c d", " ", "\n\n", "e\u0301" * 700, "\u202e", "<", "ش" * 1100]


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_a_long_text_in_pieces_is_the_same_text(text: str) -> None:
    shown = str(in_blocks(text, 100_000))
    assert ('<span class="piece">' in shown) == (len(text) > 4_000)
    odd = text.count("\u0301") + text.count("ش") > 100 or "a" * 200 in text
    bare = re.sub("<span class=.hidden[^>]*>[^<]*</span>|\ufffd", "\u202e", shown)
    pieces = [html.unescape(each) for each in re.findall('<span class="piece">([^<]*)', bare)]
    assert all(0 < len(each) <= 6_000 or not odd for each in pieces)
    assert html.unescape(re.sub("<[^>]*>", "", bare)) == text


def pieces_of(text: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'<span class="piece">([^<]*)', in_blocks(text, 100_000))]


@pytest.mark.parametrize("one", ["e\u0301", "क\u094dष", "👩\u200d👩\u200d👧", "👍🏽", "กำ", "\u1112\u1161\u11ab"])
@pytest.mark.parametrize("shift", range(4))
def test_a_piece_does_not_end_within_a_character(one: str, shift: int) -> None:
    pieces = pieces_of("a" * shift + one * 10_000)
    assert len(pieces) > 2
    assert all(each.startswith(one) for each in pieces[1:])


@pytest.mark.parametrize(
    "paragraph", ["filler text here. ", "Größe, naïve; Привет “quoted” … ", "an emoji now and then "]
)
def test_no_piece_ends_within_a_line_that_takes_no_time(paragraph: str) -> None:
    line = (paragraph * 4_000)[:80_000] + "👍🏽"
    assert pieces_of(line) == [line]
    assert pieces_of(f"{line[-15_000:]}\n{line[-9_000:]}") == [line[-15_000:], line[-9_000:]]


@pytest.mark.parametrize("letter", "לxก")
def test_a_line_of_some_length_is_one_piece_whatever_it_is(letter: str) -> None:
    lines = [letter * 3_000, letter * 5_500]
    assert pieces_of("\n".join(lines)) == lines
    assert max(map(len, pieces_of(letter * 90_000))) <= 6_000


def test_a_text_in_pieces_that_is_cut_says_so() -> None:
    assert in_blocks("x" * 9_000, 8_000).endswith("(the first 8,000 of 9,000 characters)</i>")
