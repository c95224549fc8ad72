"""Names of files, which hold on every system whatever the ids in them are."""

from __future__ import annotations

import re
from datetime import datetime

from .. import when
from .models import Export


def clean(text: str, otherwise: str) -> str:
    """The text where it can be a part of a file's name, else what of it can; `otherwise` where nothing can."""
    return re.sub(r"[^\w-]", "_", text, flags=re.ASCII)[:80].strip("_") or otherwise


def of(export: Export, now: datetime) -> str:
    """What the finished file is called, such as "threads-2026-11-25-PARTIAL.csv"."""
    what = f"user-{clean(export.customer, 'unnamed')}" if export.kind == "zip" else "threads"
    day = now.astimezone(when.zone(export.zone)).date()
    return f"{what}-{day}{'-PARTIAL' if export.reason else ''}.{export.kind}"
