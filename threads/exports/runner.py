"""Runs an export in slices: in a request for a few seconds, in a worker for as long as it takes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from django.db import DatabaseError, transaction
from django.utils import timezone

from threads.archive.statement_timeout import QueryTimeout, limit_statements
from threads.audit import record as audit
from threads.audit.record import Action, NotRecordedError, acting_as, record_or_raise
from threads.chatkit import ChatKitError
from threads.jobs.lease import LeaseLostError
from threads.roles import Right, has_right_now
from threads.service import NeedsArchiveError

from . import filenames, formats, list_pages, storage, user_parts, user_zip
from .models import KEEP_FINISHED_FOR, Export, ExportOutcome

RETRY_FOR = timedelta(minutes=10)
"""How long a worker retries while the upstream gives nothing."""

_AUDITED = {
    ExportOutcome.WHOLE: audit.Outcome.DONE,
    ExportOutcome.PARTIAL: audit.Outcome.PARTIAL,
    ExportOutcome.FAILED: audit.Outcome.FAILED,
    ExportOutcome.REFUSED: audit.Outcome.REFUSED,
}


class _RetryLaterError(Exception):
    """The upstream fails for now."""


_EXPECTED = (ChatKitError, NeedsArchiveError, LeaseLostError, _RetryLaterError, DatabaseError, NotRecordedError)

_log = logging.getLogger(__name__)


def run_slice(export: Export, seconds: float, stopped: Callable[[], bool]) -> bool:
    """Works on an export whose lease this process holds, for about so many seconds or until it is `stopped`, and
    releases it. Returns whether it has ended, well or not. Raises `LeaseLostError` where another worker has it or it
    was removed; `DatabaseError` and `NotRecordedError`, after which it is retried."""
    try:
        return _run(export, _steps(export, partial(_retry_later, export)), seconds, stopped)
    except _RetryLaterError:
        # Keeps the lease though nobody works on it: its length is the pause.
        export.renew()
        return False
    except (ChatKitError, NeedsArchiveError) as error:
        with acting_as(export.actor):
            _fail(export, ExportOutcome.FAILED, error_sentence(error))
        return True


def run_now(export: Export, seconds: float) -> bool:
    """`run_slice` for a request that waits: without retries, and a search over the time limit of a page is left to a
    worker. Raises also the `ChatKitError` or `NeedsArchiveError` of the first page, after it is recorded."""
    try:
        with limit_statements():
            return _run(export, _steps(export, lambda _: None), seconds, lambda: False)
    except QueryTimeout:
        export.release()
        return False
    except (ChatKitError, NeedsArchiveError) as error:
        _fail(export, ExportOutcome.FAILED, error_sentence(error))
        raise


def error_sentence(error: ChatKitError | NeedsArchiveError) -> str:
    """An error as a sentence for the file."""
    if isinstance(error, NeedsArchiveError):
        return "Only the archive could answer this, and it is switched off."
    return f"The API failed: {error.detail}."


def _run(export: Export, steps: Iterator[None], seconds: float, stopped: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    with acting_as(export.actor):
        try:
            if not has_right_now(export.account_id, Right.EXPORT):
                _fail(export, ExportOutcome.REFUSED, "The account that asked for it may not export any more.")
                return True
            for _ in steps:
                if time.monotonic() > until or stopped():
                    export.release()
                    return False
            _finish(export)
        except OSError as error:
            # The directory of an export that was removed meanwhile is gone: then the lease is lost too.
            export.renew()
            _log.exception("An export could not be written: %s", export.pk)
            _fail(export, ExportOutcome.FAILED, f"The file could not be written: {error.strerror or error}.")
        except _EXPECTED:
            raise
        except Exception:  # noqa: BLE001  # logged
            # A retry would fail the same way.
            _log.exception("An export failed: %s", export.pk)
            _fail(export, ExportOutcome.FAILED, "Threadkeeper has an error here. Its log says more.")
        return True


def _steps(export: Export, on_error: user_parts.OnError) -> Iterator[None]:
    """Works on the export; each step is stored. Raises `ChatKitError` only before the first one."""
    if export.kind == "zip":
        storage.begin(export.pk)
    while not export.listed:
        try:
            list_pages.page(export)
        except QueryTimeout:
            raise
        except ChatKitError as error:
            on_error(error)
            if not export.pages:
                raise
            export.renew(listed=True, reason=error_sentence(error))
        yield
    if export.kind == "zip":
        yield from user_parts.parts(export, on_error)


def _retry_later(export: Export, error: ChatKitError) -> None:
    """Raises `_RetryLaterError` for an error that may pass, until the upstream has given nothing for `RETRY_FOR`."""
    if not error.retryable:
        return
    now = timezone.now()
    if export.trouble_at is None:
        export.renew(trouble_at=now)
    if now - (export.trouble_at or now) < RETRY_FOR:
        raise _RetryLaterError


def _finish(export: Export) -> None:
    """Stores the end of the file, its name and the audit event: all of them or none."""
    now, offset, packed, end = timezone.now(), export.offset, None, b""
    if export.kind == "zip":
        export.renew(phase="packing")
        export.reason = user_zip.lacking(export)
        packed = user_zip.pack(export, now)
    elif export.reason:
        end = formats.partial(export.kind, export.done, export.reason)
    outcome = ExportOutcome.PARTIAL if export.reason else ExportOutcome.WHOLE
    size = packed.stat().st_size if packed else offset + len(end)
    digest = storage.sha256(packed) if packed else storage.sha256(storage.path(export.pk), offset, end)
    with transaction.atomic():
        _end(
            export,
            outcome,
            reason=export.reason,
            name=filenames.export_name(export, now),
            size=size,
            sha256=digest,
            total=export.done,
        )
        if packed:
            packed.replace(storage.path(export.pk))
        else:
            storage.append(storage.path(export.pk), offset, end)
    if packed:
        storage.remove_parts(export.pk)


def _fail(export: Export, outcome: ExportOutcome, reason: str) -> None:
    """Ends the export without a file."""
    with transaction.atomic():
        _end(export, outcome, reason=reason)
    storage.remove(export.pk)


def _end(export: Export, outcome: ExportOutcome, **values: object) -> None:
    export.end(outcome=outcome, expires_at=timezone.now() + KEEP_FINISHED_FOR, **values)
    record_or_raise(Action.EXPORT, _AUDITED[outcome], user_id=export.user_id, detail=audit_detail(export))


def audit_detail(export: Export) -> dict[str, object]:
    """The details of an audit event about an export."""
    about = {
        "export": str(export.pk), "format": export.kind, "list": export.query, "threads": export.done,
        "file": export.name, "bytes": export.size, "sha256": export.sha256, "reason": export.reason,
    }  # fmt: skip
    return {name: value for name, value in about.items() if value not in {"", None}}
