"""Filling the archive from an emulator, in process."""

from __future__ import annotations

from typing import Any

from tests.support.mirror import asking
from threads.archive.completeness import completeness
from threads.archive.sync.sync import Sync
from threads.emulator import Emulator


def spoken(text: str) -> dict[str, Any]:
    """A user message."""
    return {"type": "chatkit.user_message", "content": [{"type": "input_text", "text": text}], "attachments": []}


def sync(emulator: Emulator, *, everything: bool = False, with_items: bool = True) -> Sync:
    """Runs a sync without pauses; returns it when it has ended."""
    client = asking(emulator)
    made = Sync(client, with_items=with_items, pauses=())
    try:
        made.run(everything=everything)
    finally:
        client.close()
    return made


def is_complete() -> bool:
    """Whether the archive is complete as of some time."""
    return completeness().as_of is not None
