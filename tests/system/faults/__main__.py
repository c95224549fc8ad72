"""`python -m tests.system.faults`: runs the tests of every row of docs/faults.md and prints the results.

Exits with 1 if a row fails, or, with CI=true, is skipped.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.system.faults.table import Row, rows

REQUESTS = "3000"
"""Random requests per kind of visitor in test_fuzz.py."""

_WIDTH = 118
_MAX_DETAILS = 2


class Results:
    """A pytest plugin that collects outcome, details and duration (seconds) of each test."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        self.details: dict[str, list[str]] = defaultdict(list)
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.when == "call" or report.outcome != "passed":
            if self.outcomes.get(report.nodeid) != "failed":
                self.outcomes[report.nodeid] = report.outcome
            if report.outcome == "failed":
                crash = getattr(report.longrepr, "reprcrash", None)
                self.details[report.nodeid] = [str(crash.message if crash else report.longrepr).strip().splitlines()[0]]
            elif report.outcome == "skipped":
                self.details[report.nodeid] = [str(report.longrepr[2]) if report.longrepr else "left out"]
        if report.when == "teardown" and self.outcomes.get(report.nodeid) == "passed":
            self.details[report.nodeid] += [str(value) for name, value in report.user_properties if name == "seen"]

    def of(self, row: Row) -> tuple[str, str]:
        """The state of a row ("ok", "FAILED" or "left out") and its details."""
        nodes = [node for node in self.outcomes if row.covers(node)]
        states = {self.outcomes[node] for node in nodes}
        if "failed" in states:
            bad = [node for node in nodes if self.outcomes[node] == "failed"]
            return "FAILED", "; ".join(
                f"{node.partition('::')[2]}: {self.details[node][0]}" for node in bad[:_MAX_DETAILS]
            )
        if len({node for each in row.tests for node in nodes if node.startswith(each)}) < len(row.tests):
            return "FAILED", "no test ran"
        if "passed" not in states:
            return "left out", "; ".join(sorted({each for node in nodes for each in self.details[node]}))
        words = list(
            dict.fromkeys(each for node in nodes if self.outcomes[node] == "passed" for each in self.details[node])
        )
        more = f" … and {len(words) - _MAX_DETAILS} more" if len(words) > _MAX_DETAILS else ""
        summary = " · ".join(words[:_MAX_DETAILS]) + more or "as expected"
        cases = f" ({len(nodes)} cases)" if len(nodes) > 1 else ""
        return "ok", f"{summary}{cases}, {sum(self.seconds[node] for node in nodes):.1f} s"


def report(found: list[Row], results: Results) -> Counter[str]:
    """Prints the rows and returns the number of rows per state."""
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
    summary = ", ".join(f"{count} {state}" for state, count in ends.items())
    print(f"\n{len(found)} faults: {summary}.")
    return int(bool(ends["FAILED"] or (os.environ.get("CI") == "true" and ends["left out"])))


if __name__ == "__main__":
    sys.exit(main())
