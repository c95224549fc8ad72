"""How much chance-driven tests do: hypothesis's examples, and rounds of processes killed."""

from __future__ import annotations

import os

FULL = os.environ.get("EFFORT", "full" if os.environ.get("CI") == "true" else "") == "full"
"""True with EFFORT=full, as `make faults` sets it, and with CI=true."""


def times(most: int) -> int:
    """`most` with full effort, else a quarter of it."""
    return most if FULL else max(5, most // 4)
