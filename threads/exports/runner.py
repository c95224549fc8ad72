"""Doing an export: a part at a time, in a page for a few seconds, in a worker for as long as it takes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from django.db import DatabaseError, transaction
from django.utils import timezone

from threads.archive.statement_timeout import TooSlow, for_a_page
from threads.audit.record import Action, NotRecordedError, acting, must
from threads.audit.record import Outcome as Ended
from threads.chatkit import ChatKitError
from threads.jobs.lease import LeaseLostError
from threads.roles import Right, may_now
from threads.service import NeedsArchiveError

from . import filenames, formats, list_pages, storage, user_parts, user_zip
from .models import KEPT, Export, Outcome

PATIENCE = timedelta(minutes=10)
"""How long a worker asks again for what an upstream in trouble did not give."""

_TRAIL = {
    Outcome.WHOLE: Ended.DONE,
    Outcome.PARTIAL: Ended.PARTIAL,
    Outcome.FAILED: Ended.FAILED,
    Outcome.REFUSED: Ended.REFUSED,
}


class _LaterError(Exception):
    """There is no use in going on just now."""


_NO_BUGS = (ChatKitError, NeedsArchiveError, LeaseLostError, _LaterError, DatabaseError, NotRecordedError)

_log = logging.getLogger(__name__)


def run_slice(export: Export, seconds: float, stopped: Callable[[], bool]) -> bool:
    """Goes on with an export that this process holds, for about so long or until it is `stopped`, and lets go of it
    then. Returns whether it has ended, well or not. Raises `LeaseLostError` where it is another's now, or was removed;
    `DatabaseError` and `NotRecordedError`, after which it is taken up again."""
    try:
        return _for(export, _parts(export, partial(_later, export)), seconds, stopped)
    except _LaterError:
        # It stays held, by nobody who is at it: the lease is the pause.
        export.keep()
        return False
    except (ChatKitError, NeedsArchiveError) as error:
        with acting(export.actor):
            _without(export, Outcome.FAILED, said(error))
        return True


def at_once(export: Export, seconds: float) -> bool:
    """The same for somebody who waits for it: what the upstream does not give is not asked for twice, and a search that
    takes longer than a page may is left to a worker. Raises what stood in the way of the first page too, `ChatKitError`
    and `NeedsArchiveError`, when the trail has it."""
    try:
        with for_a_page():
            return _for(export, _parts(export, lambda _: None), seconds, lambda: False)
    except TooSlow:
        export.let_go()
        return False
    except (ChatKitError, NeedsArchiveError) as error:
        _without(export, Outcome.FAILED, said(error))
        raise


def said(error: ChatKitError | NeedsArchiveError) -> str:
    """An error in a sentence, for a file."""
    if isinstance(error, NeedsArchiveError):
        return "Only the archive could answer this, and it is switched off."
    return f"The API failed: {error.detail}."


def _for(export: Export, parts: Iterator[None], seconds: float, stopped: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    with acting(export.actor):
        try:
            if not may_now(export.who_id, Right.EXPORT):
                _without(export, Outcome.REFUSED, "The account that asked for it may not export any more.")
                return True
            for _ in parts:
                if time.monotonic() > until or stopped():
                    export.let_go()
                    return False
            _finish(export)
        except OSError as error:
            # What was removed meanwhile has no place any more, which is no fault.
            export.keep()
            _log.exception("An export could not be written: %s", export.pk)
            _without(export, Outcome.FAILED, f"The file could not be written: {error.strerror or error}.")
        except _NO_BUGS:
            raise
        except Exception:  # noqa: BLE001  # it is logged
            # Whoever takes it up again would meet the same.
            _log.exception("An export failed: %s", export.pk)
            _without(export, Outcome.FAILED, "Threadkeeper has an error here. Its log says more.")
        return True


def _parts(export: Export, trouble: user_parts.Trouble) -> Iterator[None]:
    """Each step is one piece of work, kept when it is done. Raises `ChatKitError` only where nothing is kept yet."""
    if export.kind == "zip":
        storage.begin(export.pk)
    while not export.listed:
        try:
            list_pages.page(export)
        except TooSlow:
            raise
        except ChatKitError as error:
            trouble(error)
            if not export.pages:
                raise
            export.keep(listed=True, reason=said(error))
        yield
    if export.kind == "zip":
        yield from user_parts.parts(export, trouble)


def _later(export: Export, error: ChatKitError) -> None:
    """An upstream that may come back is asked again after a while: for so long as it gives nothing at all, ten minutes
    and no more."""
    if not error.retryable:
        return
    now = timezone.now()
    if export.trouble_at is None:
        export.keep(trouble_at=now)
    if now - (export.trouble_at or now) < PATIENCE:
        raise _LaterError


def _finish(export: Export) -> None:
    """The end of the file, its name, and the trail's word on it: all of them are there, or none."""
    now, offset, packed, end = timezone.now(), export.offset, None, b""
    if export.kind == "zip":
        export.keep(phase="packing")
        export.reason = user_zip.lacking(export)
        packed = user_zip.pack(export, now)
    elif export.reason:
        end = formats.partial(export.kind, export.done, export.reason)
    outcome = Outcome.PARTIAL if export.reason else Outcome.WHOLE
    size = packed.stat().st_size if packed else offset + len(end)
    with transaction.atomic():
        _end(export, outcome, reason=export.reason, name=filenames.of(export, now), size=size, total=export.done)
        if packed:
            packed.replace(storage.path(export.pk))
        else:
            storage.append(storage.path(export.pk), offset, end)
    if packed:
        storage.tidy(export.pk)


def _without(export: Export, outcome: Outcome, reason: str) -> None:
    """It ends, and there is no file."""
    with transaction.atomic():
        _end(export, outcome, reason=reason)
    storage.remove(export.pk)


def _end(export: Export, outcome: Outcome, **values: object) -> None:
    export.end(outcome=outcome, expires_at=timezone.now() + KEPT, **values)
    must(Action.EXPORT, _TRAIL[outcome], customer=export.customer, detail=told(export))


def told(export: Export) -> dict[str, object]:
    """What the trail says of an export."""
    about = {
        "export": str(export.pk), "format": export.kind, "list": export.query, "threads": export.done,
        "file": export.name, "bytes": export.size, "reason": export.reason,
    }  # fmt: skip
    return {name: value for name, value in about.items() if value not in {"", None}}
