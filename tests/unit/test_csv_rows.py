"""CSV: as RFC 4180 has it, and with nothing in it that a spreadsheet would obey."""

from __future__ import annotations

import csv
import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.lib.safe_csv import csv_line

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.text(
    st.sampled_from("=+-@＝＋－＠'\"; ,\t\r\n\u200b\ufeff\u00a0a")
)
_ENDS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2060-\u206f\ufeff]*")


def read(text: str) -> list[str]:
    (cells,) = csv.reader(io.StringIO(text, newline=""), strict=True)
    return cells


def restored(cell: str) -> str:
    """What stood there, as the module's own words say how to have it back."""
    return re.sub(r"(^|[;\t\r\n])'", r"\1", cell)


@given(st.lists(_TEXTS, min_size=1))
def test_what_is_written_can_be_read_to_the_letter(cells: list[str]) -> None:
    written = csv_line(cells)
    assert written.endswith("\r\n")
    assert [restored(each) for each in read(written)] == cells or cells == [""]


@given(_TEXTS)
def test_no_cell_begins_a_formula(text: str) -> None:
    """Also none of those that a spreadsheet finds in it that parts cells by semicolons, tabs or lines."""
    (cell,) = read(csv_line([text])) or [""]
    assert not cell.startswith(("\t", "\r", "\n"))
    for piece in re.split(r"[;\t\r\n]", cell):
        assert not _ENDS.sub("", piece, count=1).startswith(tuple("=+-@＝＋－＠"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"), ("  @x", "'  @x"), ("＝1", "'＝1"), ("\ufeff-2", "'\ufeff-2"), ("'quoted", "''quoted"),
        ("a;=1", "a;'=1"), ("a-b", "a-b"), ("it's", "it's"), ("\ttab", "'\ttab"), ("a\0b", "a␀b"),
    ],
)  # fmt: skip
def test_defused(text: str, written: str) -> None:
    assert read(csv_line([text])) == [written]


def test_numbers_and_nothing() -> None:
    assert csv_line([None, -5, "x"]) == ",-5,x\r\n"


@pytest.mark.parametrize("part", ["\n", ";", "; ", " ", "\r\n\t", "\u200b"])
def test_a_long_hostile_cell_takes_no_time(part: str) -> None:
    began = time.process_time()
    csv_line([part * (1_000_000 // len(part)) + "x"])
    assert time.process_time() - began < 2
