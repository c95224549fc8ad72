"""Runs an erasure, from where the last worker that held it left off."""

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

from threads.archive.deletion_evidence import DeletionChecker
from threads.archive.store import word_index
from threads.audit.record import Action, Outcome, acting_as, record, record_or_raise
from threads.chatkit import PERMANENT_ERRORS, ChatKitClient, ChatKitError
from threads.exports.after_erasure import remove_for_erased
from threads.jobs.lease import LeaseLostError
from threads.roles import Right, has_right_now

from . import clock_check, erase_thread, journal, receipt, retention, user_threads, vacuum
from .journal import EntryKind, NewEntry
from .models import Erasure, Target

log = logging.getLogger(__name__)

PAUSES = (1.0, 5.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 3600.0, 3600.0)
"""Backoff: seconds to wait after the first failed upstream call in a row, the second and so on. After the last one, in
some four hours without an answer, the rest is given up."""

_SHORT_SECONDS = 5.0
"""The longest pause that is slept here; for a longer one the job is released until then."""

_MAX_RETRY_AFTER_SECONDS = 3600.0
"""The longest Retry-After of the upstream that is respected."""

MAX_LOOKS = 5
"""How often a user's list is read again at the end while new threads keep arriving."""

_MAX_PURGES, _BATCH = 5, 100
"""Attempts to remove stored exports, and targets that one query reads."""

_RETRY, _RETRY_CLOCK = timedelta(seconds=60), timedelta(minutes=10)
"""Delays of the next try after a failure here, and while this machine's clock is wrong."""

_CONFIRMATION_SECONDS = 3600.0
"""Delay of the next look at an order that waits for confirmation, which wakes it at once."""

_OF_A_USER = (Erasure.Kind.USER, Erasure.Kind.COPIES)

NOT_ALLOWED = "no longer allowed: the account that asked for it may not erase any more"
NOT_WANTED = "no longer wanted: RETENTION_DAYS or RETENTION_STATUS has been changed since"


class WaitError(Exception):
    """The erasure goes on in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class TurnOverError(Exception):
    """The worker stops, or it is another erasure's turn."""


def ready() -> QuerySet[Erasure]:
    """The erasures that no worker holds and that are due, oldest first."""
    # A time further ahead than any delay is from before the clock was put back.
    bogus = Q(retry_at__gt=Now() + timedelta(seconds=2 * _MAX_RETRY_AFTER_SECONDS))
    return workable(Erasure.to_do().filter(Q(retry_at=None) | Q(retry_at__lte=Now()) | bogus))


def workable(found: QuerySet[Erasure]) -> QuerySet[Erasure]:
    """Those that can run with these settings: under ARCHIVE_ONLY, only those that make no upstream call."""
    return found.filter(kind__in=Erasure.LOCAL) if settings.ARCHIVE_ONLY else found


def work(
    job: Erasure, client: ChatKitClient, stopped: Event, *, turn: float = math.inf, pauses: Sequence[float] = PAUSES
) -> None:
    """Runs an erasure as far as possible, unless another worker holds it.

    Releases it for later when the upstream, the database or the audit log fails, when `stopped` is set, and after a
    turn of so many seconds with at least one thread done. A listing is not interrupted for the turn's sake: the next
    turn would start it again. Raises nothing: failures are logged, so that other erasures go on."""
    if not job.claim():
        return
    with acting_as(job.actor):
        try:
            _Run(job, client, stopped, pauses, time.monotonic() + turn).run()
        except LeaseLostError:
            log.info("Another worker has taken over erasure %s.", job.pk)
        except TurnOverError:
            job.release()
        except WaitError as wait:
            _postpone(job, timedelta(seconds=wait.seconds))
        except clock_check.ClockError as error:
            _hold_back(job, str(error), _RETRY_CLOCK)
        except journal.JournalError as error:
            _hold_back(job, str(error), _RETRY)
        except Exception:  # the audit log, the database, or a bug
            log.exception("Erasure %s waits: it can't be done now.", job.pk)
            _postpone(job, _RETRY)


def _hold_back(job: Erasure, reason: str, delay: timedelta) -> None:
    """Postpones a job and says why: on its page, in the log and, the first time, in the audit log."""
    log.error("Erasure %s waits: %s.", job.pk, reason)
    if not job.held:
        detail = {"erasure": str(job.pk), "kind": job.kind, "waits": reason}
        record(Action.ERASURE, Outcome.REFUSED, user_id=job.user_id, detail=detail, upstream_request_id="")
    with suppress(LeaseLostError, Error):
        job.renew(held=reason)
    _postpone(job, delay)


def _postpone(job: Erasure, delay: timedelta) -> None:
    try:
        job.renew(retry_at=Now() + delay)
        job.release()
    except (LeaseLostError, Error):
        log.warning("Erasure %s goes on when its lease has expired.", job.pk)


class _Run:
    """One turn of an erasure. `ends` is a moment of `time.monotonic`."""

    def __init__(
        self, job: Erasure, client: ChatKitClient, stopped: Event, pauses: Sequence[float], ends: float
    ) -> None:
        self._job, self._client, self._stopped, self._pauses, self._ends = job, client, stopped, pauses, ends
        self._evidence = DeletionChecker(client)

    def run(self) -> None:
        vacuum.prepare()
        job = self._job
        self._require_confirmation()
        if job.kind in _OF_A_USER and job.user_id and job.journal_line is None:
            ((_, user),) = journal.user_hashes([job.user])
            job.renew(journal_line=journal.append(NewEntry(job.pk, EntryKind.ORDER, user=user)))
        while job.listed_at is None and not job.error:
            self._list()
        self._erase()
        while job.kind == Erasure.Kind.USER and job.looked_at is None and job.looks < MAX_LOOKS and not job.error:
            self._look_again()
            self._erase()
        self._clean_up()
        self._finish()

    def _require_confirmation(self) -> None:
        if not self._job.needs_confirmation:
            return
        self._check_may_go_on()
        if not self._job.error:
            self._job.renew(phase="confirming")
            raise WaitError(_CONFIRMATION_SECONDS)

    def _list(self) -> None:
        """Adds all threads of the user as targets, from the archive and from the upstream's list."""
        self._job.renew(phase="listing")
        for rows in user_threads.archived_threads(self._job.user):
            self._check_may_go_on()
            user_threads.add_targets(self._job, rows)
        if self._job.kind in Erasure.LOCAL or self._list_upstream() is not None:
            self._job.renew(listed_at=timezone.now())

    def _look_again(self) -> None:
        """Looks for threads of the user that have arrived meanwhile."""
        self._job.renew(phase="looking")
        new = self._list_upstream()
        if new is not None:
            self._job.renew(looks=self._job.looks + 1, looked_at=None if new else timezone.now())

    def _list_upstream(self) -> int | None:
        """Adds what the upstream lists. Returns the number of new threads, None where the list can't be read now, or
        not any more."""
        listing, new, listed = user_threads.UserListing(self._job.user), 0, 0
        try:
            for rows in listing.pages(self._client):
                self._check_may_go_on()
                if self._job.error:
                    return None
                new += user_threads.add_targets(self._job, rows)
                listed += user_threads.count_erased(self._job, rows)
        except PERMANENT_ERRORS as error:
            self._give_up(error.detail)
            return None
        except ChatKitError as error:
            self._job.renew(tries=self._job.tries + 1)
            self._pause(error)
            return None
        found = {"others": listing.others, "lost": listing.lost, "listed": listed}
        self._job.renew(tries=0, traces=self._job.traces | found)
        return new

    def _erase(self) -> None:
        self._job.renew(phase="erasing")
        for target in self._open_targets():
            self._check_may_go_on()
            if self._job.error:
                self._give_up(self._job.error)
                return
            try:
                erase_thread.process(self._job, target, self._client, self._evidence)
                if self._job.held:
                    self._job.renew(held="")
            except PERMANENT_ERRORS as error:
                self._give_up(error.detail)
                return
            except ChatKitError as error:
                erase_thread.count_failure(self._job, target, error)
                if not self._pause(error):
                    return
            if time.monotonic() > self._ends:
                raise TurnOverError

    def _open_targets(self) -> Iterator[Target]:
        """Targets without an outcome, those with the fewest attempts first. In batches: the query takes longer the more
        targets there are."""
        rows = self._job.targets.filter(state__in=Target.OPEN).order_by("attempts", "id")[:_BATCH]
        while batch := list(rows.all()):
            yield from batch

    def _check_may_go_on(self) -> None:
        """Stores the reason where the erasure is no longer allowed or wanted. Raises `TurnOverError`."""
        if self._stopped.is_set():
            raise TurnOverError
        if not self._job.error and (refusal := _refusal(self._job)):
            self._job.renew(error=refusal)

    def _pause(self, error: ChatKitError) -> bool:
        """Backs off. Returns False where the retries are used up and the rest was given up. Raises `WaitError` for a
        long pause."""
        tries = self._job.tries
        if tries > len(self._pauses):
            self._give_up(error.detail)
            return False
        seconds = max(self._pauses[max(tries, 1) - 1], min(error.retry_after or 0.0, _MAX_RETRY_AFTER_SECONDS))
        if seconds > _SHORT_SECONDS:
            raise WaitError(seconds)
        self._stopped.wait(seconds)
        return True

    def _give_up(self, reason: str) -> None:
        """Ends all open targets: no further upstream call can succeed."""
        self._job.renew(error=reason)
        for target in self._open_targets():
            erase_thread.give_up(self._job, target, reason)

    def _clean_up(self) -> None:
        """Removes other traces of the erased threads: stored exports, cached words, bytes in the database's files."""
        job = self._job
        job.renew(phase="traces")
        clean = job.targets.filter(state__in=Target.CLEAN)
        if not clean.exists():
            return
        # Threads that were chosen one by one may be of any user.
        only_user = job.user_id if job.kind == Erasure.Kind.USER else None
        try:
            exports = job.traces.get("exports", 0) + remove_for_erased(
                clean.values_list("thread_id", flat=True), only_user
            )
            job.renew(traces=job.traces | {"exports": exports})
        except OSError as error:
            log.exception("Exports could not be removed for erasure %s.", job.pk)
            if job.tries < _MAX_PURGES:
                job.renew(tries=job.tries + 1)
                raise WaitError(_RETRY.total_seconds()) from error
            job.renew(error="a stored export could not be removed: see the log")
        word_index.clear_cache()
        job.renew(traces=job.traces | {"files": vacuum.scrub(job.renew)})

    def _finish(self) -> None:
        job = self._job
        states = dict(job.targets.values_list("state").annotate(Count("pk")))
        complete = not receipt.is_cut_short(job) and not {Target.State.FAILED, Target.State.UNKNOWN} & states.keys()
        line = journal.append(NewEntry(job.pk, EntryKind.END)) or job.journal_line
        with transaction.atomic():
            job.end(retry_at=None, held="", journal_line=line)
            record_or_raise(
                Action.ERASURE,
                Outcome.DONE if complete else Outcome.PARTIAL,
                user_id=job.user_id,
                detail={"erasure": str(job.pk), "kind": job.kind, **states},
                upstream_request_id="",
            )


def _refusal(job: Erasure) -> str:
    """Why the erasure may not go on, "" where it may. A replay needs nobody's right: no account ordered it."""
    if job.kind == Erasure.Kind.REPLAY:
        return ""
    if job.kind == Erasure.Kind.RETENTION:
        return "" if retention.still_applies(job.rule) else NOT_WANTED
    return "" if job.account_id and has_right_now(job.account_id, Right.ERASE) else NOT_ALLOWED
