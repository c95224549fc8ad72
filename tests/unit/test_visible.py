"""Text shown for what it is."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.visible import in_pieces, visible


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
    shown = str(in_pieces(text, 100_000))
    assert ('<span class="piece">' in shown) == (len(text) > 4_000)
    bare = re.sub("<span class=.hidden[^>]*>[^<]*</span>|\ufffd", "\u202e", shown)
    pieces = [html.unescape(each) for each in re.findall('<span class="piece">([^<]*)', bare)]
    assert all(0 < len(each) <= 2_000 for each in pieces)
    assert html.unescape(re.sub("<[^>]*>", "", bare)) == text


def test_a_piece_does_not_end_before_a_mark_of_its_letter() -> None:
    for piece in re.findall(r'<span class="piece">([^<]*)', in_pieces("ae\u0301" * 3_000, 100_000)):
        assert piece[0] in "ae"


def test_a_text_in_pieces_that_is_cut_says_so() -> None:
    assert in_pieces("x" * 9_000, 8_000).endswith("(the first 8,000 of 9,000 characters)</i>")
