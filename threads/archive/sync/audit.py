"""A run of the copying in the trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from threads.audit.record import Action, Outcome, record
from threads.chatkit import ChatKitError
from threads.jobs.lease import LeaseLostError

from .run import StoppedError, Tally


@contextmanager
def recorded(tally: Tally, *, everything: bool, failing: str | None) -> Iterator[None]:
    """How the run inside ends, and what it brought. One that looks every few minutes and brings nothing is no event,
    nor is one that fails where the run before it failed, which was for the reason `failing`."""
    outcome, said = Outcome.FAILED, {}
    try:
        yield
        outcome = Outcome.DONE
    except StoppedError:
        outcome = Outcome.PARTIAL
        raise
    except LeaseLostError:
        # Another worker goes on with it, so nothing has failed.
        outcome, said = Outcome.PARTIAL, {"why": "another worker has taken over"}
        raise
    except ChatKitError as error:
        said = {"why": error.detail}
        raise
    finally:
        counts = {name: count for name, count in asdict(tally).items() if count}
        if everything or (outcome is Outcome.FAILED and not failing) or tally.new_threads or tally.new_items:
            record(
                Action.ARCHIVE, outcome, detail={"run": "everything" if everything else "what is due", **counts, **said}
            )
