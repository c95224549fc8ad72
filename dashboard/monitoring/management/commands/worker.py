"""`manage.py worker` works in the background: keeps the archive up, writes long exports, erases. Any number may run, on
any number of machines."""

from __future__ import annotations

import importlib
import logging
import signal
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from dashboard.monitoring import heartbeat, metric_files
from dashboard.monitoring.probe import Question
from threads.archive import database_guard
from threads.jobs import queue

_PATIENCE = 20.0
"""Seconds that a task has to end in when the worker is told to."""


class Command(BaseCommand):
    help = "Works in the background: keeps the archive up, writes long exports, and erases what was asked for."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Until SIGTERM or SIGINT: then what is under way ends with the page that it keeps."""
        database_guard.claim_for_command()
        # They reach for the queue, so they are loaded only here.
        from threads.archive import tasks  # noqa: PLC0415
        from threads.erasure import tasks as erasing  # noqa: PLC0415
        from threads.exports import tasks as exports  # noqa: PLC0415

        if settings.METRICS:
            metric_files.share(Path(settings.DATA_DIR) / "metrics")
            importlib.import_module("dashboard.monitoring.counters")
        logging.getLogger("huey").setLevel(logging.WARNING)
        ended = threading.Event()
        huey = queue.huey()
        consumer = huey.create_consumer(
            workers=3, worker_type="thread", shutdown_timeout=_PATIENCE, max_delay=queue.POLL
        )
        consumer.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        # The clock strikes at full minutes; whoever has just started it wants to see something.
        if settings.ARCHIVE != "off":
            tasks.keep_up()
        erasing.take_up_erasures()
        exports.export_now()
        logging.getLogger(__name__).info("The worker waits for work.")
        heart = Question(heartbeat.beat, keep=heartbeat.EVERY)
        heart.asked()
        while not ended.wait(5):
            consumer.check_worker_health()
            heart.asked()
        tasks.stop()
        erasing.stop()
        exports.stop()
        consumer.stop(graceful=True)
        huey.notify_interrupted_tasks()
