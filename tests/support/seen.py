"""What a fault's test reports to `make faults`."""

from __future__ import annotations

from collections.abc import Callable

Seen = Callable[[str], None]
