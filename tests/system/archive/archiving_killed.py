"""Archives the audit log into the file sys.argv[1], in processes that are killed at one step after the other of what
lasts; prints the events in the audit log and in the file after each, as JSON. Forks, so that a round costs no start of
Python."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def killing(where: Any, name: str, steps: list[int]) -> None:
    """From now on `steps` is how often the process still comes past `name`, before it and after it."""
    act: Callable[..., Any] = getattr(where, name)

    def step() -> None:
        steps[0] -= 1
        if not steps[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def acted(*arguments: Any, **how: Any) -> Any:
        step()
        done = act(*arguments, **how)
        step()
        return done

    setattr(where, name, acted)


def archiving_until(path: Path, step: int) -> int:
    """How a process ended that was to be killed at this step: 0 where it came to the end before."""
    from threads.audit import archiving

    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try:
        steps = [step]
        for where, name in ((os, "fsync"), (os, "link"), (archiving, "record_or_raise"), (archiving, "_delete")):
            killing(where, name, steps)
        archiving.archive(BEFORE, path)
        status = 0
    finally:
        os._exit(status)


def main(path: Path) -> None:
    django.setup()
    from django.db import connection, connections
    from django.db.migrations.executor import MigrationExecutor

    from threads.audit import archiving, hash_chain
    from threads.audit.models import AuditEvent

    archiving._BATCH = 4
    MigrationExecutor(connection).migrate([("audit", "0005_renames")])
    AuditEvent.objects.bulk_create(
        AuditEvent(at=BEFORE + timedelta(days=number - 20), action="read", outcome="done") for number in range(25)
    )
    seen, step, ended = [], 0, None
    while ended != 0:
        step += 1
        connections.close_all()
        if connection.vendor == "postgresql":
            connection.close_pool()  # type: ignore[attr-defined]  # its threads would not be in the other process
        ended = archiving_until(path, step)
        held = list(AuditEvent.objects.filter(action="read").order_by("id").values_list("id", flat=True))
        filed = [each["id"] for each in hash_chain.events(path)] if path.exists() else []
        told = list(AuditEvent.objects.filter(action="audit").order_by("id").values_list("outcome", flat=True))
        seen.append({"ended": ended, "held": held, "filed": filed, "told": told})
    with connection.cursor() as cursor:
        try:
            cursor.execute("DELETE FROM audit_auditevent")
        except Exception as error:  # noqa: BLE001  # of either database
            refused = str(error)
    json.dump({"seen": seen, "refused": refused}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
