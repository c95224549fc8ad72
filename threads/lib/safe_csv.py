"""Lines of CSV as RFC 4180 has them, that a spreadsheet opens and does not obey."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""What a file begins with, so that a spreadsheet takes it for UTF-8."""

_BLANK = r"[ \x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]*"
_FORMULA = r"[=+\-@'＝＋－＠﹦﹢﹣﹫−]"
_RISKY = re.compile(rf"(^(?=[\t\r\n])|(?:^|[;\t\r\n])(?={_BLANK}{_FORMULA}))")
"""Where a cell begins, and where one would for a spreadsheet that is set to part cells by semicolons or tabs: before
what begins a formula, whatever blanks and invisible characters are between. And before an apostrophe: so whoever takes
away one apostrophe at each of these places has the text again."""


def line(cells: Iterable[object]) -> str:
    """One record, its end included. None is an empty cell. What a spreadsheet would take for a formula gets an
    apostrophe before it; numbers stay numbers."""
    written = io.StringIO()
    csv.writer(written).writerow([_harmless(each) for each in cells])
    return written.getvalue()


def _harmless(cell: object) -> object:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return cell
    # No half of a character, which no file can hold; and NUL, at which some readers stop.
    text = cell.encode("utf-8", "replace").decode().replace("\0", "\N{SYMBOL FOR NULL}")
    return _RISKY.sub(r"\1'", text)
