"""Audit event of a sync run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from threads.audit.record import Action, Outcome, record
from threads.chatkit import ChatKitError
from threads.jobs.lease import LeaseLostError

from .context import SyncStoppedError, SyncTally


@contextmanager
def recorded(tally: SyncTally, *, everything: bool, failing: str | None) -> Iterator[None]:
    """Records how the run inside ends, with its counts.

    A periodic run that brings nothing is not recorded, nor is one that fails after a failed run: `failing` is the
    reason why the run before it failed.
    """
    outcome, reason = Outcome.FAILED, {}
    try:
        yield
        outcome = Outcome.DONE
    except SyncStoppedError:
        outcome = Outcome.PARTIAL
        raise
    except LeaseLostError:
        # Another worker continues it, so nothing has failed.
        outcome, reason = Outcome.PARTIAL, {"why": "another worker has taken over"}
        raise
    except ChatKitError as error:
        reason = {"why": error.detail}
        raise
    finally:
        counts = {name: count for name, count in asdict(tally).items() if count}
        if everything or (outcome is Outcome.FAILED and not failing) or tally.new_threads or tally.new_items:
            record(
                Action.ARCHIVE,
                outcome,
                detail={"run": "everything" if everything else "what is due", **counts, **reason},
            )
