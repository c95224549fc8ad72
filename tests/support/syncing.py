"""Filling the archive from an emulator, in process."""

from __future__ import annotations

from typing import Any

from tests.support.mirror import asking
from threads.archive.completeness import completeness
from threads.archive.sync.walk import Sync
from threads.emulator import Emulator


def spoken(text: str) -> dict[str, Any]:
    return {"type": "chatkit.user_message", "content": [{"type": "input_text", "text": text}], "attachments": []}


def sync(emulator: Emulator, *, everything: bool = False, with_items: bool = True) -> Sync:
    client = asking(emulator)
    made = Sync(client, with_items=with_items, pauses=())
    try:
        made.run(everything=everything)
    finally:
        client.close()
    return made


def is_complete() -> bool:
    return completeness().as_of is not None
