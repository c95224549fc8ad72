"""The table of faults, as docs/faults.md has it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "docs" / "faults.md"
KINDS = ("upstream", "user", "infrastructure")

_ROW = re.compile(r"\| (\d+) \| (\w+) \| (.+) \| (.+) \| (.+) \|")


@dataclass(frozen=True, slots=True)
class Row:
    """`tests` are pytest's names, from the root; one without brackets stands for all of its cases."""

    number: int
    kind: str
    what: str
    expected: str
    tests: tuple[str, ...]

    def covers(self, node: str) -> bool:
        return any(node == each or node.startswith(f"{each}[") for each in self.tests)


def rows() -> list[Row]:
    found = [_ROW.fullmatch(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    return [
        Row(int(row[1]), row[2], row[3], row[4], tuple(f"tests/{each}" for each in re.findall("`([^`]+)`", row[5])))
        for row in found
        if row is not None
    ]
