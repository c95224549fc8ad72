"""Bodies, as bytes."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit.errors import Garbled
from threads.chatkit.parse import MAX_TOKENS, Oversized, parse


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html></html>", b"\xff\xfe", b'{"a": }', b"[" * 200_000, b'{"a":' * 40_000, b'"\xed\xa0\x80"'],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_not_json_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        parse(body)


@given(st.binary())
def test_any_bytes_parse_or_are_garbled(body: bytes) -> None:
    try:
        parse(body)
    except Garbled:
        pass


def test_a_number_too_long_for_python_costs_itself_alone() -> None:
    parsed = parse(b'{"a": ' + b"9" * 5000 + b', "b": 1}')
    assert isinstance(parsed, dict)
    assert isinstance(parsed["a"], Oversized)
    assert parsed["b"] == 1


@pytest.mark.parametrize("unit", [b"{},", b"[],", b"1.5,", b'{"a":1},', b'"ab",'])
def test_a_small_body_of_many_parts_is_refused_before_it_costs_memory(unit: bytes) -> None:
    body = b"[" + unit * (MAX_TOKENS + 1) + b"1]"
    tracemalloc.start()
    with pytest.raises(Garbled, match="too many parts"):
        parse(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_what_stands_inside_of_a_text_is_no_part() -> None:
    output = rb"[1,2,{\"a\":[3,4]},\\" * 60_000
    parsed = parse(b'{"output":"' + output + b'"}')
    assert isinstance(parsed, dict)
    assert sum(map(parsed["output"].count, ",{[")) > MAX_TOKENS


def test_a_page_of_the_largest_kind_is_not_refused() -> None:
    row = b'{"id":"cti_x","type":"chatkit.widget","widget":"' + rb"{\"type\":\"Card\",\"children\":[{}]}" * 300 + b'"}'
    assert parse(b"[" + b",".join([row] * 100) + b"]")
