"""Runs all checks one after the other, each with a timeout, whatever the others gave."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from dashboard.monitoring.health import own_connection
from dashboard.monitoring.probe import run_in_thread
from threads.chatkit import ChatKitError

from .check_result import CheckResult, CheckStatus, fail, ok, warn
from .local_checks import (
    MIGRATE,
    archive,
    clock,
    database,
    disk,
    erasures,
    files,
    migrations,
    retention,
    roles,
    security_settings,
    single_sign_on,
    task_queue,
    worker,
)
from .upstream_checks import CheckTarget, describe_error

__all__ = ["CheckResult", "CheckStatus", "run_checks"]

CHECK_SECONDS = 15.0
"""Seconds for one check."""

Check = Callable[[], CheckResult]


def run_checks(*, timeout: float = CHECK_SECONDS) -> Iterator[CheckResult]:
    """Yields one result per check. A check that exceeds `timeout` seconds fails."""
    target = CheckTarget(timeout / 2)
    upstream: dict[str, Check] = {
        "key": target.key,
        "scopes": target.scopes,
        "beta header": target.beta,
        "before": target.before,
        "latency": target.latency,
        "clock": lambda: clock(target.clock()),
    }
    if settings.ARCHIVE_ONLY:
        upstream = {"upstream": lambda: ok("upstream", "not asked, since ARCHIVE_ONLY is set")}
    checks: dict[str, Check] = upstream | {
        "database": database,
        "migrations": migrations,
        "queue": task_queue,
        "worker": worker,
        "archive": archive,
        "erasures": erasures,
        "retention": retention,
        "disk": disk,
        "files": files,
        "settings": security_settings,
        "roles": roles,
    }
    if settings.OIDC_ISSUER:
        checks["single sign-on"] = single_sign_on
    waiting = False
    for name, each in checks.items():
        found = _run(name, each, timeout, migrations_waiting=waiting)
        waiting = waiting or found.advice == MIGRATE
        yield found
    target.close()


def _run(name: str, ask: Check, seconds: float, *, migrations_waiting: bool) -> CheckResult:
    began = time.monotonic()
    answer = run_in_thread(lambda: _with_own_connection(ask))
    try:
        return answer.result(seconds)
    except TimeoutError:
        detail = f"no answer within {time.monotonic() - began:.0f} s"
        return fail(name, detail, "See whether what it asks is reachable from this machine, and not overloaded.")
    except DatabaseError as error:
        if migrations_waiting:
            return warn(name, "unknown: its tables are missing or out of date", MIGRATE)
        # Without the library's message, which may name hosts and accounts.
        detail = f"the database can't be asked ({type(error).__name__})"
        return fail(name, detail, "See the line of the database.")
    except ChatKitError as error:
        return fail(
            name, f"the upstream failed meanwhile: {describe_error(error)}", "Look again, and see its status page."
        )
    except Exception as error:  # noqa: BLE001  # the other checks still run
        return fail(
            name, f"this could not be found out ({type(error).__name__})", "Report it as a bug of Threadkeeper."
        )


def _with_own_connection(ask: Check) -> CheckResult:
    """Runs a check in its thread with a database connection of its own."""
    with own_connection(DEFAULT_DB_ALIAS):
        return ask()
