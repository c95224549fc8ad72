"""The table of faults is true: each row has its tests, and each test here its row."""

from __future__ import annotations

import subprocess
import sys

from tests.system.faults.table import KINDS, ROOT, TABLE, rows

FOLDERS = ("tests/unit/faults/", "tests/views/faults/", "tests/system/faults/")
"""Every test in these folders has a row."""
CHECKS = ("tests/system/faults/test_table.py", "tests/system/faults/test_upstream.py::test_every_fault_is_here")
"""Tests of the tests."""


def collected(*paths: str) -> list[str]:
    """The names of all tests in these files."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--override-ini=addopts=", "--collect-only", "-q", *paths],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_the_rows_are_numbered_and_of_a_kind() -> None:
    found = rows()
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(found) == len(lines) - 1, "a row is written in another way"
    assert [row.number for row in found] == list(range(1, len(found) + 1))
    assert len(found) >= 60
    assert {row.kind for row in found} == set(KINDS)
    assert len({row.what for row in found}) == len(found)
    assert all(row.tests for row in found)


def test_each_row_has_its_tests_and_each_test_its_row() -> None:
    found = rows()
    elsewhere = {each.partition("::")[0] for row in found for each in row.tests if "/faults/" not in each}
    nodes = collected(*FOLDERS, *sorted(elsewhere))
    named = [each for row in found for each in row.tests]
    missing = [each for each in named if not any(node == each or node.startswith(f"{each}[") for node in nodes)]
    assert not missing, "rows without a test"
    ours = [each for each in nodes if each.startswith(FOLDERS) and not each.startswith(CHECKS)]
    loose = [node for node in ours if not any(row.covers(node) for row in found)]
    assert not loose, "tests without a row"
