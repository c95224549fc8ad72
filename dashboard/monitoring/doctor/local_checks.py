"""This machine, and what the desk keeps."""

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
from threads.archive.deletions import breaker
from threads.archive.models import Progress, Run
from threads.erasure import replay
from threads.erasure.journal import JournalError
from threads.erasure.models import Erasure
from threads.erasure.retention import last_refusal
from threads.jobs import queue
from threads.roles import Right

from .finding import Finding, doubtful, failed, fine

LITTLE, TOO_LITTLE = 2**30, 100 * 2**20
"""Bytes that are free, below which it is time to do something, and below which it is late."""

_OFF, _FAR_OFF = 10.0, 300.0
"""Seconds that a clock is off, from which it is noticed, and from which sign-ins and leases go wrong."""

MIGRATE = "Run `manage.py migrate`."

_KEY_LENGTH = 50
_EXTENSIONS = {"pg_trgm"}
_WANTED = {"FTS5": "CREATE VIRTUAL TABLE words USING fts5(word)", "JSON": "SELECT json('{}')"}


def clock_of(ahead: float | None) -> Finding:
    """`ahead` is how many seconds the clock is ahead of the upstream's."""
    if ahead is None:
        return doubtful("clock", "the upstream did not say what time it is")
    said = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the upstream's"
    advice = "Have the machine keep its clock by NTP."
    if abs(ahead) >= _FAR_OFF:
        return failed("clock", said, advice)
    return doubtful("clock", said, advice) if abs(ahead) >= _OFF else fine("clock", said)


def database() -> Finding:
    try:
        if connection.vendor == "sqlite":
            return _sqlite()
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0].split()[0]
            cursor.execute("SELECT extname FROM pg_extension")
            missing = _EXTENSIONS - {name for (name,) in cursor.fetchall()}
    except DatabaseError as error:
        return failed("database", f"it can't be used ({type(error).__name__})", _database_advice())
    if missing:
        advice = (
            f"{MIGRATE[:-1]}, which makes it; where the desk's account may not, have the database's administrator run "
            f"CREATE EXTENSION {', '.join(sorted(missing))};"
        )
        return failed("database", f"PostgreSQL {version}, without {', '.join(sorted(missing))}", advice)
    return fine("database", f"PostgreSQL {version}, with {', '.join(sorted(_EXTENSIONS))}")


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if left:
        said = f"{len(left)} {'is' if len(left) == 1 else 'are'} not applied, beginning with {left[0][0]}"
        return failed("migrations", said, MIGRATE)
    return fine("migrations", "all applied")


def queue_() -> Finding:
    try:
        waiting = queue.waiting()
    except queue.QueueError as error:
        said = f"it can't be reached ({type(error.__cause__ or error).__name__})"
        return failed(
            "queue", said, "See that QUEUE_URL is right and that it runs; without one it is a file in DATA_DIR."
        )
    return fine("queue", f"reached; {waiting:,} task{'s wait' if waiting != 1 else ' waits'} in it")


def worker() -> Finding:
    age, now = heartbeat.age(), timezone.now()
    advice = "Start one: `manage.py worker`, or `manage.py serve`, which runs one beside the server."
    if age is None:
        return failed("worker", "none has ever run", advice)
    if age > heartbeat.DEAD:
        return failed("worker", f"none has said for {_ago(age)} that it lives", advice)
    said = f"one lives, and said so {_ago(age)} ago"
    if settings.ARCHIVE == "off":
        return fine("worker", said)
    progress, run = Progress.objects.filter(pk=1).first(), Run.objects.filter(pk=1).first()
    if progress is not None and progress.failure:
        return doubtful("worker", f"{said}; its last run of the copying failed", "See /archive/, which says why.")
    if run is None:
        return doubtful("worker", f"{said}; nothing has been copied yet", "Look again in some minutes.")
    under_way = run.ended_at is None
    return fine(
        "worker", f"{said}; copying {'is under way' if under_way else f'ended {_ago(now - run.updated_at)} ago'}"
    )


def archive() -> Finding:
    """Whether anything keeps the archive from following the API, or is for an administrator to decide."""
    if settings.ARCHIVE == "off":
        return fine("archive", "switched off")
    broken = breaker()
    if broken is not None:
        return failed(
            "archive",
            f"{broken.withheld:,} deletions at OpenAI are not marked: more than {broken.limit:,} in a day is unusual",
            "Look at them on the archive's page, and accept them if they were meant.",
        )
    found = completeness()
    if found.as_of is None:
        return doubtful("archive", f"not complete: {found.lacking[0].rstrip('.')}", "See /archive/, which has all.")
    return fine("archive", f"complete as of {found.as_of:%Y-%m-%d %H:%M} UTC")


def erasures() -> Finding:
    """Whether the erasures file agrees with the database: a restored backup is older than it."""
    if settings.ERASURES_FILE is None:
        return fine("erasures", "no file: the emulator's threads are made up")
    path = Path(settings.ERASURES_FILE)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return failed(
            "erasures",
            "the erasures file can't be written, so nothing can be erased",
            "See that ERASURES_FILE is right, and that this account may write it.",
        )
    try:
        found = replay.standing()
    except JournalError as error:
        return failed("erasures", str(error), "See that ERASURES_FILE is right.")
    if said := replay.described(found):
        sentences, advice = zip(*said, strict=True)
        return failed("erasures", " ".join(sentences).rstrip("."), " ".join(advice))
    return fine("erasures", f"the erasures file agrees with the database; it has {found.lines:,} lines")


def retention() -> Finding:
    """Whether retention waits for somebody."""
    if not settings.RETENTION_DAYS:
        return fine("retention", "off")
    for job in Erasure.objects.filter(kind=Erasure.Kind.RETENTION, ended_at=None).exclude(held=""):
        said = f"an order of {job.total or 0:,} threads waits: {job.held}"
        if job.awaits:
            return doubtful("retention", said, "Have an account that may erase confirm it at /erasures/.")
        return doubtful("retention", said, "It goes on by itself when that is over.")
    if refusal := last_refusal():
        return doubtful("retention", f"nothing is erased at present: {refusal}", "It is tried again every hour.")
    return fine("retention", f"threads without a message for {settings.RETENTION_DAYS:,} days are erased")


def disk() -> Finding:
    try:
        free = shutil.disk_usage(_existing(Path(settings.DATA_DIR))).free
    except OSError as error:
        return failed("disk", f"DATA_DIR can't be looked at ({type(error).__name__})", "See that DATA_DIR is right.")
    said = f"{free / 2**30:.1f} GiB free where DATA_DIR is"
    advice = "Make room, or move DATA_DIR: without room nothing can be recorded, and what can't be is not done."
    if free < TOO_LITTLE:
        return failed("disk", said, advice)
    return doubtful("disk", said, advice) if free < LITTLE else fine("disk", said)


def files() -> Finding:
    """Whether others of this machine can look into what the desk keeps in files."""
    path = Path(settings.DATA_DIR)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return fine("files", "DATA_DIR is not there yet; it is made for this account alone")
    except OSError as error:
        return failed("files", f"DATA_DIR can't be looked at ({type(error).__name__})", "See that DATA_DIR is right.")
    if mode & 0o077:
        said = f"DATA_DIR is open to other accounts of this machine (mode {mode:03o})"
        return doubtful("files", said, f"Run `chmod 700 {path}`: conversations and keys are in it.")
    return fine("files", "DATA_DIR is for this account alone")


def safety() -> Finding:
    """Of what makes the desk safe: whatever is missing, in one line."""
    hosts = settings.ALLOWED_HOSTS
    wrong = []
    if "*" in hosts:
        wrong.append("ALLOWED_HOSTS takes any name: name those that the desk is reached by")
    if not settings.EMULATOR:
        if len(settings.SECRET_KEY) < _KEY_LENGTH:
            wrong.append(f"SECRET_KEY has {len(settings.SECRET_KEY)} characters: give it {_KEY_LENGTH} random ones")
        if not settings.HTTPS:
            wrong.append("HTTPS is off: set BEHIND_PROXY=1 behind a proxy that speaks TLS, or HTTPS=1")
        if set(hosts) <= {"127.0.0.1", "localhost", "[::1]"}:
            wrong.append("ALLOWED_HOSTS names this machine alone: name what the desk is reached by")
    if wrong:
        return doubtful("settings", f"{len(wrong)} to look at", "; ".join(wrong) + ".")
    return fine(
        "settings", "nothing in the emulator's need be safe" if settings.EMULATOR else "HTTPS, hosts and secret key"
    )


def single_sign_on() -> Finding:
    """Whether the claim that gives roles was there when somebody last signed in by the provider."""
    name, claim = "single sign-on", settings.OIDC_ROLES_CLAIM
    if not settings.OIDC_ROLES:
        return fine(name, "administrators give the roles, since OIDC_ROLES is not set")
    seen = RolesClaim.objects.filter(pk=1, claim=claim).first()
    if seen is None:
        return doubtful(
            name, f"nobody has signed in since OIDC_ROLES_CLAIM is {claim}", "Look again when somebody has."
        )
    said = f"at the last sign-in, {_ago(timezone.now() - seen.at)} ago, the claim {claim}"
    if seen.problem:
        advice = f"Name another in OIDC_ROLES_CLAIM, or have the provider send it. There were: {', '.join(seen.names)}."
        return doubtful(name, f"{said} {seen.problem}, so it gave no role", advice)
    return fine(name, f"{said} was there")


def roles() -> Finding:
    app, _, name = Right.ADMINISTER.partition(".")
    right = {"content_type__app_label": app, "codename": name}
    holds = Q(is_superuser=True)
    for way in ("groups__permissions", "user_permissions"):
        holds |= Q(**{f"{way}__{field}": value for field, value in right.items()})
    number = User.objects.filter(holds, is_active=True).distinct().count()
    if number:
        return fine("roles", f"{number} account{'s' if number != 1 else ''} may give roles")
    if settings.EMULATOR:
        return doubtful("roles", "nobody may give roles; the demo account is made when it is first used")
    return failed("roles", "nobody may give roles", "Run `manage.py createsuperuser`.")


def _sqlite() -> Finding:
    """What a SQLite can do is asked of a database in memory; of the file, whether it can be read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM sqlite_master")
    missing = []
    with closing(sqlite3.connect(":memory:")) as memory:
        for name, sql in _WANTED.items():
            try:
                memory.execute(sql)
            except sqlite3.Error:
                missing.append(name)
    if missing:
        advice = "Use a Python whose SQLite has it, or PostgreSQL (DATABASE_URL)."
        return failed("database", f"SQLite {sqlite3.sqlite_version}, without {' and '.join(missing)}", advice)
    return fine("database", f"SQLite {sqlite3.sqlite_version}, with {' and '.join(_WANTED)}")


def _database_advice() -> str:
    if connection.vendor == "sqlite":
        return "See that the file in DATA_DIR can be written, and that nothing keeps it locked."
    return "See that DATABASE_URL is right and that the server runs."


def _existing(path: Path) -> Path:
    """The directory, or the one in which it will be made."""
    return next(each for each in (path, *path.parents) if each.exists())


def _ago(time: timedelta) -> str:
    seconds = max(0, round(time.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
