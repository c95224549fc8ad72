"""`python -m tests.faults` performs every row of docs/faults.md and prints what was seen. Ends with 1 where anything
was not as expected, or, with CI=true, was left out."""

from __future__ import annotations

import os
import sys
import textwrap
from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.system.faults.table import Row, rows

REQUESTS = "3000"
"""How many are made by chance as each kind of visitor: see test_fuzz.py."""

_WIDTH = 118
_SHOWN = 2


class Results:
    """What pytest tells of each test: how it ended, what was seen, how long it took."""

    def __init__(self) -> None:
        self.ended: dict[str, str] = {}
        self.seen: dict[str, list[str]] = defaultdict(list)
        self.took: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.took[report.nodeid] += report.duration
        if report.when == "call" or report.outcome != "passed":
            if self.ended.get(report.nodeid) != "failed":
                self.ended[report.nodeid] = report.outcome
            if report.outcome == "failed":
                crash = getattr(report.longrepr, "reprcrash", None)
                self.seen[report.nodeid] = [str(crash.message if crash else report.longrepr).strip().splitlines()[0]]
            elif report.outcome == "skipped":
                self.seen[report.nodeid] = [str(report.longrepr[2]) if report.longrepr else "left out"]
        if report.when == "teardown" and self.ended.get(report.nodeid) == "passed":
            self.seen[report.nodeid] += [str(value) for name, value in report.user_properties if name == "seen"]

    def of(self, row: Row) -> tuple[str, str]:
        """ok, FAILED or left out; and what was seen, in words."""
        nodes = [node for node in self.ended if row.covers(node)]
        states = {self.ended[node] for node in nodes}
        if "failed" in states:
            bad = [node for node in nodes if self.ended[node] == "failed"]
            return "FAILED", "; ".join(f"{node.partition('::')[2]}: {self.seen[node][0]}" for node in bad[:_SHOWN])
        if len({node for each in row.tests for node in nodes if node.startswith(each)}) < len(row.tests):
            return "FAILED", "no test ran"
        if "passed" not in states:
            return "left out", "; ".join(sorted({each for node in nodes for each in self.seen[node]}))
        words = list(dict.fromkeys(each for node in nodes if self.ended[node] == "passed" for each in self.seen[node]))
        more = f" … and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
        told = " · ".join(words[:_SHOWN]) + more or "as expected"
        cases = f" ({len(nodes)} cases)" if len(nodes) > 1 else ""
        return "ok", f"{told}{cases}, {sum(self.took[node] for node in nodes):.1f} s"


def report(found: list[Row], results: Results) -> Counter[str]:
    """Prints the rows; returns how many ended how."""
    ends: Counter[str] = Counter()
    for row in found:
        state, seen = results.of(row)
        ends[state] += 1
        print(f"\n{row.number:>4}  {state:<8}  {row.kind}: {row.what}")
        for name, words in (("expected", row.expected), ("seen", seen)):
            print(textwrap.fill(f"{name}: {words}", _WIDTH, initial_indent=" " * 16, subsequent_indent=" " * 18))
    return ends


def main() -> int:
    os.environ.setdefault("FUZZ", REQUESTS)
    os.environ.setdefault("EFFORT", "full")
    found, results = rows(), Results()
    tests = sorted({each.partition("[")[0] for row in found for each in row.tests})
    pytest.main(["-n", "auto", "--timeout=600", "--no-header", "--no-summary", *tests], plugins=[results])
    ends = report(found, results)
    told = ", ".join(f"{count} {state}" for state, count in ends.items())
    print(f"\n{len(found)} faults: {told}.")
    return int(bool(ends["FAILED"] or (os.environ.get("CI") == "true" and ends["left out"])))


if __name__ == "__main__":
    sys.exit(main())
