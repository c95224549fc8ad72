"""All that is looked at, one after the other, each within a time of its own, whatever became of those before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from dashboard.monitoring.health import own_connection
from dashboard.monitoring.probe import beside
from threads.chatkit import ChatKitError

from .finding import Finding, Verdict, doubtful, failed, fine
from .local_checks import (
    MIGRATE,
    archive,
    clock_of,
    database,
    disk,
    erasures,
    files,
    migrations,
    queue_,
    retention,
    roles,
    safety,
    single_sign_on,
    worker,
)
from .upstream_checks import Patient, told

__all__ = ["Finding", "Verdict", "look"]

PATIENCE = 15.0
"""Seconds that one look may take."""

Look = Callable[[], Finding]


def look(*, patience: float = PATIENCE) -> Iterator[Finding]:
    """One finding after the other. A look that takes longer than `patience`, in seconds, is a failure."""
    patient = Patient(patience / 2)
    there: dict[str, Look] = {
        "key": patient.key,
        "scopes": patient.scopes,
        "beta header": patient.beta,
        "before": patient.before,
        "latency": patient.latency,
        "clock": lambda: clock_of(patient.clock()),
    }
    if settings.ARCHIVE_ONLY:
        there = {"upstream": lambda: fine("upstream", "not asked, since ARCHIVE_ONLY is set")}
    looks: dict[str, Look] = there | {
        "database": database,
        "migrations": migrations,
        "queue": queue_,
        "worker": worker,
        "archive": archive,
        "erasures": erasures,
        "retention": retention,
        "disk": disk,
        "files": files,
        "settings": safety,
        "roles": roles,
    }
    if settings.OIDC_ISSUER:
        looks["single sign-on"] = single_sign_on
    waiting = False
    for name, each in looks.items():
        found = _within(name, each, patience, migrations_waiting=waiting)
        waiting = waiting or found.advice == MIGRATE
        yield found
    patient.leave()


def _within(name: str, ask: Look, seconds: float, *, migrations_waiting: bool) -> Finding:
    began = time.monotonic()
    answer = beside(lambda: _alone(ask))
    try:
        return answer.result(seconds)
    except TimeoutError:
        said = f"no answer within {time.monotonic() - began:.0f} s"
        return failed(name, said, "See whether what it asks is reachable from this machine, and not overloaded.")
    except DatabaseError as error:
        if migrations_waiting:
            return doubtful(name, "not found out: its tables are not there, or not as they should be", MIGRATE)
        # In no words of the library's: those name hosts and accounts.
        said = f"the database can't be asked ({type(error).__name__})"
        return failed(name, said, "See what is said of the database.")
    except ChatKitError as error:
        return failed(name, f"the upstream failed meanwhile: {told(error)}", "Look again, and see its status page.")
    except Exception as error:  # noqa: BLE001  # what comes after it is looked at all the same
        return failed(
            name, f"this could not be found out ({type(error).__name__})", "Report it as a bug of Threadkeeper."
        )


def _alone(ask: Look) -> Finding:
    """In a thread, with a connection to the database of its own."""
    with own_connection(DEFAULT_DB_ALIAS):
        return ask()
