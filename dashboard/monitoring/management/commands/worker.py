"""`manage.py worker`: background worker for syncs, exports and erasures. Any number may run, on several machines."""

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
from dashboard.monitoring.probe import CachedProbe
from threads.archive import database_guard
from threads.jobs import queue, stopping

_SHUTDOWN_SECONDS = 20.0
"""Seconds that tasks have to end when the worker is told to stop."""

_CHECK_SECONDS = 5.0


class Command(BaseCommand):
    help = "Works in the background: keeps the archive up, writes long exports, and erases what was asked for."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Runs until SIGTERM or SIGINT; tasks then end after the step they are at."""
        database_guard.claim_for_command()
        # Loading the tasks opens the queue.
        from threads.archive import tasks as archive  # noqa: PLC0415
        from threads.erasure import tasks as erasure  # noqa: PLC0415
        from threads.exports import tasks as exports  # noqa: PLC0415

        if settings.METRICS:
            metric_files.set_directory(Path(settings.DATA_DIR) / "metrics")
            importlib.import_module("dashboard.monitoring.counters")
        logging.getLogger("huey").setLevel(logging.WARNING)
        interrupted = threading.Event()
        huey = queue.huey()
        consumer = huey.create_consumer(
            workers=3, worker_type="thread", shutdown_timeout=_SHUTDOWN_SECONDS, max_delay=queue.POLL_SECONDS
        )
        consumer.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: interrupted.set())
        # Start now, not at the next minute that is due.
        if settings.ARCHIVE != "off":
            archive.keep_up()
        erasure.take_up_erasures()
        exports.export_now()
        logging.getLogger(__name__).info("The worker waits for work.")
        heart = CachedProbe(heartbeat.beat, keep=heartbeat.EVERY_SECONDS)
        heart.asked()
        while not interrupted.wait(_CHECK_SECONDS):
            consumer.check_worker_health()
            heart.asked()
        stopping.stop()
        consumer.stop(graceful=True)
        huey.notify_interrupted_tasks()
