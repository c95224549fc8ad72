"""Everything of one user: each thread of the list is read, written twice, and its facts noted, one after another."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from threads import service
from threads.chatkit import ChatKitError, Thread
from threads.chatkit.dump import dumped
from threads.lib import times

from . import filenames, storage, transcript
from .list_pages import LIST, asked_for
from .models import Export
from .spool import Once
from .transcript import Pages

FACTS = "facts.jsonl"
"""Among the parts: what became of each thread of the list, in its order."""

Trouble = Callable[[ChatKitError], None]
"""Told of what the upstream did not give. Raises where that is to be asked for again later."""

_BEAT = 10.0
"""Seconds after which a conversation that goes on and on says that its reader lives."""


def parts(export: Export, trouble: Trouble) -> Iterator[None]:
    """Reads the threads that have not been read; each step is one. Raises `LeaseLostError` and `OSError`."""
    if export.phase not in {"reading", "packing"}:
        export.keep(phase="reading", total=export.done, done=0, offset=0)
    for number, row in islice(lines(export, LIST), export.done, None):
        facts = _facts(export, number, row, trouble)
        data, offset = dumped(facts).encode() + b"\n", export.offset
        with transaction.atomic():
            # One that failed does not say that the upstream is back.
            since = export.trouble_at if facts["why"] else None
            export.keep(done=number, offset=offset + len(data), trouble_at=since)
            storage.append(storage.work(export.pk) / FACTS, offset, data)
        yield


def lines(export: Export, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """What a part holds, counted from 1. A list without a thread may have no file."""
    where = storage.work(export.pk) / name
    if not where.exists():
        return
    with where.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            yield number, json.loads(line)


def _facts(export: Export, number: int, row: dict[str, Any], trouble: Trouble) -> dict[str, Any]:
    """What the index and the manifest say of a thread. `why` is what it lacks, None where it is whole."""
    facts: dict[str, Any] = {
        "thread": row["id"], "title": row["title"], "status": row["status"], "created": row["created"],
        "gone": row["gone"], "items": 0, "files": [], "why": None,
    }  # fmt: skip
    thread_id = row["id"]
    if thread_id is None:
        return facts | {"why": f"the API sent it without an id ({'; '.join(row['problems'])})"}
    user = asked_for(export).user or ""
    if row["user"] not in {None, user}:
        return facts | {"title": None, "why": "the API listed it, but as another user's, so it is left out"}
    try:
        thread, pages = service.whole(thread_id)
    except ChatKitError as error:
        trouble(error)
        return facts | {"why": f"the API failed: {error.detail}"}
    if not thread.is_of(user):
        whose = "that it is another user's" if thread.user else "not whose it is"
        return facts | {"title": None, "why": f"the API says {whose}, so it is left out"}
    name = f"{number:06}-{filenames.clean(thread_id, 'thread')}"
    with tempfile.TemporaryFile(dir=storage.work(export.pk)) as spool:
        once = Once(_beating(pages, export), spool)
        _write(export, f"{name}.json", transcript.as_json(thread, once.first()))
        _write(export, f"{name}.md", _markdown(export, thread, once))
    if once.error is not None:
        trouble(once.error)
    return facts | {"items": once.items, "files": [f"{name}.md", f"{name}.json"], "why": once.why}


def _markdown(export: Export, thread: Thread, once: Once) -> Iterator[str]:
    return transcript.as_markdown(thread, once.again(), timezone.now(), times.zone(export.zone))


def _write(export: Export, name: str, text: Iterator[str]) -> None:
    """A part that is there whole or not at all, since a reader that is no longer meant to be may write the same."""
    where = storage.work(export.pk)
    made = where / f"{uuid4().hex}.new"
    with storage.create(made) as file:
        for each in text:
            file.write(each.encode("utf-8", "replace"))
    made.replace(where / name)


def _beating(pages: Pages, export: Export) -> Pages:
    last = time.monotonic()
    for window in pages:
        if time.monotonic() - last > _BEAT:
            export.keep()
            last = time.monotonic()
        yield window
