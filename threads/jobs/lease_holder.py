"""Lease holder ids: host, process id, boot time and a random part, so that another process on the same host can tell
whether the holder is still alive, and by how much the clock has been set since."""

from __future__ import annotations

import os
import socket
import time
import uuid
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path


def new_id() -> str:
    """An id for one claim by this process, at most 100 characters."""
    return f"{_machine()} {os.getpid()} {_boot_time()} {uuid.uuid4().hex[:12]}"


def clock_step(holder: str) -> timedelta:
    """By how much this machine's clock was set forward since the claim, negative where it was put back. Zero for a
    holder on another machine."""
    machine, _, rest = holder.partition(" ")
    _pid, *booted = rest.split(" ")
    if machine != _machine() or len(booted) != 2 or not booted[0].isdecimal():
        return timedelta()
    return timedelta(seconds=_boot_time() - int(booted[0]))


def monotonic() -> float:
    """Seconds by a clock that cannot be set; on Linux it goes on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def is_dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that no longer runs. False where that can't be told."""
    machine, _, rest = holder.partition(" ")
    pid = rest.partition(" ")[0]
    if machine != _machine() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass
    return False


def _boot_time() -> int:
    """The Unix second of the machine's start, by the clock as it is set now: setting the clock moves it."""
    return round(time.time() - monotonic())


@cache
def _machine() -> str:
    """The host name and, on Linux, its boot id and process id namespace: containers and cloned machines may share a
    host name, and don't see each other's processes."""
    parts = [socket.gethostname().replace(" ", "-")[:40]]
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        namespace = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
        parts += [boot, namespace[:20]]
    return "/".join(parts)
