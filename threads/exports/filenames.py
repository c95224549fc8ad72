"""File names that are valid on every system whatever the ids in them are, and differ where the ids do."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from urllib.parse import quote

from threads.lib import times
from threads.rendering.escape import attribute_text

from .models import Export

_MAX_CHARACTERS, _MAX_BYTES = 60, 120
"""Length of an id in a name, also in UTF-8 bytes: most systems allow 255 bytes for a name."""

_VERBATIM = re.compile(r"(?!-)(?!.*-[0-9a-f]{12}\Z)[\w-]{1,60}", re.ASCII)
"""Ids that a name can hold unchanged, except those that look like another id with its digest."""

_DEVICES = re.compile(r"con|prn|aux|nul|conin|conout|(com|lpt)\d", re.IGNORECASE)
"""Device names of Windows, with any extension."""


def safe_part(text: str, otherwise: str) -> str:
    """The text as a part of a file name: unchanged where it can be; else its letters and digits, or `otherwise` where
    it has none, with a digest, so that no two texts give the same name."""
    if _VERBATIM.fullmatch(text) and not _DEVICES.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFC", attribute_text(text[: 4 * _MAX_CHARACTERS], None))
    kept = re.sub("_+", "_", "".join(each if _is_kept(each) else "_" for each in plain))[:_MAX_CHARACTERS]
    kept = kept.encode("utf-8", "replace")[:_MAX_BYTES].decode("utf-8", "ignore").strip("_-")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{kept or otherwise}-{digest}"


def export_name(export: Export, now: datetime) -> str:
    """The name of a finished export, such as "threads-2026-11-25-PARTIAL.csv"."""
    what = f"user-{safe_part(export.user_id, 'unnamed')}" if export.kind == "zip" else "threads"
    day = now.astimezone(times.zone_by_name(export.zone)).date()
    return f"{what}-{day}{'-PARTIAL' if export.reason else ''}.{export.kind}"


def transcript_stem(thread_id: str) -> str:
    """The name of a conversation's transcript without its extension."""
    return safe_part(thread_id, "thread")


def content_disposition(name: str) -> str:
    """The header `Content-Disposition` of a download (RFC 6266), with an ASCII fallback for other names."""
    plain = re.sub(r"[^\x21-\x7e]+", "_", name)
    return f'attachment; filename="{plain}"' + ("" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}")


def _is_kept(character: str) -> bool:
    """Whether it is a letter, a combining mark, a digit or a hyphen."""
    return character == "-" or unicodedata.category(character)[0] in "LMN"
