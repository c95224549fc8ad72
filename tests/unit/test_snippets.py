"""The text around a match: a part of what was said, with the whole match marked, wherever it is."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.archive.search.snippets import Sought, marks, snippet
from threads.lib.folding import folded
from threads.rendering.markdown import plain_text

REFUNDS = [
    "please [refund] my order",
    "[refund] please",
    "[Refund]: where is it?",
    "My [refund]",
    "x [refund]",
    "Could you tell me when the [refund] for the lamp comes",
    "a [re\u00adfund] or a [re\u0301f\u200bund\u0301]",
]


def marked(text: str, *units: str) -> str:
    """The snippet, its matches between brackets."""
    found = snippet(text, Sought([folded(each) for each in units]))
    assert found is not None
    shown, places, *_ = found
    for begin, end in reversed(places):
        shown = f"{shown[:begin]}[{shown[begin:end]}]{shown[end:]}"
    return shown


@pytest.mark.parametrize("right", REFUNDS)
def test_no_letter_is_lost(right: str) -> None:
    assert marked(right.replace("[", "").replace("]", ""), "refund") == right


fillers = st.lists(
    st.sampled_from(["a", "é", "e\u0301", " ", " ", ". ", "\n", "我", "한", "👍🏽", "\u200d", "ß", "„"]), max_size=200
).map("".join)
needles = st.sampled_from(
    ["refund", "Rückerstattung", "Ru\u0308ckerstattung", "order-4711-B", "返金", "👍", "x" * 500, "re \n fund", "ŁÓDŹ"]
)


@given(fillers, fillers, needles, st.sampled_from([0, 0, 1, 7, 350]))
def test_a_snippet_is_a_part_of_the_text_and_marks_the_whole_match(
    before: str, after: str, needle: str, times: int
) -> None:
    text = f"{before * times}{before} {needle} {after}{after * times}"
    found = snippet(text, Sought([folded(needle)]))
    assert found is not None
    shown, places, *_ = found
    bare = shown.removeprefix("… ").removesuffix(" …")
    assert bare in text
    begin, end = places[0]
    assert folded(shown[begin:end]).startswith(folded(needle))
    for start, stop in places:
        assert folded(needle) in folded(shown[start:stop])
        assert stop == len(shown) or not unicodedata.combining(shown[stop])
    assert len(bare) < len(needle) + 1_000


@pytest.mark.parametrize("typed", ["rückerstattung", "order-4711-B", "plainneedle"])
@pytest.mark.parametrize("length", [0, 3_990, 19_990, 27_000])
def test_in_a_long_message(typed: str, length: int) -> None:
    text = ("Weit hinten, für die Wortberge. " * 1000)[:length] + f" meine {typed.capitalize()} fehlt"
    assert f"[{typed.capitalize()}] fehlt" in marked(text, typed)


def test_a_short_word_is_no_part_of_another_at_a_cut() -> None:
    text = "no" * 2_500 + " is no"
    assert marked(text, "no").endswith("is [no]")


def test_markdown_shows_as_words() -> None:
    text = "Total: **€451.99** for `lamp`\n\n* one\n* [two](https://x.example/three)\n\n```\ncode_x\n```"
    assert plain_text(text) == "Total: €451.99 for lamp\none\ntwo\ncode_x"
    assert "[451.99]" in marked(plain_text(text), "451.99")
    assert plain_text("*" * 30_000) == "*" * 30_000


def test_every_form_of_a_word_is_marked() -> None:
    cases = Path(__file__).parents[1] / "support" / "search_forms.json"
    for stored, typed in json.loads(cases.read_text(encoding="utf-8")):
        for unit in folded(typed).split():
            assert marks(stored, Sought([unit])), typed
