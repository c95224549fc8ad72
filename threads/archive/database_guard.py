"""Whose threads the database holds. Those of the emulator and of the API are kept apart, so that nobody who forgets the
key opens customers' threads to everybody who presses "Open the demo"; and those of one API project and of another, so
that neither is taken for the other's, nor its absence for a deletion.
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

from threads.audit.record import Action, Outcome, must
from threads.chatkit import ChatKitError, NotFound, OtherProject
from threads.lib.ttl_cache import Remembered
from threads.models import KnownUpstream, Origin
from threads.sources import upstream

from .models import ArchivedThread, Progress, current
from .sync.lease import Held

SAMPLE = 20
"""Kept threads, of different ages, that an upstream that is not known is asked for."""

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

_confirmed: Remembered[bool] = Remembered(30)
"""By a hash of the settings, whether they are known: a page must not ask the database each time. Another process may
adopt another upstream meanwhile."""


def claim() -> None:
    """Notes whose threads the database holds, where nobody has yet. Raises `ImproperlyConfigured` where it holds those
    of somebody else, and `DatabaseError`. An API that does not answer is no reason to refuse: the archive can be
    read."""
    noted = Origin.objects.first()
    if noted is None:
        if settings.EMULATOR and not _is_its_own() and ArchivedThread.objects.exists():
            raise ImproperlyConfigured(_WITHOUT_KEY)
        noted, _ = Origin.objects.get_or_create(pk=1, defaults={"emulator": settings.EMULATOR})
    if noted.emulator and not settings.EMULATOR and not ArchivedThread.objects.exists():
        # A demo that kept nothing, or a migration that ran without the key.
        Origin.objects.filter(pk=noted.pk).update(emulator=False)
    elif noted.emulator != settings.EMULATOR:
        raise ImproperlyConfigured(_WITHOUT_KEY if settings.EMULATOR else _WITH_KEY)
    try:
        confirm()
    except OtherProject as error:
        if error.certain:
            raise ImproperlyConfigured(error.detail) from None
    except ChatKitError:
        return


def confirm() -> None:
    """Returns where the upstream is known to be the one whose threads are kept: only then may anything of it be stored.
    Raises `OtherProject` where it answers and is not shown to be the same, and the `ChatKitError` of one that does not
    answer. Asks it only where these settings have never been confirmed."""
    if settings.EMULATOR or settings.ARCHIVE_ONLY:
        return
    given = str(hash((*_address(), settings.OPENAI_API_KEY)))
    if _confirmed.get(given):
        return
    identity = _identity()
    if not _rows(identity).exists() and ArchivedThread.objects.filter(former_at__isnull=True).exists():
        _compare()
    _rows(identity).get_or_create(defaults=dict(zip(_FIELDS, identity, strict=True)))
    _confirmed.put(given, True)


def adopt() -> int:
    """Accepts the upstream of the settings in place of the one that the threads came from: those are kept and never
    compared again. Returns how many. Raises `OtherProject` where it is the same upstream, the `ChatKitError` of one
    that does not answer, `HeldError` while a sync is under way, and `NotRecordedError`."""
    kept = ArchivedThread.objects.filter(former_at__isnull=True)
    try:
        if kept.exists():
            _compare()
    except OtherProject:
        pass
    else:
        raise OtherProject("This is the project that the threads came from: there is nothing to adopt.")
    lease, now = Held("sync"), timezone.now()
    try:
        with transaction.atomic():
            number = kept.update(former_at=now, missing_at=None, unlisted_at=None)
            Progress.objects.update(
                started_at=now, cursor=None, reached_end_at=None, swept_at=None, sweep_cursor=None,
                sweep_started_at=None, compared_at=None, unreadable=0, failed_at=None, failure=None,
            )  # fmt: skip
            KnownUpstream.objects.all().delete()
            identity = dict(zip(_FIELDS, _identity(), strict=True))
            KnownUpstream.objects.create(**identity)
            detail = {"adopted": identity["base_url"], "project": identity["project"], "threads": number}
            must(Action.ARCHIVE, Outcome.DONE, detail=detail)
    finally:
        lease.release()
    forget()
    return number


def unread_archive() -> str:
    """What to tell somebody who starts the demo beside an archive of the API's threads; "" where there is none."""
    beside = Path(settings.DATA_DIR) / "threadkeeper.sqlite3"
    if not settings.EMULATOR or not _is_its_own() or not beside.exists():
        return ""
    return (
        f"This is the demo, since OPENAI_API_KEY is not set. {beside} holds an archive of the API's threads: set "
        "ARCHIVE_ONLY=1 to read it without a key."
    )


def forget() -> None:
    """What this process knows is read anew."""
    _confirmed.clear()


_FIELDS = ("base_url", "organization", "project", "fingerprint")


def _address() -> tuple[str, str, str]:
    return settings.OPENAI_BASE_URL, settings.OPENAI_ORG_ID or "", settings.OPENAI_PROJECT_ID or ""


def _identity() -> tuple[str, str, str, str]:
    salt = Origin.objects.values_list("salt", flat=True).first() or ""
    # A key is random and long, so one round of a hash is enough to keep it.
    return *_address(), hashlib.sha256(f"{salt} {settings.OPENAI_API_KEY}".encode()).hexdigest()


def _rows(identity: tuple[str, str, str, str]) -> QuerySet[KnownUpstream]:
    return KnownUpstream.objects.filter(**dict(zip(_FIELDS, identity, strict=True)))


def _compare() -> None:
    """Returns where the upstream has one of the kept threads."""
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
    """The ids of some kept threads, from the newest to the oldest; of marked ones where there are no others."""
    there = current() if current().exists() else ArchivedThread.objects.filter(former_at__isnull=True)
    ends = there.aggregate(first=Min("number"), last=Max("number"))
    step = (ends["last"] - ends["first"]) / (SAMPLE - 1)
    asked = set()
    for number in range(SAMPLE):
        at = there.filter(number__lte=round(ends["last"] - number * step)).order_by("-number").first()
        if at is not None and at.number not in asked:
            asked.add(at.number)
            yield at.thread_id


def claim_for_command() -> None:
    """The same for a command. Raises `CommandError`; a database that is not there, or not migrated, it finds itself."""
    try:
        claim()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    except DatabaseError:
        return


def _is_its_own() -> bool:
    """Whether this is the file that only the emulator is given."""
    return connection.vendor == "sqlite" and Path(str(connection.settings_dict["NAME"])).name == "emulator.sqlite3"
