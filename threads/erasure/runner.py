"""Does an erasure, from where the last one who was at it came to."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from threading import Event

from django.conf import settings
from django.db import Error, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from threads.archive.deletions import Evidence
from threads.archive.store import word_index
from threads.audit.record import Action, Outcome, acting, must, record
from threads.chatkit import ChatKitClient, ChatKitError
from threads.exports.purge import forget
from threads.jobs.lease import LeaseLostError
from threads.roles import Right, may_now

from . import clock_check, deletion, journal, receipt, retention, targets, vacuum
from .journal import Note, What
from .models import Erasure, Target

log = logging.getLogger(__name__)

PAUSES = (1.0, 5.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 3600.0, 3600.0)
"""Seconds after the first failure of the upstream in a row, the second … When they are used up, what is left is given
up: after some four hours without one answer."""

_SHORT = 5.0
"""Seconds that are waited for here; for longer the job is left to whoever comes by then."""

_MOST_WAIT = 3600.0
"""Seconds that the upstream may ask to wait."""

MOST_LOOKS = 5
"""How often a user's list is looked through again while new threads keep arriving."""

_MOST_REMOVALS = 5
"""How often it is tried to remove stored exports."""

_AT_ONCE = 100
"""Threads that are looked up together, to be erased one by one."""

_LATER, _CLOCK_LATER, _CONFIRMED_LATER = timedelta(seconds=60), timedelta(minutes=10), 3600.0
"""After how long it is tried again where it can't be done now; where this machine's clock is wrong; and, in seconds,
after how long it is looked again whether somebody has confirmed it, who has it taken up at once."""

_OF_A_USER = (Erasure.Kind.USER, Erasure.Kind.COPIES)

NOT_ALLOWED = "no longer allowed: the account that asked for it may not erase any more"
NOT_WANTED = "no longer wanted: RETENTION_DAYS or RETENTION_STATUS has been changed since"


class WaitError(Exception):
    """The upstream is to be left alone for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class StoppedError(Exception):
    """This process is to end, or another erasure has its turn."""


def ready() -> QuerySet[Erasure]:
    """The erasures that nobody is at and whose time has come, oldest first."""
    # A time that lies further ahead than anything waits was noted by a clock that has been put back since.
    late = Q(again_at__gt=Now() + timedelta(seconds=2 * _MOST_WAIT))
    found = Erasure.to_do().filter(Q(again_at=None) | Q(again_at__lte=Now()) | late)
    return workable(found)


def workable(found: QuerySet[Erasure]) -> QuerySet[Erasure]:
    """Those that can be done as the settings are: the others wait for a time when OpenAI is asked again."""
    return found.filter(kind__in=Erasure.HERE) if settings.ARCHIVE_ONLY else found


def work(
    job: Erasure, client: ChatKitClient, stopped: Event, *, turn: float = math.inf, pauses: Sequence[float] = PAUSES
) -> None:
    """Does a job as far as it can be done now, unless somebody else is at it. Leaves it for later where the upstream,
    the database or the trail could not be had, and after a turn of so many seconds: then at least one more thread is
    through. A walk through a list is never left for that: the next turn would begin it anew."""
    if not job.claim():
        return
    with acting(job.actor):
        try:
            _Work(job, client, stopped, pauses, time.monotonic() + turn).through()
        except LeaseLostError:
            log.info("Another worker has taken over erasure %s.", job.pk)
        except StoppedError:
            job.let_go()
        except WaitError as wait:
            _leave(job, timedelta(seconds=wait.seconds))
        except clock_check.ClockError as error:
            _hold(job, str(error), _CLOCK_LATER)
        except journal.JournalError as error:
            _hold(job, str(error), _LATER)
        except Exception:  # the trail, the database, or a fault of ours; none must keep other erasures waiting
            log.exception("Erasure %s waits: it can't be done now.", job.pk)
            _leave(job, _LATER)


def _hold(job: Erasure, reason: str, pause: timedelta) -> None:
    """Leaves a job for later, which says why on its page, in the log, and in the trail when that begins."""
    log.error("Erasure %s waits: %s.", job.pk, reason)
    if not job.held:
        detail = {"erasure": str(job.pk), "kind": job.kind, "waits": reason}
        record(Action.ERASURE, Outcome.REFUSED, customer=job.customer, detail=detail, upstream_request_id="")
    with suppress(LeaseLostError, Error):
        job.keep(held=reason)
    _leave(job, pause)


def _leave(job: Erasure, pause: timedelta) -> None:
    try:
        job.keep(again_at=Now() + pause)
        job.let_go()
    except (LeaseLostError, Error):
        log.warning("Erasure %s is taken up again when its time here is over.", job.pk)


class _Work:
    def __init__(
        self, job: Erasure, client: ChatKitClient, stopped: Event, pauses: Sequence[float], ends: float
    ) -> None:
        self._job, self._client, self._stopped, self._pauses, self._ends = job, client, stopped, pauses, ends
        self._evidence = Evidence(client)

    def through(self) -> None:
        vacuum.prepare()
        job = self._job
        self._wait_to_be_confirmed()
        if job.kind in _OF_A_USER and job.customer and job.line is None:
            ((_, user),) = journal.hashed([job.user])
            job.keep(line=journal.append(Note(job.pk, What.ORDER, user=user)))
        while job.listed_at is None and not job.trouble:
            self._list()
        self._erase()
        while job.kind == Erasure.Kind.USER and job.looked_at is None and job.looks < MOST_LOOKS and not job.trouble:
            self._look()
            self._erase()
        self._clean()
        self._finish()

    def _wait_to_be_confirmed(self) -> None:
        if not self._job.awaits:
            return
        self._go_on()
        if not self._job.trouble:
            self._job.keep(phase="confirming")
            raise WaitError(_CONFIRMED_LATER)

    def _list(self) -> None:
        """All threads of the user: what is kept here, and what the upstream lists."""
        self._job.keep(phase="listing")
        for rows in targets.kept(self._job.user):
            self._go_on()
            targets.add(self._job, rows)
        if self._job.kind in Erasure.HERE or self._walk() is not None:
            self._job.keep(listed_at=timezone.now())

    def _look(self) -> None:
        """Whether threads of the user have arrived meanwhile."""
        self._job.keep(phase="looking")
        new = self._walk()
        if new is not None:
            self._job.keep(looks=self._job.looks + 1, looked_at=None if new else timezone.now())

    def _walk(self) -> int | None:
        """How many threads of the user were new; None where the list could not be had this time, or not any more."""
        walk, new, listed = targets.Walk(self._job.user), 0, 0
        try:
            for rows in walk.pages(self._client):
                self._go_on()
                if self._job.trouble:
                    return None
                new += targets.add(self._job, rows)
                listed += targets.gone(self._job, rows)
        except deletion.HOPELESS as error:
            self._give_up(error.detail)
            return None
        except ChatKitError as error:
            self._job.keep(tries=self._job.tries + 1)
            self._pause(error)
            return None
        found = {"others": walk.others, "lost": walk.lost, "listed": listed}
        self._job.keep(tries=0, traces=self._job.traces | found)
        return new

    def _erase(self) -> None:
        self._job.keep(phase="erasing")
        for target in self._open():
            self._go_on()
            if self._job.trouble:
                self._give_up(self._job.trouble)
                return
            try:
                deletion.step(self._job, target, self._client, self._evidence)
                if self._job.held:
                    self._job.keep(held="")
            except deletion.HOPELESS as error:
                self._give_up(error.detail)
                return
            except ChatKitError as error:
                deletion.failed(self._job, target, error)
                if not self._pause(error):
                    return
            if time.monotonic() > self._ends:
                raise StoppedError

    def _open(self) -> Iterator[Target]:
        """What has no end yet, those first that were tried the least. Some at a time: to find them takes longer the
        more there are of all."""
        some = self._job.targets.filter(state__in=Target.OPEN).order_by("attempts", "id")[:_AT_ONCE]
        while found := list(some.all()):
            yield from found

    def _go_on(self) -> None:
        """Raises `StoppedError`; notes why it may not go on."""
        if self._stopped.is_set():
            raise StoppedError
        if not self._job.trouble and (refusal := _refusal(self._job)):
            self._job.keep(trouble=refusal)

    def _pause(self, error: ChatKitError) -> bool:
        """Waits, or gives up: returns whether there is hope. Raises `WaitError` where the wait is long."""
        tries = self._job.tries
        if tries > len(self._pauses):
            self._give_up(error.detail)
            return False
        seconds = max(self._pauses[max(tries, 1) - 1], min(error.retry_after or 0.0, _MOST_WAIT))
        if seconds > _SHORT:
            raise WaitError(seconds)
        self._stopped.wait(seconds)
        return True

    def _give_up(self, reason: str) -> None:
        """Nothing more can be done at the upstream: what is left says why."""
        self._job.keep(trouble=reason)
        for target in self._open():
            deletion.give_up(self._job, target, reason)

    def _clean(self) -> None:
        """What else there is of the threads here: stored exports, words that are remembered, bytes in files."""
        job = self._job
        job.keep(phase="traces")
        clean = job.targets.filter(state__in=Target.CLEAN)
        if not clean.exists():
            return
        # Single threads may be anybody's.
        of_one = job.customer if job.kind == Erasure.Kind.USER else None
        try:
            exports = job.traces.get("exports", 0) + forget(clean.values_list("thread_id", flat=True), of_one)
            job.keep(traces=job.traces | {"exports": exports})
        except OSError as error:
            log.exception("Exports could not be removed for erasure %s.", job.pk)
            if job.tries < _MOST_REMOVALS:
                job.keep(tries=job.tries + 1)
                raise WaitError(_LATER.total_seconds()) from error
            job.keep(trouble="a stored export could not be removed: see the log")
        word_index.forget_known()
        job.keep(traces=job.traces | {"files": vacuum.scrub(job.keep)})

    def _finish(self) -> None:
        job = self._job
        states = dict(job.targets.values_list("state").annotate(Count("pk")))
        whole = not receipt.is_cut_short(job) and not {Target.State.FAILED, Target.State.UNKNOWN} & states.keys()
        line = journal.append(Note(job.pk, What.END)) or job.line
        with transaction.atomic():
            job.end(again_at=None, held="", line=line)
            must(
                Action.ERASURE,
                Outcome.DONE if whole else Outcome.PARTIAL,
                customer=job.customer,
                detail={"erasure": str(job.pk), "kind": job.kind, **states},
                upstream_request_id="",
            )


def _refusal(job: Erasure) -> str:
    """Why it may not go on, "" where it may. What no person asked for needs nobody's right."""
    if job.kind == Erasure.Kind.REPLAY:
        return ""
    if job.kind == Erasure.Kind.RETENTION:
        return "" if retention.is_wanted(job.rule) else NOT_WANTED
    return "" if job.who_id and may_now(job.who_id, Right.ERASE) else NOT_ALLOWED
