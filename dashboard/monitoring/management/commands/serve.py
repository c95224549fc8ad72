"""`manage.py serve`: all of Threadkeeper on one machine, as `make run` has it: the server, a worker that keeps the
archive up, and in emulator mode the one emulator that both ask."""

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
_PATIENCE = 35.0
"""Seconds that a process has to end in. The server gives its requests 25."""

_HEAD_START = 2.0
"""Seconds before the worker starts: the first page comes first."""

_FIRST_PAUSE, _LONGEST_PAUSE, _LONG_LIFE = 1.0, 30.0, 60.0

_SET_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """Linux ends the process when the one that started it was killed."""
    if _libc is not None:
        _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


class _Process:
    """One that is kept running: started again when it has died, after a pause that grows while it does not live."""

    def __init__(
        self, name: str, command: Sequence[str], environment: dict[str, str], *, wait: float = 0, fd: int | None = None
    ) -> None:
        self.name = name
        self._command = [sys.executable, *command]
        self._environment = environment
        self._fds = () if fd is None else (fd,)
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = _FIRST_PAUSE
        self._start_at = time.monotonic() + wait
        self._started_at = 0.0

    def keep_running(self) -> str | None:
        """Starts it where it is time to. Returns what became of it, where it has just died."""
        now = time.monotonic()
        code = self.code()
        if code is not None:
            self._pause = _FIRST_PAUSE if now - self._started_at > _LONG_LIFE else self._pause
            self._start_at, self._process = now + self._pause, None
            said = f"The {self.name} ended with {code}; it is started again in {self._pause:g} s."
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return said
        if self._process is None and now >= self._start_at:
            self._started_at = now
            # A terminal sends Ctrl-C to all of a session, and whoever gets it twice ends in a hurry.
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
        """It has until then to end by itself; then it is killed."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Command(BaseCommand):
    help = "Serves Threadkeeper: the pages, the work in the background, and in emulator mode the emulator."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Until the server ends; ends with its exit code. SIGTERM, SIGINT and SIGHUP reach the server."""
        database_guard.claim_for_command()
        if said := database_guard.unread_archive():
            logging.getLogger(__name__).warning(said)
        connections.close_all()
        self._told: list[int] = []
        self._woken = threading.Event()
        for number in _FORWARDED:
            signal.signal(number, self._take)
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
            # Listens from now on, whether or not the emulator is there yet: who asks early waits and is not refused.
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
            worker = _Process("worker", ["manage.py", "worker"], environment, wait=_HEAD_START)
        return web, worker, emulator

    def _take(self, number: int, _frame: object) -> None:
        self._told.append(number)
        self._woken.set()

    def _serve(self) -> int:
        """The exit code of the server."""
        helpers = [each for each in (self._emulator, self._worker) if each]
        ending: float | None = None
        self._web.keep_running()
        while (code := self._web.code()) is None:
            if ending is None:
                for each in helpers:
                    if said := each.keep_running():
                        logging.getLogger(__name__).warning(said)
            elif time.monotonic() > ending:
                self._web.send(signal.SIGKILL)
            self._woken.wait(0.5)
            self._woken.clear()
            while self._told:
                number = self._told.pop(0)
                self._web.send(number)
                if number != signal.SIGHUP and ending is None:
                    ending = time.monotonic() + _PATIENCE
                    if self._worker:
                        self._worker.send(signal.SIGTERM)
        return code

    def _end(self) -> None:
        """The emulator last: those before it may still ask it."""
        until = time.monotonic() + _PATIENCE
        for each in (self._web, self._worker, self._emulator):
            if each:
                each.send(signal.SIGTERM)
                each.end(until)
