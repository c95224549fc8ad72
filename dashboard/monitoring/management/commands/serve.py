"""`manage.py serve`: supervises the server, a worker, and in emulator mode the emulator, on one machine. `make run`
uses it."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from threads.archive import database_guard

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_STOP_SECONDS = 35.0
"""Seconds for a process to stop. gunicorn gives its requests 25."""

_WORKER_DELAY_SECONDS = 2.0
"""Seconds before the worker starts, so that the first page comes first."""

_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS, _STABLE_SECONDS = 1.0, 30.0, 60.0
"""Backoff before a restart: it doubles up to the maximum, and is reset after a stable run."""

_SET_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """On Linux, the child gets SIGTERM when this process is killed."""
    if _libc is not None:
        _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


class _Process:
    """A supervised child process, restarted with exponential backoff."""

    def __init__(
        self, name: str, command: Sequence[str], environment: dict[str, str], *, wait: float = 0, fd: int | None = None
    ) -> None:
        self.name = name
        self._command = [sys.executable, *command]
        self._environment = environment
        self._fds = () if fd is None else (fd,)
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = _FIRST_PAUSE_SECONDS
        self._start_at = time.monotonic() + wait
        self._started_at = 0.0

    def keep_running(self) -> str | None:
        """Starts the process if it is due. Returns a message if it has just ended."""
        now = time.monotonic()
        code = self.code()
        if code is not None:
            self._pause = _FIRST_PAUSE_SECONDS if now - self._started_at > _STABLE_SECONDS else self._pause
            self._start_at, self._process = now + self._pause, None
            message = f"The {self.name} ended with {code}; it is started again in {self._pause:g} s."
            self._pause = min(self._pause * 2, _MAX_PAUSE_SECONDS)
            return message
        if self._process is None and now >= self._start_at:
            self._started_at = now
            # Ctrl-C reaches the whole session of a terminal, and a second signal would skip the graceful stop.
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                cwd=settings.BASE_DIR,
                env=self._environment,
                pass_fds=self._fds,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # this process has one thread
            )
        return None

    def code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def send(self, number: int) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def end(self, until: float) -> None:
        """Waits until `until` (monotonic seconds), then kills the process."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Command(BaseCommand):
    """Starts and supervises the processes."""

    help = "Serves Threadkeeper: the pages, the work in the background, and in emulator mode the emulator."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Runs until the server ends, and exits with its code. Forwards SIGTERM, SIGINT and SIGHUP to it."""
        database_guard.claim_for_command()
        if message := database_guard.unused_archive_hint():
            logging.getLogger(__name__).warning(message)
        connections.close_all()
        self._signals: list[int] = []
        self._woken = threading.Event()
        for number in _FORWARDED:
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGCHLD, lambda *_: self._woken.set())
        self._web, self._worker, self._emulator = self._processes()
        try:
            code = self._serve()
        finally:
            self._end()
        sys.exit(code if code >= 0 else 128 - code)

    def _processes(self) -> tuple[_Process, _Process | None, _Process | None]:
        environment = dict(os.environ)
        emulator = None
        if settings.EMULATOR and settings.EMULATOR_URL is None:
            # Listens at once: early requests wait for the emulator instead of being refused.
            listening = socket.create_server(("127.0.0.1", 0), backlog=128)
            self._listening = listening
            options = {
                "--threads": settings.EMULATOR_THREADS, "--latency-ms": settings.EMULATOR_LATENCY_MS,
                "--now": time.time(), "--fd": listening.fileno(),
            }  # fmt: skip
            command = ["manage.py", "emulator", "--quiet", *(f"{name}={value}" for name, value in options.items())]
            emulator = _Process("emulator", command, dict(environment), fd=listening.fileno())
            environment["EMULATOR_URL"] = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        web = _Process("server", ["-m", "gunicorn", "-c", "gunicorn.conf.py", "dashboard.wsgi"], environment)
        worker = None
        if settings.WORKER:
            worker = _Process("worker", ["manage.py", "worker"], environment, wait=_WORKER_DELAY_SECONDS)
        return web, worker, emulator

    def _on_signal(self, number: int, _frame: object) -> None:
        self._signals.append(number)
        self._woken.set()

    def _serve(self) -> int:
        """Returns the exit code of the server."""
        helpers = [each for each in (self._emulator, self._worker) if each]
        ending: float | None = None
        self._web.keep_running()
        while (code := self._web.code()) is None:
            if ending is None:
                for each in helpers:
                    if message := each.keep_running():
                        logging.getLogger(__name__).warning(message)
            elif time.monotonic() > ending:
                self._web.send(signal.SIGKILL)
            self._woken.wait(0.5)
            self._woken.clear()
            while self._signals:
                number = self._signals.pop(0)
                self._web.send(number)
                if number != signal.SIGHUP and ending is None:
                    ending = time.monotonic() + _STOP_SECONDS
                    if self._worker:
                        self._worker.send(signal.SIGTERM)
        return code

    def _end(self) -> None:
        """Stops the emulator last, since the others may still call it."""
        until = time.monotonic() + _STOP_SECONDS
        for each in (self._web, self._worker, self._emulator):
            if each:
                each.send(signal.SIGTERM)
                each.end(until)
