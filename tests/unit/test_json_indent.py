"""Indented JSON says what the JSON said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.rendering.json_indent import indented

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_it_is_the_same_value_as_python_would_indent_it(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    shown = indented(text)
    assert shown is not None
    assert json.loads(shown) == value
    if not ascii_only:
        assert shown == json.dumps(value, ensure_ascii=False, indent=2)


def test_nothing_is_lost_that_decoding_would_lose() -> None:
    assert indented('{"a":1.50,"a":12345678901234567890123}') == '{\n  "a": 1.50,\n  "a": 12345678901234567890123\n}'


def test_escaped_letters_become_letters() -> None:
    assert indented('"\\u4f60\\ud800"') == '"你\ufffd"'


@pytest.mark.parametrize("text", ["", "order 7", "{", "{'a': 1}", "[1,]", "nul", "[" * 100_000, "NaN1"])
def test_what_is_not_json_is_left_to_be_shown_as_text(text: str) -> None:
    assert indented(text) is None


def test_depth_does_not_square_it() -> None:
    deep = "[" * 900 + "]" * 900
    assert len(indented(deep) or "") < 60_000


@given(st.text(alphabet='[]{},:"\\ a1\n'))
def test_whatever_is_written_it_is_answered(text: str) -> None:
    assert isinstance(indented(text), str | None)
