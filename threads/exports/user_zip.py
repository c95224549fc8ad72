"""Packs the parts of a user's export into a zip: transcripts, an index page, and a manifest with hashes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from functools import partial
from html import escape
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from threads.chatkit.dump import to_json
from threads.lib import times
from threads.rendering.escape import attribute_text

from . import storage
from .list_pages import list_query
from .models import Export
from .user_parts import FACTS, lines

_RENEW_SECONDS = 10.0
"""How often the lease is renewed."""

_CHUNK_BYTES = 2**20


def pack(export: Export, now: datetime) -> Path:
    """Writes the zip beside the parts, and returns its path. Raises `LeaseLostError` and `OSError`."""
    where = storage.work(export.pk)
    packed, last = where / "packed", time.monotonic()
    with storage.create(packed) as file, TemporaryFile(dir=where) as entries:
        with ZipFile(file, "w", ZIP_DEFLATED) as zipped:
            add = _ZipWriter(zipped, entries, now)
            for _, facts in lines(export, FACTS):
                for name in facts["files"]:
                    add.file(f"threads/{name}", where / name)
                if time.monotonic() - last > _RENEW_SECONDS:
                    export.renew()
                    last = time.monotonic()
            add.text("index.html", _index(export, now))
            add.text("manifest.json", _manifest(export, now, add))
        storage.flush(file)
    return packed


def lacking(export: Export) -> str:
    """Why the export is incomplete, in sentences; "" where it is complete."""
    not_whole = sum(facts["why"] is not None for _, facts in lines(export, FACTS))
    counted = f"{not_whole:,} of {export.done:,} thread{'s' if export.done != 1 else ''} could not be had whole."
    return " ".join(filter(None, [export.reason, counted if not_whole else ""]))


class _ZipWriter:
    """Adds files to a zip, and collects their entries for the manifest."""

    def __init__(self, zipped: ZipFile, entries: IO[bytes], now: datetime) -> None:
        self._zip, self._entries, self._now = zipped, entries, now

    def file(self, name: str, where: Path) -> None:
        with where.open("rb") as file:
            self._add(name, iter(partial(file.read, _CHUNK_BYTES), b""))

    def text(self, name: str, text: Iterable[str]) -> None:
        self._add(name, (each.encode("utf-8", "replace") for each in text))

    def manifest_entries(self) -> Iterator[str]:
        """The JSON of each entry so far."""
        self._entries.seek(0)
        for line in self._entries:
            yield line.decode().rstrip("\n")

    def _add(self, name: str, content: Iterable[bytes]) -> None:
        info = ZipInfo(name, self._now.timetuple()[:6])
        info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as member:
            for chunk in content:
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        entry = {"name": name, "bytes": size, "sha256": digest.hexdigest()}
        self._entries.write(to_json(entry).encode() + b"\n")


def _manifest(export: Export, now: datetime, add: _ZipWriter) -> Iterator[str]:
    """The JSON in pieces, since a user may have any number of threads."""
    head = {
        "user": list_query(export).user,
        "made": now.astimezone(UTC).isoformat(timespec="seconds"),
        "complete": not export.reason,
        "reason": export.reason or None,
        "threads": export.done,
        "items": sum(facts["items"] for _, facts in lines(export, FACTS)),
    }
    yield to_json(head)[:-1] + ',\n"lacking": ['
    yield from _listed(
        to_json({"thread": facts["thread"], "why": facts["why"]}) for _, facts in lines(export, FACTS) if facts["why"]
    )
    yield '],\n"files": ['
    yield from _listed(add.manifest_entries())
    yield "]}\n"


def _listed(objects: Iterable[str]) -> Iterator[str]:
    before = "\n"
    for each in objects:
        yield before + each
        before = ",\n"


_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
"""


def _index(export: Export, now: datetime) -> Iterator[str]:
    """A page without styles and scripts, on which untrusted text is escaped."""
    zone = times.zone_by_name(export.zone)
    yield _HEAD.format(title=("PARTIAL: " if export.reason else "") + f"Threads of {_shown(export.user_id)}")
    if export.reason:
        yield f"<p><strong>This is not everything.</strong> {_shown(export.reason)}</p>\n"
    yield f"<p>{export.done:,} threads, read {times.exact_to_seconds(now, zone)}, times in {_shown(str(zone))}.</p>\n"
    yield "<table>\n<tr><th>Created</th><th>Status</th><th>Title</th><th>Items</th><th>Files</th></tr>\n"
    for _, facts in lines(export, FACTS):
        cells = [_created(facts, zone), _shown(facts["status"]), _title(facts), f"{facts['items']:,}", _files(facts)]
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"
    yield "</table>\n</body>\n</html>\n"


def _created(facts: dict[str, Any], zone: tzinfo) -> str:
    created = facts["created"]
    return times.exact(datetime.fromisoformat(created), zone) if created else "Not given"


def _title(facts: dict[str, Any]) -> str:
    return f"{_shown(facts['title'] or 'No title')}<br><code>{_shown(facts['thread'] or 'no id')}</code>"


def _files(facts: dict[str, Any]) -> str:
    links = [
        f'<a href="threads/{quote(name)}">{"Text" if name.endswith(".md") else "JSON"}</a>' for name in facts["files"]
    ]
    gone = ["No longer at OpenAI; this is the archive's copy"] if facts["gone"] else []
    why = [f"Not whole: {_shown(facts['why'])}"] if facts["why"] else []
    return "<br>".join(links + gone + why)


def _shown(text: str | None) -> str:
    return escape(attribute_text(text, None)) if text else ""
