"""Exports: a list as a file, everything of a user as a zip, and the pages of exports in the background."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta, tzinfo
from functools import wraps
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from threads import service
from threads.audit.record import Action, NotRecordedError, Outcome, record_or_raise
from threads.chatkit import ChatKitError
from threads.exports import filenames, formats, orders, runner, storage
from threads.exports.models import Export
from threads.jobs.lease import LeaseLostError
from threads.lib import form_fields, times
from threads.lib.db import release_connections
from threads.roles import Right, needs
from threads.sources.query import ThreadQuery
from threads.web.error_page import not_recorded, problem_page
from threads.web.fetch_metadata import linkable
from threads.web.htmx import is_part
from threads.web.post_only import post_only
from threads.web.presenters import errors
from threads.web.presenters.exports import export_summary
from threads.web.request import account, encoded_query, now_and_zone, thread_query

AT_ONCE = 8.0
"""Seconds that a request waits for a file. A longer export continues in the background."""

_POLL_SECONDS = 0.1
"""Between two looks at an export of the same list that another request is making."""

_GRACE_SECONDS = 1.0
"""By which the reply of that request may begin late."""

_PAGE_POLL_SECONDS = 2
"""Between two requests for progress by the page of a running export."""

_TYPES = formats.CONTENT_TYPES | {"zip": "application/zip"}

View = Callable[..., HttpResponseBase]

_post_only = post_only(
    "Nothing was exported or deleted. Go to the list or to your exports, and press the button there again."
)


def _explains_refusals(view: View) -> View:
    """503 if the export can't be recorded, 429 if the account has too many."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except NotRecordedError:
            return not_recorded(request)
        except orders.TooManyExportsError:
            text = f"An account can have {orders.MAX_PER_ACCOUNT} exports at a time. Delete some of yours first."
            return problem_page(request, 429, "You have too many exports", text)

    return answer


@linkable
@needs(Right.EXPORT)
@require_safe
@_explains_refusals
def exports(request: HttpRequest) -> HttpResponseBase:
    """The account's exports."""
    now, zone = now_and_zone(request)
    found = [export_summary(each, now, zone) for each in _own(request)]
    return render(request, "exports/exports.html", {"exports": found, "zone": str(zone)})


@needs(Right.EXPORT)
@_post_only
@_explains_refusals
def export_list(request: HttpRequest) -> HttpResponseBase:
    """The list in the address, from its first page to its last, as a file in the form's `format`; if that takes longer
    than `AT_ONCE`, a redirect to the export's page. 400 if the address is not valid, 502 to 504 if the upstream fails
    before the first row, 503 if the export can't be recorded."""
    kind = request.POST.get("format", "")
    if kind not in formats.CONTENT_TYPES:
        return problem_page(
            request, 400, "This is not a format", f"A list is exported as one of: {', '.join(formats.CONTENT_TYPES)}."
        )
    query, invalid = thread_query(request, request.GET.dict())
    if query is None:
        wrong = " ".join(message for messages in invalid.values() for message in messages)
        return problem_page(request, 400, "This list can't be exported", f"Its address is not valid. {wrong}")
    now, zone = now_and_zone(request)
    export = _export_of(kind, query, zone)
    try:
        if not export.claim() or not runner.run_now(export, AT_ONCE):
            orders.notify_workers()
            return redirect("export", pk=export.pk)
    except LeaseLostError:
        return redirect("export", pk=export.pk)
    except service.NeedsArchiveError:
        orders.remove(export)
        why = errors.NEEDS_ARCHIVE
        return problem_page(request, why.status, why.title, f"{why.text} {why.advice}")
    except ChatKitError as error:
        orders.remove(export)
        why = errors.of_list(error, now, zone)
        return problem_page(request, why.status, why.title, f"{why.text} {why.advice} Nothing was exported.")
    if not export.has_file:
        return redirect("export", pk=export.pk)
    response = _file(request, export)
    orders.remove(export)
    return response


@needs(Right.EXPORT)
@_post_only
@_explains_refusals
def export_user(request: HttpRequest) -> HttpResponseBase:
    """Starts an export of everything of the user in `user`, and redirects to its page. 400 if that is no id."""
    query, invalid = _of_user(request)
    if query is None or query.exact_user is None:
        wrong = " ".join(invalid.get("user", ["Name a customer."]))
        return problem_page(request, 400, "This customer can't be exported", wrong)
    _, zone = now_and_zone(request)
    export = orders.order_user(query.exact_user, zone)
    orders.notify_workers()
    return redirect("export", pk=export.pk)


@linkable
@needs(Right.EXPORT)
@require_safe
@_explains_refusals
def export(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Progress and outcome of an export; for htmx the changing part of the page."""
    now, zone = now_and_zone(request)
    part = is_part(request)
    context = {
        "part": part,
        "export": export_summary(_own_or_404(request, pk), now, zone),
        "seconds": _PAGE_POLL_SECONDS,
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }
    return render(request, "exports/_export.html" if part else "exports/export.html", context)


@needs(Right.EXPORT)
@_post_only
@_explains_refusals
def export_file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The file. Each download is recorded before it begins. 404 if there is no file, or none any more."""
    found = _own_or_404(request, pk)
    if not found.has_file:
        raise Http404
    return _file(request, found, from_storage=True)


@needs(Right.EXPORT)
@_post_only
@_explains_refusals
def export_delete(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Cancels an export and deletes its file."""
    try:
        orders.remove(_own_or_404(request, pk))
    except OSError:
        return problem_page(
            request, 503, "It could not be deleted", "Its file is in the way of that. Try again in a moment."
        )
    return redirect("exports")


def _of_user(request: HttpRequest) -> tuple[ThreadQuery | None, form_fields.Errors]:
    """The list of the user in `user`, or the one encoded in `query`, since a form field can't hold every id."""
    if "query" in request.POST:
        return encoded_query(request, request.POST["query"])
    return thread_query(request, {"user": request.POST.get("user", "")})


def _export_of(kind: str, query: ThreadQuery, zone: tzinfo) -> Export:
    """The export of this list. After a second press of the button, the browser has dropped the first reply, whose
    request deletes its file at the end; so this waits for that request first."""
    export, until = orders.order_list(kind, query, zone), time.monotonic() + AT_ONCE + _GRACE_SECONDS
    while _is_in_a_request(export) and time.monotonic() < until:
        release_connections()
        time.sleep(_POLL_SECONDS)
        try:
            export.refresh_from_db()
        except Export.DoesNotExist:
            export = orders.order_list(kind, query, zone)
    return export


def _is_in_a_request(export: Export) -> bool:
    """Whether another request may be making this export, rather than a worker."""
    return bool(export.holder) and timezone.now() - export.requested_at < timedelta(seconds=AT_ONCE + _GRACE_SECONDS)


def _own(request: HttpRequest) -> QuerySet[Export]:
    return orders.of_account(str(account(request).pk))


def _own_or_404(request: HttpRequest, pk: UUID) -> Export:
    """The account's own export; 404 for one of another account too."""
    return get_object_or_404(_own(request), pk=pk)


def _file(request: HttpRequest, export: Export, *, from_storage: bool = False) -> HttpResponseBase:
    """The file as a reply. `from_storage` records the download first; otherwise the export itself is on record."""
    try:
        file = storage.path(export.pk).open("rb")
    except FileNotFoundError:
        text = "All machines must share DATA_DIR/exports. Someone who runs Threadkeeper has to set that up."
        return problem_page(request, 404, "The file is not on this machine", text)
    if from_storage:
        try:
            record_or_raise(
                Action.EXPORT,
                Outcome.DONE,
                user_id=export.user_id,
                detail=runner.audit_detail(export) | {"download": True},
            )
        except NotRecordedError:
            file.close()
            raise
    response = FileResponse(file, content_type=_TYPES[export.kind])
    response.headers["Content-Disposition"] = filenames.content_disposition(export.name)
    return response
