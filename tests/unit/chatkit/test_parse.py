"""Bodies, as bytes."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit.errors import Garbled, TooLarge
from threads.chatkit.parse import MAX_TOKENS, OversizedNumber, first_row_id, parse
from threads.chatkit.values import is_identifier


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html></html>", b"\xff\xfe", b'{"a": }', b'"\xed\xa0\x80"'],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_not_json_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        parse(body)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 40_000], ids=["lists", "objects"])
def test_what_is_nested_too_deep_is_too_large(body: bytes) -> None:
    with pytest.raises(TooLarge, match="too deep"):
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
    assert isinstance(parsed["a"], OversizedNumber)
    assert parsed["b"] == 1


@pytest.mark.parametrize("unit", [b"{},", b"[],", b"1.5,", b'{"a":1},', b'"ab",'])
def test_a_small_body_of_many_parts_is_refused_before_it_costs_memory(unit: bytes) -> None:
    body = b"[" + unit * (MAX_TOKENS + 1) + b"1]"
    tracemalloc.start()
    with pytest.raises(TooLarge, match="too many parts"):
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


TEXTS = st.text(max_size=30)
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.sampled_from(["id", "data"]), inner, max_size=3)
    ),
    max_leaves=8,
)
ROWS = st.dictionaries(TEXTS | st.sampled_from(["text", "data", "content"]), VALUES, max_size=4)


@given(
    before=ROWS, after=ROWS, row_id=st.text(min_size=1, max_size=20), left=st.integers(0, 400), escaped=st.booleans()
)
def test_the_id_of_the_first_row_or_none(
    before: dict[str, object], after: dict[str, object], row_id: str, left: int, escaped: bool
) -> None:
    """Wherever the body was cut, and whatever the row says: its own id, or nothing."""
    for fields in (before, after):
        fields.pop("id", None)
    page = {"object": "list", "data": [before | {"id": row_id} | after, {"id": "another"}], "first_id": "no"}
    body = json.dumps(page, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    found = first_row_id(body[: len(body) - left])
    assert found in {None, row_id}
    if is_identifier(row_id):
        assert first_row_id(body) == row_id


def test_a_text_that_looks_like_a_row_is_none() -> None:
    assert first_row_id(b'{"data":[{"text":"' + rb"\",\"id\":\"fake\",{" * 10_000) is None
    assert first_row_id(b'{"first_id":"x","data":[{"content":[{"id":"inner"}],"id":"outer"') == "outer"
    assert first_row_id(b'{"data":[{"no":1},{"id":"second"}]}') is None
    assert first_row_id(b'{"id":"cthr_1","object":"chatkit.thread"}') is None
