"""Does an erasure, from where the last one who was at it came to."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from django.db import DatabaseError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from threads.archive import index
from threads.audit.record import Action, NotRecordedError, Outcome, acting, must
from threads.chatkit import ChatKitClient, ChatKitError
from threads.chatkit.trace import Trace, trace
from threads.exports.forget import forget
from threads.jobs import JobLostError
from threads.roles import Right, may_now

from . import gather, one, scrub
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

_LATER = timedelta(seconds=60)
NOT_ALLOWED = "no longer allowed: the account that asked for it may not erase any more"


class Stop(Protocol):
    """As an Event has it."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float, /) -> object: ...


class WaitError(Exception):
    """The upstream is to be left alone for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class StoppedError(Exception):
    """This process is to end, or another erasure has its turn."""


def ready() -> QuerySet[Erasure]:
    """The erasures that nobody is at and whose time has come, oldest first."""
    return Erasure.to_do().filter(Q(again_at=None) | Q(again_at__lte=timezone.now()))


def work(job: Erasure, client: ChatKitClient, stopped: Stop, *, pauses: Sequence[float] = PAUSES) -> None:
    """Does a job as far as it can be done now, unless somebody else is at it. Leaves it for later where the upstream,
    the database or the trail could not be had."""
    if not job.claim():
        return
    with acting(job.actor), _traced(job):
        try:
            _Work(job, client, stopped, pauses).through()
        except JobLostError:
            log.info("Another worker has taken over erasure %s.", job.pk)
        except StoppedError:
            job.let_go()
        except WaitError as wait:
            _leave(job, timedelta(seconds=wait.seconds))
        except (NotRecordedError, DatabaseError):
            log.exception("Erasure %s waits: it can't be recorded, or the database could not be had.", job.pk)
            _leave(job, _LATER)


def _leave(job: Erasure, pause: timedelta) -> None:
    try:
        job.keep(again_at=timezone.now() + pause)
        job.let_go()
    except (JobLostError, DatabaseError):
        log.warning("Erasure %s is taken up again when its time here is over.", job.pk)


@contextmanager
def _traced(job: Erasure) -> Iterator[None]:
    token = trace.set(Trace(job.request_id or job.pk.hex))
    try:
        yield
    finally:
        trace.reset(token)


class _Work:
    def __init__(self, job: Erasure, client: ChatKitClient, stopped: Stop, pauses: Sequence[float]) -> None:
        self._job, self._client, self._stopped, self._pauses = job, client, stopped, pauses

    def through(self) -> None:
        scrub.prepare()
        job = self._job
        while job.listed_at is None and not job.trouble:
            self._list()
        self._erase()
        while job.kind == Erasure.Kind.USER and job.looked_at is None and job.looks < MOST_LOOKS and not job.trouble:
            self._look()
            self._erase()
        self._clean()
        self._finish()

    def _list(self) -> None:
        """All threads of the user: what is kept here, and what the upstream lists."""
        self._job.keep(phase="listing")
        gather.add(self._job, gather.kept(self._job.customer))
        if self._job.kind == Erasure.Kind.COPIES or self._walk() is not None:
            self._job.keep(listed_at=timezone.now())

    def _look(self) -> None:
        """Whether threads of the user have arrived meanwhile."""
        self._job.keep(phase="looking")
        new = self._walk()
        if new is not None:
            self._job.keep(looks=self._job.looks + 1, looked_at=None if new else timezone.now())

    def _walk(self) -> int | None:
        """How many threads of the user were new; None where the list could not be had this time, or not any more."""
        walk, new = gather.Walk(self._job.customer), 0
        try:
            for rows in walk.pages(self._client):
                self._go_on()
                if self._job.trouble:
                    return None
                new += gather.add(self._job, rows)
        except one.HOPELESS as error:
            self._give_up(error.detail)
            return None
        except ChatKitError as error:
            self._job.keep(tries=self._job.tries + 1)
            self._pause(error)
            return None
        self._job.keep(tries=0, traces=self._job.traces | {"others": walk.others, "lost": walk.lost})
        return new

    def _erase(self) -> None:
        self._job.keep(phase="erasing")
        while target := self._next():
            self._go_on()
            if self._job.trouble:
                self._give_up(self._job.trouble)
                return
            try:
                one.step(self._job, target, self._client)
            except one.HOPELESS as error:
                self._give_up(error.detail)
            except ChatKitError as error:
                one.failed(self._job, target, error)
                self._pause(error)

    def _next(self) -> Target | None:
        return self._job.targets.filter(state__in=Target.OPEN).order_by("attempts", "id").first()

    def _go_on(self) -> None:
        """Raises `StoppedError`; notes where the one who asked for it may not erase any more."""
        if self._stopped.is_set():
            raise StoppedError
        if not self._job.trouble and not _is_allowed(self._job):
            self._job.keep(trouble=NOT_ALLOWED)

    def _pause(self, error: ChatKitError) -> None:
        """Waits as long as there is hope. Raises `WaitError` where that is long."""
        tries = self._job.tries
        if tries > len(self._pauses):
            self._give_up(error.detail)
            return
        seconds = max(self._pauses[max(tries, 1) - 1], min(error.retry_after or 0.0, _MOST_WAIT))
        if seconds > _SHORT:
            raise WaitError(seconds)
        self._stopped.wait(seconds)

    def _give_up(self, reason: str) -> None:
        """Nothing more can be done at the upstream: what is left says why."""
        self._job.keep(trouble=reason)
        while target := self._next():
            one.give_up(self._job, target, reason)

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
        index.forget_known()
        job.keep(traces=job.traces | {"files": scrub.scrub(job.keep)})

    def _finish(self) -> None:
        job = self._job
        states = dict(job.targets.values_list("state").annotate(Count("pk")))
        whole = not job.trouble and not {Target.State.FAILED, Target.State.UNKNOWN} & states.keys()
        with transaction.atomic():
            job.end(again_at=None)
            must(
                Action.ERASURE,
                Outcome.DONE if whole else Outcome.PARTIAL,
                customer=job.customer,
                detail={"erasure": str(job.pk), "kind": job.kind, **states},
                upstream_request_id="",
            )


def _is_allowed(job: Erasure) -> bool:
    """What no person asked for needs nobody's right."""
    if job.kind == Erasure.Kind.RETENTION:
        return True
    return bool(job.who_id) and may_now(job.who_id, Right.ERASE)
