"""The contents of an upstream and of the archive, in a form that can be compared field by field."""

from __future__ import annotations

import json

from threads.archive.models import ArchivedItem, ArchivedThread
from threads.chatkit import ApiConfig, ChatKitClient, Limits
from threads.emulator import Emulator, EmulatorAdapter

Held = dict[str, tuple[object, list[object]]]


def asking(emulator: Emulator) -> ChatKitClient:
    """A client of the emulator, in this process."""
    return ChatKitClient(ApiConfig("sk-test"), limits=Limits(seconds=10), adapter=EmulatorAdapter(emulator))


def upstream(emulator: Emulator) -> Held:
    """All threads with their items as the API returns them, oldest first."""
    client, held, after = asking(emulator), {}, None
    while True:
        page = client.list_threads(order="asc", limit=100, after=after)
        for thread in page.rows:
            assert thread.id
            held[thread.id] = (thread.raw, _items(client, thread.id))
        if not page.has_more:
            client.close()
            return held
        after = page.last_id


def archive(*, gone: bool = False) -> Held:
    """All threads with their items from the archive; with `gone` those that are deleted upstream instead."""
    found = ArchivedThread.objects.filter(deleted_upstream_at__isnull=not gone).order_by("number")
    return {
        thread.thread_id: (
            json.loads(thread.raw),
            [json.loads(item.raw) for item in ArchivedItem.objects.filter(thread=thread).order_by("place")],
        )
        for thread in found
    }


def _items(client: ChatKitClient, thread_id: str) -> list[object]:
    found: list[object] = []
    after = None
    while True:
        page = client.list_items(thread_id, order="asc", limit=100, after=after)
        found += [item.raw for item in page.rows]
        if not page.has_more:
            return found
        after = page.last_id
