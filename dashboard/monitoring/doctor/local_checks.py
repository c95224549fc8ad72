"""Checks of this machine: database, queue, worker, archive, disk, settings, roles."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.utils import timezone

from dashboard.accounts.models import RolesClaim
from dashboard.monitoring import heartbeat
from threads.archive.completeness import completeness
from threads.archive.deletion_evidence import open_breaker
from threads.archive.models import Progress, SyncRun
from threads.erasure import replay
from threads.erasure.journal import JournalError
from threads.erasure.models import Erasure
from threads.erasure.retention import last_refusal
from threads.jobs import queue
from threads.roles import Right

from .check_result import CheckResult, fail, ok, warn

DISK_WARN_BYTES, DISK_FAIL_BYTES = 2**30, 100 * 2**20
"""Free bytes below which the check warns, and below which it fails."""

_CLOCK_WARN_SECONDS, _CLOCK_FAIL_SECONDS = 10.0, 300.0
"""Clock offsets at which the check warns, and at which it fails: sign-ins and leases go wrong."""

MIGRATE = "Run `manage.py migrate`."

_MIN_KEY_LENGTH = 50
_POSTGRESQL_EXTENSIONS = {"pg_trgm"}
_SQLITE_FEATURES = {"FTS5": "CREATE VIRTUAL TABLE words USING fts5(word)", "JSON": "SELECT json('{}')"}


def clock(ahead: float | None) -> CheckResult:
    """Checks this machine's clock. `ahead` is its offset to the upstream's, in seconds."""
    if ahead is None:
        return warn("clock", "the upstream did not send its time")
    detail = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the upstream's"
    advice = "Set the clock by NTP."
    if abs(ahead) >= _CLOCK_FAIL_SECONDS:
        return fail("clock", detail, advice)
    return warn("clock", detail, advice) if abs(ahead) >= _CLOCK_WARN_SECONDS else ok("clock", detail)


def database() -> CheckResult:
    """Checks that the database works and has the features that are needed."""
    try:
        if connection.vendor == "sqlite":
            return _sqlite()
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0].split()[0]
            cursor.execute("SELECT extname FROM pg_extension")
            missing = _POSTGRESQL_EXTENSIONS - {name for (name,) in cursor.fetchall()}
    except DatabaseError as error:
        return fail("database", f"it can't be reached ({type(error).__name__})", _database_advice())
    if missing:
        advice = (
            f"{MIGRATE[:-1]}, which makes it; where the desk's account may not, have the database's administrator run "
            f"CREATE EXTENSION {', '.join(sorted(missing))};"
        )
        return fail("database", f"PostgreSQL {version}, without {', '.join(sorted(missing))}", advice)
    return ok("database", f"PostgreSQL {version}, with {', '.join(sorted(_POSTGRESQL_EXTENSIONS))}")


def migrations() -> CheckResult:
    """Checks that all migrations are applied."""
    executor = MigrationExecutor(connection)
    left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if left:
        detail = f"{len(left)} {'is' if len(left) == 1 else 'are'} not applied, beginning with {left[0][0]}"
        return fail("migrations", detail, MIGRATE)
    return ok("migrations", "all applied")


def task_queue() -> CheckResult:
    """Checks that the queue can be reached."""
    try:
        waiting = queue.waiting()
    except queue.QueueError as error:
        detail = f"it can't be reached ({type(error.__cause__ or error).__name__})"
        return fail(
            "queue", detail, "See that QUEUE_URL is right and that it runs; without one it is a file in DATA_DIR."
        )
    return ok("queue", f"reached; {waiting:,} task{'s wait' if waiting != 1 else ' waits'} in it")


def worker() -> CheckResult:
    """Checks the worker's heartbeat, and its last sync."""
    age, now = heartbeat.age(), timezone.now()
    advice = "Start one: `manage.py worker`, or `manage.py serve`, which runs one beside the server."
    if age is None:
        return fail("worker", "none has run yet", advice)
    if age > heartbeat.DEAD_AFTER:
        return fail("worker", f"the last heartbeat was {_ago(age)} ago", advice)
    detail = f"running, its last heartbeat was {_ago(age)} ago"
    if settings.ARCHIVE == "off":
        return ok("worker", detail)
    progress, run = Progress.objects.filter(pk=1).first(), SyncRun.objects.filter(pk=1).first()
    if progress is not None and progress.failure:
        return warn("worker", f"{detail}; the last sync failed", "See /sync/ for the reason.")
    if run is None:
        return warn("worker", f"{detail}; nothing is synced yet", "Look again in some minutes.")
    under_way = run.finished_at is None
    return ok("worker", f"{detail}; sync {'is running' if under_way else f'ended {_ago(now - run.updated_at)} ago'}")


def archive() -> CheckResult:
    """Checks that the archive is complete, and that the circuit breaker for deletions is closed."""
    if settings.ARCHIVE == "off":
        return ok("archive", "switched off")
    broken = open_breaker()
    if broken is not None:
        return fail(
            "archive",
            f"{broken.withheld:,} deletions at OpenAI are not marked: more than {broken.limit:,} in a day is unusual",
            "Look at them on /sync/, and mark them as deleted if that is right.",
        )
    found = completeness()
    if found.as_of is None:
        return warn("archive", f"not complete: {found.lacking[0].rstrip('.')}", "See /sync/ for all.")
    return ok("archive", f"complete as of {found.as_of:%Y-%m-%d %H:%M} UTC")


def erasures() -> CheckResult:
    """Checks that the erasures file agrees with the database: a restored backup is older."""
    if settings.ERASURES_FILE is None:
        return ok("erasures", "no file: the emulator's threads are made up")
    path = Path(settings.ERASURES_FILE)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return fail(
            "erasures",
            "the erasures file can't be written, so nothing can be erased",
            "See that ERASURES_FILE is right, and that this account may write it.",
        )
    try:
        found = replay.compare()
    except JournalError as error:
        return fail("erasures", str(error), "See that ERASURES_FILE is right.")
    if detail := replay.describe_problems(found):
        sentences, advice = zip(*detail, strict=True)
        return fail("erasures", " ".join(sentences).rstrip("."), " ".join(advice))
    return ok("erasures", f"the erasures file agrees with the database; it has {found.lines:,} lines")


def retention() -> CheckResult:
    """Checks that retention waits for no confirmation."""
    if not settings.RETENTION_DAYS:
        return ok("retention", "off")
    for job in Erasure.objects.filter(kind=Erasure.Kind.RETENTION, finished_at=None).exclude(held=""):
        detail = f"an order of {job.total or 0:,} threads waits: {job.held}"
        if job.needs_confirmation:
            return warn("retention", detail, "Have an account that may erase confirm it at /erasures/.")
        return warn("retention", detail, "It goes on by itself when that is over.")
    if refusal := last_refusal():
        return warn("retention", f"nothing is erased at the moment: {refusal}", "It tries again every hour.")
    return ok("retention", f"threads without a message for {settings.RETENTION_DAYS:,} days are erased")


def disk() -> CheckResult:
    """Checks the free space of DATA_DIR."""
    try:
        free = shutil.disk_usage(_existing(Path(settings.DATA_DIR))).free
    except OSError as error:
        return fail("disk", f"DATA_DIR can't be read ({type(error).__name__})", "See that DATA_DIR is right.")
    detail = f"{free / 2**30:.1f} GiB free where DATA_DIR is"
    advice = "Free some space, or move DATA_DIR: what can't be recorded is not done."
    if free < DISK_FAIL_BYTES:
        return fail("disk", detail, advice)
    return warn("disk", detail, advice) if free < DISK_WARN_BYTES else ok("disk", detail)


def files() -> CheckResult:
    """Checks that other OS accounts can't read DATA_DIR."""
    path = Path(settings.DATA_DIR)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return ok("files", "DATA_DIR does not exist yet; it will be readable by this account alone")
    except OSError as error:
        return fail("files", f"DATA_DIR can't be read ({type(error).__name__})", "See that DATA_DIR is right.")
    if mode & 0o077:
        detail = f"DATA_DIR is open to other accounts of this machine (mode {mode:03o})"
        return warn("files", detail, f"Run `chmod 700 {path}`: conversations and keys are in it.")
    return ok("files", "only this account can read DATA_DIR")


def security_settings() -> CheckResult:
    """Checks the security settings, all problems in one line."""
    hosts = settings.ALLOWED_HOSTS
    wrong = []
    if "*" in hosts:
        wrong.append("ALLOWED_HOSTS takes any name: name those that the desk is reached by")
    if not settings.EMULATOR:
        if len(settings.SECRET_KEY) < _MIN_KEY_LENGTH:
            wrong.append(f"SECRET_KEY has {len(settings.SECRET_KEY)} characters: give it {_MIN_KEY_LENGTH} random ones")
        if not settings.HTTPS:
            wrong.append("HTTPS is off: set BEHIND_PROXY=1 behind a proxy that speaks TLS, or HTTPS=1")
        if set(hosts) <= {"127.0.0.1", "localhost", "[::1]"}:
            wrong.append("ALLOWED_HOSTS names this machine alone: name what the desk is reached by")
    if wrong:
        return warn("settings", f"{len(wrong)} to change", "; ".join(wrong) + ".")
    return ok(
        "settings",
        "not checked for made-up data" if settings.EMULATOR else "HTTPS, hosts and secret key",
    )


def single_sign_on() -> CheckResult:
    """Checks that the last single sign-on had the claim with the roles."""
    name, claim = "single sign-on", settings.OIDC_ROLES_CLAIM
    if not settings.OIDC_ROLES:
        return ok(name, "administrators assign the roles, since OIDC_ROLES is not set")
    seen = RolesClaim.objects.filter(pk=1, claim=claim).first()
    if seen is None:
        return warn(name, f"nobody has signed in since OIDC_ROLES_CLAIM is {claim}", "Look again when somebody has.")
    detail = f"at the last sign-in, {_ago(timezone.now() - seen.at)} ago, the claim {claim}"
    if seen.problem:
        advice = f"Name another in OIDC_ROLES_CLAIM, or have the provider send it. There were: {', '.join(seen.names)}."
        return warn(name, f"{detail} {seen.problem}, so it gave no role", advice)
    return ok(name, f"{detail} was there")


def roles() -> CheckResult:
    """Checks that an active account may assign roles."""
    app, _, name = Right.ADMINISTER.partition(".")
    right = {"content_type__app_label": app, "codename": name}
    holds = Q(is_superuser=True)
    for way in ("groups__permissions", "user_permissions"):
        holds |= Q(**{f"{way}__{field}": value for field, value in right.items()})
    number = User.objects.filter(holds, is_active=True).distinct().count()
    if number:
        return ok("roles", f"{number} account{'s' if number != 1 else ''} may assign roles")
    if settings.EMULATOR:
        return warn("roles", "nobody may assign roles; the demo account is created at its first use")
    return fail("roles", "nobody may assign roles", "Run `manage.py createsuperuser`.")


def _sqlite() -> CheckResult:
    """Checks SQLite's features in memory, and that the file can be read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM sqlite_master")
    missing = []
    with closing(sqlite3.connect(":memory:")) as memory:
        for name, sql in _SQLITE_FEATURES.items():
            try:
                memory.execute(sql)
            except sqlite3.Error:
                missing.append(name)
    if missing:
        advice = "Use a Python whose SQLite has it, or PostgreSQL (DATABASE_URL)."
        return fail("database", f"SQLite {sqlite3.sqlite_version}, without {' and '.join(missing)}", advice)
    return ok("database", f"SQLite {sqlite3.sqlite_version}, with {' and '.join(_SQLITE_FEATURES)}")


def _database_advice() -> str:
    if connection.vendor == "sqlite":
        return "See that the file in DATA_DIR can be written, and that nothing keeps it locked."
    return "See that DATABASE_URL is right and that the server runs."


def _existing(path: Path) -> Path:
    """The path, or its nearest existing parent."""
    return next(each for each in (path, *path.parents) if each.exists())


def _ago(time: timedelta) -> str:
    seconds = max(0, round(time.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
