"""The parts of a user's export: two transcripts of each thread in the list, and a line of facts about it."""

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
from threads.chatkit.dump import to_json
from threads.lib import times

from . import filenames, storage, transcript
from .list_pages import LIST, list_query
from .models import Export
from .spool import SpooledPages
from .transcript import Pages

FACTS = "facts.jsonl"
"""The part with the facts about each thread of the list, in its order."""

OnError = Callable[[ChatKitError], None]
"""Called with each upstream error. Raises to retry later."""

_RENEW_SECONDS = 10.0
"""How often the lease is renewed while a long conversation is read."""


def parts(export: Export, on_error: OnError) -> Iterator[None]:
    """Writes the parts of the threads that are left; each step is one thread. Raises `LeaseLostError` and `OSError`."""
    if export.phase not in {"reading", "packing"}:
        export.renew(phase="reading", total=export.done, done=0, offset=0)
    for number, row in islice(lines(export, LIST), export.done, None):
        facts = _facts(export, number, row, on_error)
        data, offset = to_json(facts).encode() + b"\n", export.offset
        with transaction.atomic():
            # A failed thread does not mean that the upstream is back.
            since = export.trouble_at if facts["why"] else None
            export.renew(done=number, offset=offset + len(data), trouble_at=since)
            storage.append(storage.work(export.pk) / FACTS, offset, data)
        yield


def lines(export: Export, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON lines of a part, numbered from 1. An empty list may have no file."""
    where = storage.work(export.pk) / name
    if not where.exists():
        return
    with where.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            yield number, json.loads(line)


def _facts(export: Export, number: int, row: dict[str, Any], on_error: OnError) -> dict[str, Any]:
    """The facts about a thread for index and manifest. `why` is why it is incomplete, None where it is not."""
    facts: dict[str, Any] = {
        "thread": row["id"], "title": row["title"], "status": row["status"], "created": row["created"],
        "gone": row["gone"], "items": 0, "files": [], "why": None,
    }  # fmt: skip
    thread_id = row["id"]
    if thread_id is None:
        return facts | {"why": f"the API sent it without an id ({'; '.join(row['problems'])})"}
    user = list_query(export).user or ""
    if row["user"] not in {None, user}:
        return facts | {"title": None, "why": "the API listed it, but as another user's, so it is left out"}
    try:
        thread, pages = service.read_whole_thread(thread_id)
    except ChatKitError as error:
        on_error(error)
        return facts | {"why": f"the API failed: {error.detail}"}
    if not thread.is_of(user):
        whose = "that it is another user's" if thread.user else "not whose it is"
        return facts | {"title": None, "why": f"the API says {whose}, so it is left out"}
    name = f"{number:06}-{filenames.transcript_stem(thread_id)}"
    with tempfile.TemporaryFile(dir=storage.work(export.pk)) as spool:
        spooled = SpooledPages(_renewing(pages, export), spool)
        _write(export, f"{name}.json", transcript.as_json(thread, spooled.first()))
        _write(export, f"{name}.md", _markdown(export, thread, spooled))
    if spooled.error is not None:
        on_error(spooled.error)
    return facts | {"items": spooled.items, "files": [f"{name}.md", f"{name}.json"], "why": spooled.why}


def _markdown(export: Export, thread: Thread, spooled: SpooledPages) -> Iterator[str]:
    return transcript.as_markdown(thread, spooled.again(), timezone.now(), times.zone_by_name(export.zone))


def _write(export: Export, name: str, text: Iterator[str]) -> None:
    """Writes a part atomically: a worker that has lost the lease may be writing the same."""
    where = storage.work(export.pk)
    made = where / f"{uuid4().hex}.new"
    with storage.create(made) as file:
        for each in text:
            file.write(each.encode("utf-8", "replace"))
    made.replace(where / name)


def _renewing(pages: Pages, export: Export) -> Pages:
    last = time.monotonic()
    for window in pages:
        if time.monotonic() - last > _RENEW_SECONDS:
            export.renew()
            last = time.monotonic()
        yield window
