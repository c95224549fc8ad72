"""Deletes one thread upstream and here, so that its outcome is known whatever fails meanwhile.

The intent is in the audit log before the call. The outcome is stored in one transaction with the removal of the
archived copy. A thread whose deletion was requested, but has no stored outcome, is first looked up: no deletion is
repeated blindly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from threads.archive.deletion_evidence import DeletionChecker, DeletionVerdict
from threads.archive.removal import ErasedCounts, erase
from threads.archive.user_ids import is_exact
from threads.audit.record import Action, Outcome, record_or_raise
from threads.chatkit import (
    PERMANENT_ERRORS,
    ChatKitClient,
    ChatKitError,
    Garbled,
    NotFound,
    Refused,
    Thread,
)
from threads.lib.trace import trace

from . import clock_check, journal
from .journal import EntryKind, NewEntry
from .models import Erasure, Target

MAX_ATTEMPTS = 5
"""Attempts per thread, twice as many once its deletion was requested."""

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""A last activity before that is a zero, or in another unit."""

AnswerT = TypeVar("AnswerT")
State = Target.State

_OUTCOMES = {
    State.ERASED: Outcome.DONE,
    State.COPY: Outcome.DONE,
    State.GONE: Outcome.GONE,
    State.FAILED: Outcome.FAILED,
    State.UNKNOWN: Outcome.UNKNOWN,
    State.SKIPPED: Outcome.REFUSED,
}


def process(job: Erasure, target: Target, client: ChatKitClient, evidence: DeletionChecker) -> None:
    """Takes a target one step further. `evidence` decides what a 404 means.

    Raises `ChatKitError` where the upstream gave no answer, and the target stays open; `LeaseLostError`; and, before
    anything was done, `NotRecordedError` where the audit log can't be written, `JournalError` where the erasures file
    can't, and for retention `ClockError` where this machine's clock is unreliable."""
    if job.kind in Erasure.LOCAL:
        _erase_copy(job, target)
    elif target.state == State.ASKED:
        _settle(job, target, client, evidence)
    elif job.kind != Erasure.Kind.RETENTION or _is_due(job, target, client, evidence):
        _delete(job, target, client, evidence)


def give_up(job: Erasure, target: Target, reason: str, request_id: str = "") -> None:
    """Ends a target: as unknown where its deletion was requested, else as failed."""
    state = State.UNKNOWN if target.state == State.ASKED else State.FAILED
    _note(job, target, state)
    with transaction.atomic():
        job.renew(done=job.done + 1)
        _ended(job, target, state, reason, request_id)


def count_failure(job: Erasure, target: Target, error: ChatKitError) -> None:
    """Counts an attempt without an answer, after which other targets come first; gives the target up after the last
    one."""
    request_id = error.request_id or ""
    target.refresh_from_db()
    limit = 2 * MAX_ATTEMPTS if target.state == State.ASKED else MAX_ATTEMPTS
    if target.attempts + 1 >= limit:
        give_up(job, target, error.detail, request_id)
        return
    with transaction.atomic():
        job.renew(tries=job.tries + 1)
        target.attempts += 1
        _set(target, State(target.state), error.detail, request_id)


def _erase_copy(job: Erasure, target: Target) -> None:
    _note(job, target, State.COPY)
    with transaction.atomic():
        job.renew(done=job.done + 1)
        _record(job, target, Outcome.INTENT, {"only": "the copies here"})
        _ended(job, target, State.COPY, "", "")


def _delete(job: Erasure, target: Target, client: ChatKitClient, evidence: DeletionChecker) -> None:
    _note(job, target, State.ERASED)
    with transaction.atomic():
        job.renew()
        _set(target, State.ASKED, "", "")
        _record(job, target, Outcome.INTENT)
    # A process that was suspended may have lost the lease: then the next holder finds out what became of the thread.
    job.ensure_lease(settings.CHATKIT_DEADLINE)
    try:
        answer, request_id = _traced(lambda: client.delete_thread(target.thread_id))
    except NotFound as error:
        _handle_not_found(job, target, evidence, State.GONE, error.request_id or "")
    except (*PERMANENT_ERRORS, Refused) as error:
        # An answer: nothing was deleted.
        _end(job, target, State.FAILED, error.detail, error.request_id or "")
        if isinstance(error, PERMANENT_ERRORS):
            raise
    else:
        _check_answers(target, answer.id)
        if answer.deleted:
            _end(job, target, State.ERASED, "", request_id)
        else:
            _end(job, target, State.FAILED, "the API answered that it did not delete it", request_id)


def _settle(job: Erasure, target: Target, client: ChatKitClient, evidence: DeletionChecker) -> None:
    """Finds out what became of a requested deletion by retrieving the thread."""
    try:
        thread, request_id = _retrieved(job, target, client)
    except NotFound as error:
        _handle_not_found(job, target, evidence, State.ERASED, error.request_id or "")
        return
    _check_answers(target, thread.id)
    if target.attempts + 1 >= MAX_ATTEMPTS:
        _end(job, target, State.FAILED, "it was asked for again and again, and is still there", request_id)
        return
    with transaction.atomic():
        job.renew(tries=0)
        target.attempts += 1
        _set(target, State.TODO, "it was asked for, and is still there", request_id)


def _check_answers(target: Target, thread_id: str | None) -> None:
    """Raises `Garbled` where an answer is about another thread, or about none."""
    if thread_id != target.thread_id:
        raise Garbled("the answer was about another thread")


def _handle_not_found(job: Erasure, target: Target, evidence: DeletionChecker, state: State, request_id: str) -> None:
    """Handles a 404, which a retired endpoint or another project's key gives for every thread: the target ends in
    `state` only on evidence, else as unknown. Raises the `ChatKitError` of the calls for evidence."""
    finding = evidence.of(target.thread_id, _owner(job, target))
    if finding.verdict is DeletionVerdict.DELETED or (finding.error is None and _was_erased(target)):
        _end(job, target, state, "", request_id)
    elif finding.error is not None:
        if state == State.GONE:  # nothing was deleted, so a new attempt is safe
            with transaction.atomic():
                job.renew()
                _set(target, State.TODO, finding.error.detail, request_id)
        raise finding.error
    elif finding.verdict is DeletionVerdict.PRESENT:
        raise Garbled("the answers contradict each other: the thread is there, and it is not")
    else:
        reason = f"OpenAI answers that it has no such thread, which is not certain: {finding.why}"
        _end(job, target, State.UNKNOWN, reason, request_id)


def _owner(job: Erasure, target: Target) -> str | None:
    """The exact id of a thread's user, None where it is not known."""
    return job.user or (target.user_id if target.user_id and is_exact(target.user_id) else None)


def _was_erased(target: Target) -> bool:
    """Whether the upstream has confirmed the deletion of this thread to another erasure."""
    return Target.objects.filter(thread_id=target.thread_id, state=State.ERASED).exists()


def _is_due(job: Erasure, target: Target, client: ChatKitClient, evidence: DeletionChecker) -> bool:
    """Whether a thread is past its retention time by the upstream's present data; else it ends as skipped."""
    try:
        thread, request_id = _retrieved(job, target, client)
    except NotFound as error:
        _handle_not_found(job, target, evidence, State.GONE, error.request_id or "")
        return False
    _check_answers(target, thread.id)
    status = thread.status.label if thread.status else ""
    if status not in job.rule["statuses"]:
        _end(job, target, State.SKIPPED, f"its status is {status or 'not given'} now", request_id)
        return False
    # A 404 here says nothing about the thread, which was there a moment ago.
    newest, _ = _traced(lambda: client.list_items(target.thread_id, order="desc", limit=1))
    _check_clock(job)
    moments = [row.created_at for row in newest.rows] or [thread.created_at]
    latest = max((each for each in (*moments, thread.created_at) if each), default=None)
    if latest is None or None in moments or (newest.has_more and not newest.rows):
        _end(job, target, State.SKIPPED, "the API does not say when somebody last wrote in it", request_id)
        return False
    if latest < EARLIEST:
        _end(job, target, State.SKIPPED, "the API gives a time that can't be true", request_id)
        return False
    if latest >= datetime.fromisoformat(job.rule["before"]):
        _end(job, target, State.SKIPPED, "somebody has written in it since", request_id)
        return False
    return True


def _end(job: Erasure, target: Target, state: State, reason: str = "", request_id: str = "") -> None:
    """Stores the outcome of a target, records it, and removes the archived copy of an erased thread: all or nothing."""
    _note(job, target, state)
    with transaction.atomic():
        job.renew(done=job.done + 1, tries=0)
        _ended(job, target, state, reason, request_id)


def _ended(job: Erasure, target: Target, state: State, reason: str, request_id: str) -> None:
    _set(target, state, reason, request_id)
    if state in Target.CLEAN:
        found = ErasedCounts(**job.traces.get("archive", {})) + erase([target.thread_id])
        job.renew(traces=job.traces | {"archive": asdict(found)})
    _record(job, target, _OUTCOMES[state], {"reason": reason} if reason else {}, request_id)


def _note(job: Erasure, target: Target, state: State) -> None:
    """Writes to the erasures file that a thread is erased, before it is, and revokes that where it was not. The line's
    number is stored with the outcome. Outside of a transaction, since it waits for the disk: the database may miss the
    last line, so what this very step did not write is written again."""
    if state in Target.CLEAN:
        # A replay repeats a line that is in the file.
        if target.is_noted or (state == State.COPY and target.journal_line is not None):
            return
        kind = EntryKind.ERASE
    elif target.journal_line is not None:
        kind = EntryKind.KEPT
    else:
        return
    job.ensure_lease(settings.CHATKIT_DEADLINE)  # without the lease, nothing of the next holder may be revoked
    target.journal_line = journal.append(NewEntry(job.pk, kind, target.thread_id)) or target.journal_line
    target.is_noted = kind is EntryKind.ERASE


def _set(target: Target, state: State, reason: str, request_id: str) -> None:
    target.state, target.reason, target.at = state, reason, timezone.now()
    target.upstream_request_id = request_id
    target.save(update_fields=["state", "reason", "at", "upstream_request_id", "attempts", "journal_line"])


def _record(
    job: Erasure, target: Target, outcome: Outcome, more: dict[str, Any] | None = None, request_id: str = ""
) -> None:
    record_or_raise(
        Action.DELETE,
        outcome,
        thread_id=target.thread_id,
        user_id=target.user_id or job.user_id,
        detail={"erasure": str(job.pk)} | (more or {}),
        upstream_request_id=request_id,
    )


def _retrieved(job: Erasure, target: Target, client: ChatKitClient) -> tuple[Thread, str]:
    """The thread, and the upstream's id of the call. For retention raises `ClockError` where this machine's clock does
    not agree with the upstream's, also on a 404."""
    try:
        found = _traced(lambda: client.retrieve_thread(target.thread_id))
    except NotFound:
        _check_clock(job)
        raise
    _check_clock(job)
    return found


def _check_clock(job: Erasure) -> None:
    if job.kind == Erasure.Kind.RETENTION:
        clock_check.check()


def _traced(call: Callable[[], AnswerT]) -> tuple[AnswerT, str]:
    """The answer, and the upstream's id of the call, "" where it gave none."""
    known = trace.get()
    if known is not None:
        known.upstream.clear()
        known.clock = None
    answer = call()
    return answer, known.upstream[-1] if known is not None and known.upstream else ""
