"""CSV after RFC 4180, with protection against formula injection in spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Byte order mark for the start of a file: spreadsheets then read it as UTF-8."""

_BLANK = r"[ \x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]*"
_FORMULA = r"[=+\-@'＝＋－＠﹦﹢﹣﹫−]"
_RISKY = re.compile(rf"(^(?=[\t\r\n])|(?:^|[;\t\r\n])(?={_BLANK}{_FORMULA}))")
"""Start of a formula at the start of a cell, also of a cell that a spreadsheet set to split at semicolons or tabs would
see, with any blanks and invisible characters before it. An apostrophe counts too, so that removing one apostrophe at
each of these places restores the text."""


def csv_line(cells: Iterable[object]) -> str:
    """One record with its line end. None becomes an empty cell. Text that a spreadsheet would run as a formula gets an
    apostrophe in front; numbers stay numbers."""
    output = io.StringIO()
    csv.writer(output).writerow([_escaped(cell) for cell in cells])
    return output.getvalue()


def _escaped(cell: object) -> object:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return cell
    # Lone surrogates can't be encoded; some readers stop at a NUL.
    text = cell.encode("utf-8", "replace").decode().replace("\0", "\N{SYMBOL FOR NULL}")
    return _RISKY.sub(r"\1'", text)
