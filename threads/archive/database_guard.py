"""Guards a database against the wrong upstream: it holds the threads of the emulator or of one API project.

If the emulator's and the API's threads were mixed, a forgotten key would open customers' threads to everybody who
presses "Open the demo". If those of two projects were, threads that the other project does not have would be taken for
deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from threads.audit.record import Action, Outcome, record_or_raise
from threads.chatkit import ChatKitError, NotFound, OtherProject
from threads.lib.ttl_cache import TTLCache
from threads.models import KnownUpstream, Origin
from threads.sources import upstream

from .models import ArchivedThread, Progress, current
from .sync.lease import ArchiveLease

SAMPLE = 20
"""Archived threads, of different ages, that are looked for in an unknown upstream."""

_WITHOUT_KEY = (
    "This database holds the threads of the API, and OPENAI_API_KEY is not set. Set it; or set ARCHIVE_ONLY=1, to read "
    "what is here without asking OpenAI; or, to see the demo, name another database with DATABASE_URL or DATA_DIR."
)
_WITH_KEY = (
    "This database holds the emulator's made-up threads, and OPENAI_API_KEY or ARCHIVE_ONLY is set. Name another "
    "database with DATABASE_URL or DATA_DIR, so that they do not get among your customers'."
)
_OTHER = (
    "The API at {base_url} has none of the threads that this database holds, so it is another project's. Set "
    "OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID and OPENAI_PROJECT_ID to those that the threads came from; or name "
    "another database with DATABASE_URL or DATA_DIR; or, to keep the threads that are here and go on with those of "
    "this project, run `manage.py archive adopt`."
)

_confirmed: TTLCache[bool] = TTLCache(30)
"""Verified upstreams, by a hash of the settings, so that not every page queries the database. Kept for 30 seconds,
since another process may adopt another upstream."""


def claim() -> None:
    """Claims the database for the upstream of the settings, if it is new. Raises `ImproperlyConfigured` if it holds
    the threads of another one, and `DatabaseError`. Accepts an API that does not answer: the archive can be read."""
    noted = Origin.objects.first()
    if noted is None:
        if settings.EMULATOR and not _is_emulator_file() and ArchivedThread.objects.exists():
            raise ImproperlyConfigured(_WITHOUT_KEY)
        noted, _ = Origin.objects.get_or_create(pk=1, defaults={"emulator": settings.EMULATOR})
    if noted.emulator and not settings.EMULATOR and not ArchivedThread.objects.exists():
        # Claimed by a demo that stored nothing, or by a migration that ran without the key.
        Origin.objects.filter(pk=noted.pk).update(emulator=False)
    elif noted.emulator != settings.EMULATOR:
        raise ImproperlyConfigured(_WITHOUT_KEY if settings.EMULATOR else _WITH_KEY)
    try:
        verify_upstream()
    except OtherProject as error:
        if error.certain:
            raise ImproperlyConfigured(error.detail) from None
    except ChatKitError:
        return


def verify_upstream() -> None:
    """Verifies that the upstream of the settings is the one that the archived threads came from; only then may its
    threads be stored. Calls it only if these settings were never verified. Raises `OtherProject` if it has none of the
    archived threads, and the `ChatKitError` of a failed call."""
    if settings.EMULATOR or settings.ARCHIVE_ONLY:
        return
    cache_key = str(hash((*_address(), settings.OPENAI_API_KEY)))
    if _confirmed.get(cache_key):
        return
    identity = _identity()
    if not _rows(identity).exists() and ArchivedThread.objects.filter(former_at__isnull=True).exists():
        _compare()
    _rows(identity).get_or_create(defaults=dict(zip(_FIELDS, identity, strict=True)))
    _confirmed.put(cache_key, True)


def adopt_upstream() -> int:
    """Adopts the upstream of the settings in place of the one that the archived threads came from, which stay and are
    never compared again. Returns how many. Raises `OtherProject` if it is the same upstream, the `ChatKitError` of a
    failed call, `LeaseHeldError` while a sync runs, and `NotRecordedError`."""
    kept = ArchivedThread.objects.filter(former_at__isnull=True)
    try:
        if kept.exists():
            _compare()
    except OtherProject:
        pass
    else:
        raise OtherProject("This is the project that the threads came from: there is nothing to adopt.")
    lease, now = ArchiveLease("sync"), timezone.now()
    try:
        with transaction.atomic():
            number = kept.update(former_at=now, withheld_at=None, unlisted_at=None)
            Progress.objects.update(
                started_at=now, cursor=None, reached_end_at=None, swept_at=None, sweep_cursor=None,
                sweep_started_at=None, compared_at=None, unreadable=0, failed_at=None, failure=None,
            )  # fmt: skip
            KnownUpstream.objects.all().delete()
            identity = dict(zip(_FIELDS, _identity(), strict=True))
            KnownUpstream.objects.create(**identity)
            detail = {"adopted": identity["base_url"], "project": identity["project"], "threads": number}
            record_or_raise(Action.ARCHIVE, Outcome.DONE, detail=detail)
    finally:
        lease.release()
    clear_cache()
    return number


def unused_archive_hint() -> str:
    """A hint for the start of the demo, if DATA_DIR contains an archive of the API's threads too; else ""."""
    beside = Path(settings.DATA_DIR) / "threadkeeper.sqlite3"
    if not settings.EMULATOR or not _is_emulator_file() or not beside.exists():
        return ""
    return (
        f"This is the demo, since OPENAI_API_KEY is not set. {beside} holds an archive of the API's threads: set "
        "ARCHIVE_ONLY=1 to read it without a key."
    )


def clear_cache() -> None:
    """Clears the cache of verified upstreams."""
    _confirmed.clear()


_FIELDS = ("base_url", "organization", "project", "fingerprint")


def _address() -> tuple[str, str, str]:
    return settings.OPENAI_BASE_URL, settings.OPENAI_ORG_ID or "", settings.OPENAI_PROJECT_ID or ""


def _identity() -> tuple[str, str, str, str]:
    salt = Origin.objects.values_list("salt", flat=True).first() or ""
    # A key is long and random, so a single hash is enough.
    return *_address(), hashlib.sha256(f"{salt} {settings.OPENAI_API_KEY}".encode()).hexdigest()


def _rows(identity: tuple[str, str, str, str]) -> QuerySet[KnownUpstream]:
    return KnownUpstream.objects.filter(**dict(zip(_FIELDS, identity, strict=True)))


def _compare() -> None:
    """Returns if the upstream has one of the archived threads. Raises `OtherProject` if not."""
    client = upstream.client()
    for thread_id in _sample():
        try:
            client.retrieve_thread(thread_id)
        except NotFound:
            continue
        return
    if client.list_threads(limit=1).rows:
        error = OtherProject(_OTHER.format(base_url=settings.OPENAI_BASE_URL))
        error.certain = True
        raise error
    raise OtherProject("OpenAI answers, and shows neither any thread nor one of those that are kept here")


def _sample() -> Iterator[str]:
    """The ids of up to `SAMPLE` archived threads, from the newest to the oldest; of deleted ones if there are no
    others."""
    there = current() if current().exists() else ArchivedThread.objects.filter(former_at__isnull=True)
    ends = there.aggregate(first=Min("number"), last=Max("number"))
    step = (ends["last"] - ends["first"]) / (SAMPLE - 1)
    taken = set()
    for index in range(SAMPLE):
        thread = there.filter(number__lte=round(ends["last"] - index * step)).order_by("-number").first()
        if thread is not None and thread.number not in taken:
            taken.add(thread.number)
            yield thread.thread_id


def claim_for_command() -> None:
    """`claim` for a command. Raises `CommandError`. Ignores a `DatabaseError`, which the command reports itself."""
    try:
        claim()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    except DatabaseError:
        return


def _is_emulator_file() -> bool:
    """Whether the database is the file that only the emulator uses."""
    return connection.vendor == "sqlite" and Path(str(connection.settings_dict["NAME"])).name == "emulator.sqlite3"
