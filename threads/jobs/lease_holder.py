"""Who is at a piece of work: a name by which others of the same machine can tell whether that process still runs."""

from __future__ import annotations

import os
import socket
import time
import uuid
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path


def name() -> str:
    """A name for one claim of this process; no longer than 100 characters."""
    return f"{_machine()} {os.getpid()} {_booted()} {uuid.uuid4().hex[:12]}"


def clock_set_by(holder: str) -> timedelta:
    """By how much this machine's clock was set forward since the holder made its claim, negative where it was put back.
    Zero for a holder of another machine."""
    machine, _, rest = holder.partition(" ")
    _pid, *booted = rest.split(" ")
    if machine != _machine() or len(booted) != 2 or not booted[0].isdecimal():
        return timedelta()
    return timedelta(seconds=_booted() - int(booted[0]))


def passed() -> float:
    """Seconds since some moment, by a clock that nobody sets; on Linux it goes on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _booted() -> int:
    """The Unix second of the machine's start by what its clock says now: setting the clock moves it."""
    return round(time.time() - passed())


def is_dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that runs no more: it need not be waited for."""
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


@cache
def _machine() -> str:
    """The host, and where Linux tells them its boot and the space that its process ids are of: containers and copied
    machines may share a host's name, and the processes of one are not seen from the other."""
    found = [socket.gethostname().replace(" ", "-")[:40]]
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
        found += [boot, space[:20]]
    return "/".join(found)
