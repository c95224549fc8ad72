"""How much chance-driven tests do: hypothesis's examples, and rounds of processes killed."""

from __future__ import annotations

import os

FULL = os.environ.get("EFFORT") == "full"
"""True with EFFORT=full, as `make faults` sets it and as a release is tested. Each other run takes a part of the
examples, at random, so that many runs see what one long run sees."""


def times(most: int) -> int:
    """`most` with full effort, else a quarter of it."""
    return most if FULL else max(5, most // 4)
