"""Deletes one thread, so that it can be told afterwards, whatever happens meanwhile, what became of it.

The intent is on record before the call. What came of a call is kept in one transaction with the copies' end. A thread
that was asked for, and of which no answer was kept, is asked after before anything else is done: it is never deleted
again blind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from threads.archive.deletions import Evidence, Verdict
from threads.archive.erase import Traces, erase
from threads.archive.user_ids import is_whole
from threads.audit.record import Action, Outcome, must
from threads.chatkit import (
    ChatKitClient,
    ChatKitError,
    Garbled,
    NotFound,
    NotSignedIn,
    Refused,
    Retired,
    ScopesMissing,
    Thread,
)
from threads.lib.trace import trace

from . import clock_check, journal
from .journal import Note, What
from .models import Erasure, Target

HOPELESS = (NotSignedIn, ScopesMissing, Retired)
"""Faults that every further call would meet too."""

MOST_ATTEMPTS = 5
"""After so many a thread is given up. What then is not known is said to be unknown."""

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""A thread in which somebody last wrote before that is one whose time is a zero, or in another unit."""

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


def step(job: Erasure, target: Target, client: ChatKitClient, evidence: Evidence) -> None:
    """Brings a target one step on. `evidence` decides what a 404 means. Raises `ChatKitError` where the upstream could
    not say: the target stays open; `NotRecordedError` where the trail can't be written, `JournalError` where the
    erasures file can't, and for retention `ClockError` where this machine's clock can't be relied on, in which cases
    nothing was done; and `LeaseLostError`."""
    if job.kind in Erasure.HERE:
        _copy(job, target)
    elif target.state == State.ASKED:
        _settle(job, target, client, evidence)
    elif job.kind != Erasure.Kind.RETENTION or _is_due(job, target, client, evidence):
        _delete(job, target, client, evidence)


def give_up(job: Erasure, target: Target, reason: str, request_id: str = "") -> None:
    """A target that was asked for and not settled is unknown; one that was not asked for has failed."""
    state = State.UNKNOWN if target.state == State.ASKED else State.FAILED
    _note(job, target, state)
    with transaction.atomic():
        job.keep(done=job.done + 1)
        _ended(job, target, state, reason, request_id)


def failed(job: Erasure, target: Target, error: ChatKitError) -> None:
    """The upstream could not say this time: the others come first now. After some times it is given up; later where
    something may have been deleted."""
    request_id = error.request_id or ""
    target.refresh_from_db()
    most = 2 * MOST_ATTEMPTS if target.state == State.ASKED else MOST_ATTEMPTS
    if target.attempts + 1 >= most:
        give_up(job, target, error.detail, request_id)
        return
    with transaction.atomic():
        job.keep(tries=job.tries + 1)
        target.attempts += 1
        _set(target, State(target.state), error.detail, request_id)


def _copy(job: Erasure, target: Target) -> None:
    _note(job, target, State.COPY)
    with transaction.atomic():
        job.keep(done=job.done + 1)
        _record(job, target, Outcome.INTENT, {"only": "the copies here"})
        _ended(job, target, State.COPY, "", "")


def _delete(job: Erasure, target: Target, client: ChatKitClient, evidence: Evidence) -> None:
    _note(job, target, State.ERASED)
    with transaction.atomic():
        job.keep()
        _set(target, State.ASKED, "", "")
        _record(job, target, Outcome.INTENT)
    # Whoever was stopped since may have lost the job: the next holder finds out what became of the thread.
    job.hold(settings.CHATKIT_DEADLINE)
    try:
        answer, request_id = _traced(lambda: client.delete_thread(target.thread_id))
    except NotFound as error:
        _gone(job, target, evidence, State.GONE, error.request_id or "")
    except (*HOPELESS, Refused) as error:
        # An answer, which says that nothing was deleted.
        _end(job, target, State.FAILED, error.detail, error.request_id or "")
        if isinstance(error, HOPELESS):
            raise
    else:
        _is_about(target, answer.id)
        if answer.deleted:
            _end(job, target, State.ERASED, "", request_id)
        else:
            _end(job, target, State.FAILED, "the API answered that it did not delete it", request_id)


def _settle(job: Erasure, target: Target, client: ChatKitClient, evidence: Evidence) -> None:
    """It was asked for, and nobody knows what came of it: the upstream is asked whether it has the thread."""
    try:
        thread, request_id = _retrieved(job, target, client)
    except NotFound as error:
        _gone(job, target, evidence, State.ERASED, error.request_id or "")
        return
    _is_about(target, thread.id)
    if target.attempts + 1 >= MOST_ATTEMPTS:
        _end(job, target, State.FAILED, "it was asked for again and again, and is still there", request_id)
        return
    with transaction.atomic():
        job.keep(tries=0)
        target.attempts += 1
        _set(target, State.TODO, "it was asked for, and is still there", request_id)


def _is_about(target: Target, thread_id: str | None) -> None:
    """Raises `Garbled` where an answer is about another thread, or about none: nothing is concluded from it."""
    if thread_id != target.thread_id:
        raise Garbled("the answer was about another thread")


def _gone(job: Erasure, target: Target, evidence: Evidence, state: State, request_id: str) -> None:
    """The upstream says that it has no such thread. An endpoint that is no more, or another project's, says the same of
    every thread: so that is an end of `state` only on evidence, and else an unknown one. Raises the `ChatKitError` of
    an upstream that could not be asked."""
    finding = evidence.of(target.thread_id, _owner(job, target))
    if finding.verdict is Verdict.DELETED or (finding.error is None and _was_erased(target)):
        _end(job, target, state, "", request_id)
    elif finding.error is not None:
        if state == State.GONE:  # nothing was deleted: it may be tried anew
            with transaction.atomic():
                job.keep()
                _set(target, State.TODO, finding.error.detail, request_id)
        raise finding.error
    elif finding.verdict is Verdict.PRESENT:
        raise Garbled("the answers contradict each other: the thread is there, and it is not")
    else:
        reason = f"OpenAI answers that it has no such thread, which is not certain: {finding.why}"
        _end(job, target, State.UNKNOWN, reason, request_id)


def _owner(job: Erasure, target: Target) -> str | None:
    """The very id of a thread's user, None where that is not known."""
    return job.user or (target.customer if target.customer and is_whole(target.customer) else None)


def _was_erased(target: Target) -> bool:
    """Whether the upstream has already said, to another erasure, that it deleted this thread."""
    return Target.objects.filter(thread_id=target.thread_id, state=State.ERASED).exists()


def _is_due(job: Erasure, target: Target, client: ChatKitClient, evidence: Evidence) -> bool:
    """Whether a thread is past its time by what the upstream says now; else it is skipped."""
    try:
        thread, request_id = _retrieved(job, target, client)
    except NotFound as error:
        _gone(job, target, evidence, State.GONE, error.request_id or "")
        return False
    _is_about(target, thread.id)
    status = thread.status.label if thread.status else ""
    if status not in job.rule["statuses"]:
        _end(job, target, State.SKIPPED, f"its status is {status or 'not given'} now", request_id)
        return False
    # A 404 here is no word on the thread, which has just been shown.
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
    """What the upstream has said of a target is kept and recorded, and where it is gone its copies go with it: all or
    nothing."""
    _note(job, target, state)
    with transaction.atomic():
        job.keep(done=job.done + 1, tries=0)
        _ended(job, target, state, reason, request_id)


def _ended(job: Erasure, target: Target, state: State, reason: str, request_id: str) -> None:
    _set(target, state, reason, request_id)
    if state in Target.CLEAN:
        found = Traces(**job.traces.get("archive", {})) + erase([target.thread_id])
        job.keep(traces=job.traces | {"archive": asdict(found)})
    _record(job, target, _OUTCOMES[state], {"reason": reason} if reason else {}, request_id)


def _note(job: Erasure, target: Target, state: State) -> None:
    """Writes to the erasures file that a thread is erased, before it is; and takes that back where it was not. Its line
    is kept with what comes of it. Outside of a transaction, since it waits for the disk: so the last line may be one
    of which the database never learned, and what was not written by this very step is written anew."""
    if state in Target.CLEAN:
        # The copies of a replay have the line already that it repeats.
        if target.is_noted or (state == State.COPY and target.line is not None):
            return
        what = What.ERASE
    elif target.line is not None:
        what = What.KEPT
    else:
        return
    job.hold(settings.CHATKIT_DEADLINE)  # whoever has lost the job takes back nothing that the next holder has written
    target.line = journal.append(Note(job.pk, what, target.thread_id)) or target.line
    target.is_noted = what is What.ERASE


def _set(target: Target, state: State, reason: str, request_id: str) -> None:
    target.state, target.reason, target.at = state, reason, timezone.now()
    target.upstream_request_id = request_id
    target.save(update_fields=["state", "reason", "at", "upstream_request_id", "attempts", "line"])


def _record(
    job: Erasure, target: Target, outcome: Outcome, more: dict[str, Any] | None = None, request_id: str = ""
) -> None:
    must(
        Action.DELETE,
        outcome,
        thread=target.thread_id,
        customer=target.customer or job.customer,
        detail={"erasure": str(job.pk)} | (more or {}),
        upstream_request_id=request_id,
    )


def _retrieved(job: Erasure, target: Target, client: ChatKitClient) -> tuple[Thread, str]:
    """The thread, and the upstream's id of the call. Retention concludes something from the answer, a 404 too, only
    while this machine's clock agrees with the upstream's: else raises `ClockError`."""
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
