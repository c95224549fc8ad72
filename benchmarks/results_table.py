"""Writes the figures as a table to results.md."""

from __future__ import annotations

import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One figure. `ours` and `other` are alternating runs of Threadkeeper and the baseline; `target` is text."""

    what: str
    unit: str
    ours: Sequence[float]
    other: Sequence[float] = ()
    ratio: float | None = None
    target: str = ""

    def cells(self) -> list[str]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return [self.what, _spread(self.ours, self.unit), _spread(self.other, self.unit), ratio, self.target]


def write(rows: Sequence[ResultRow]) -> str:
    """Writes the table as Markdown to results.md and returns it."""
    lines = [
        "# Results",
        "",
        f"{datetime.now(UTC):%d %B %Y}, commit {commit()}, {_machine()}, Python {platform.python_version()}.",
        "Medians, with the lowest and the highest run in brackets; ours and the baseline took turns. `make bench`",
        "writes this file; what each line measures is in [README.md](README.md).",
        "",
        "| what | Threadkeeper | baseline | ratio | to reach |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(row.cells())} |" for row in rows),
        "",
    ]
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    return "\n".join(lines)


def commit() -> str:
    """The measured commit, by `git describe`."""
    command = ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty= with changes that are not in it"]
    try:
        done = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _spread(runs: Sequence[float], unit: str) -> str:
    if not runs:
        return ""
    middle = _number(statistics.median(runs))
    if len(runs) == 1:
        return f"{middle} {unit}"
    return f"{middle} {unit} ({_number(min(runs))}–{_number(max(runs))})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _machine() -> str:
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return f"{len(names)} cores of {names[0]}" if names else platform.machine()
