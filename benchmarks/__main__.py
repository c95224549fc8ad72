"""`make bench`: runs all parts, in under ten minutes on two cores, or only the parts named."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import archive, browser, server
from benchmarks.results_table import ResultRow, write
from benchmarks.stage import Stage

PARTS: dict[str, Callable[[Stage], Iterator[ResultRow]]] = {
    "throughput": server.throughput,
    "crowds": server.crowds,
    "depth": server.depth,
    "conversation": server.conversation,
    "turning": browser.turning,
    "reading": browser.reading,
    "weight": browser.weight,
    "endurance": server.endurance,
}

SEPARATE: dict[str, Callable[[Stage], Iterator[ResultRow]]] = {"archive": archive.archive}
"""Parts that need prefilled databases, which take minutes, and write a results file of their own."""


def main(names: list[str]) -> None:
    if not shutil.which("wrk") and not SEPARATE.keys() >= set(names or PARTS):
        sys.exit("The benchmarks need wrk: apt-get install wrk")
    rows: list[ResultRow] = []
    with tempfile.TemporaryDirectory() as directory:
        for name in names or PARTS:
            for row in (PARTS | SEPARATE)[name](Stage(Path(directory))):
                print(" | ".join(row.cells()), flush=True)
                rows.append(row)
    if not names:
        write(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
