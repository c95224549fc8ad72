"""Single values that nobody can vouch for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit.values import Fields, replace_surrogates

any_text = st.text(st.characters(exclude_categories=()))


@given(any_text)
def test_clean_text_can_be_encoded_and_keeps_all_that_could(text: str) -> None:
    cleaned = replace_surrogates(text)
    cleaned.encode()
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert cleaned == text


def test_clean_replaces_a_lone_surrogate_and_nothing_beside_it() -> None:
    assert replace_surrogates("a\ud800b\udfffc") == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    "value",
    [10**18, -(10**18), 10**400, 1e300, float("nan"), float("inf"), True, "5", [], {}],
    ids=lambda value: repr(value)[:9],
)
def test_what_is_no_time_is_said_to_be_none(value: Any) -> None:
    fields = Fields({"created_at": value})
    assert fields.time("created_at") is None
    assert len(fields.problems) == 1
    assert "created_at" in fields.problems[0]


@given(st.one_of(st.integers(), st.floats()))
def test_any_number_is_a_time_or_a_problem(value: float) -> None:
    fields = Fields({"t": value})
    assert (fields.time("t") is None) == bool(fields.problems)


def test_a_time_is_in_utc() -> None:
    assert Fields({"t": 1_700_000_000}).time("t") == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("reader", ["text", "time", "mapping", "sequence"])
def test_null_and_absent_are_no_problem(reader: str) -> None:
    fields = Fields({"here": None})
    assert not getattr(fields, reader)("here")
    assert not getattr(fields, reader)("gone")
    assert fields.problems == []


@pytest.mark.parametrize("value", [None, "", 5, [], "\ud800"])
def test_what_can_not_stand_in_an_address_is_no_id(value: Any) -> None:
    fields = Fields({"id": value})
    assert fields.identifier("id") is None
    assert len(fields.problems) == 1


@given(st.dictionaries(st.just("f"), st.recursive(st.none() | st.booleans() | st.floats() | any_text, st.lists)))
def test_no_reader_ever_raises(raw: dict[str, object]) -> None:
    for reader in ("text", "identifier", "time", "mapping", "sequence"):
        getattr(Fields(raw), reader)("f")
