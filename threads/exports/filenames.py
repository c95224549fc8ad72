"""Names of files, which hold on every system whatever the ids in them are, and tell them apart."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from urllib.parse import quote

from threads.lib import times
from threads.rendering.escape import named

from .models import Export

_LONGEST, _MOST_BYTES = 60, 120
"""Characters, and bytes in UTF-8, of an id in a name: most systems allow 255 bytes for all of it."""

_WHOLE = re.compile(r"(?!-)(?!.*-[0-9a-f]{12}\Z)[\w-]{1,60}", re.ASCII)
"""What can stand in a name as it is; but not what another's name with its digest could be."""

_DEVICES = re.compile(r"con|prn|aux|nul|conin|conout|(com|lpt)\d", re.IGNORECASE)
"""What Windows takes for a device, whatever ends the name."""


def clean(text: str, otherwise: str) -> str:
    """The text where it can be a part of a file's name as it is; else its letters and digits, or `otherwise` where it
    has none, and a digest of it, so that no two texts have the same name."""
    if _WHOLE.fullmatch(text) and not _DEVICES.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFC", named(text[: 4 * _LONGEST], None))
    kept = re.sub("_+", "_", "".join(each if _is_kept(each) else "_" for each in plain))[:_LONGEST]
    kept = kept.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore").strip("_-")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{kept or otherwise}-{digest}"


def of(export: Export, now: datetime) -> str:
    """What the finished file is called, such as "threads-2026-11-25-PARTIAL.csv"."""
    what = f"user-{clean(export.customer, 'unnamed')}" if export.kind == "zip" else "threads"
    day = now.astimezone(times.zone(export.zone)).date()
    return f"{what}-{day}{'-PARTIAL' if export.reason else ''}.{export.kind}"


def attached(name: str) -> str:
    """The header `Content-Disposition` of a file to download (RFC 6266): its name, and one without letters beyond ASCII
    for who knows no others."""
    plain = re.sub(r"[^\x21-\x7e]+", "_", name)
    return f'attachment; filename="{plain}"' + ("" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}")


def _is_kept(character: str) -> bool:
    """Letters, the marks that stand on them, digits, hyphens."""
    return character == "-" or unicodedata.category(character)[0] in "LMN"
