"""What a page may ask of a worker."""

from __future__ import annotations

import time

from .. import queue


def start_copying() -> None:
    """Has a worker copy everything, soon. Raises `queue.QueueError`."""
    with queue.reached():
        # The queue is reached when its tasks are loaded, and a page must not wait for that at its start.
        from . import tasks  # noqa: PLC0415

        tasks.sync_now(time.time())
