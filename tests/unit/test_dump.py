"""The upstream's own objects as JSON again."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit.dump import to_json
from threads.chatkit.parse import parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def spelled(value: object) -> object:
    """The value, its impossible numbers as text."""
    if isinstance(value, dict):
        return {name: spelled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [spelled(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


@given(VALUES, st.booleans())
def test_whatever_the_value_it_is_json_that_any_file_can_hold(value: object, compact: bool) -> None:
    text = to_json(value, compact=compact)
    text.encode()
    assert json.loads(text, parse_constant=refuse) == spelled(value)


def test_letters_stay_letters_and_a_lone_surrogate_an_escape() -> None:
    assert to_json({"a": "ü"}) == '{"a": "ü"}'
    assert json.loads(to_json({"a": "\ud800"})) == {"a": "\ud800"}
    assert "\\ud800" in to_json({"a": "\ud800"})


def test_a_number_without_end_is_said() -> None:
    value = parse(b'{"a": ' + b"9" * 5_000 + b"}")
    assert json.loads(to_json(value)) == {"a": "a number without end"}
