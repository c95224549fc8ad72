"""Handing over: a list as a file, all of a user as a zip, and the page of what takes longer than a page may."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
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
from threads.audit.record import Action, NotRecordedError, Outcome, must
from threads.chatkit import ChatKitError
from threads.exports import filenames, formats, orders, runner, storage
from threads.exports.models import Export
from threads.jobs.lease import LeaseLostError
from threads.lib import form_fields, times
from threads.lib.db import give_back
from threads.roles import Right, account, needs
from threads.sources.query import ThreadQuery
from threads.web.error_page import problem
from threads.web.fetch_metadata import linked
from threads.web.htmx import form_only, is_part
from threads.web.presenters import errors as problems
from threads.web.presenters.exports import told
from threads.web.request_query import encoded_query, thread_query

from .transcript import not_recorded

AT_ONCE = 8.0
"""Seconds that somebody waits for a file. What takes longer goes on in the background."""

_PAUSE, _GRACE = 0.1, 1.0
"""Seconds between looks at another's export of the same, and for which its reply may begin later than it should."""

_OFTEN = 2
"""Seconds after which the page of an export that is under way asks how it goes."""

_TYPES = formats.KINDS | {"zip": "application/zip"}

View = Callable[..., HttpResponseBase]

_form = form_only(
    "Nothing was exported or deleted. Go to the list or to your exports, and press the button there again."
)


def _handing_over(view: View) -> View:
    """Where nothing could be recorded, or too much lies there, says that nothing was exported."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except NotRecordedError:
            return not_recorded(request)
        except orders.TooManyError:
            text = (
                f"You have {orders.MOST} exports under way or ready, and no more are kept. Delete some of them first."
            )
            return problem(request, 429, "You have too many exports", text)

    return answer


@linked
@needs(Right.EXPORT)
@require_safe
@_handing_over
def exports(request: HttpRequest) -> HttpResponseBase:
    """What the account has asked for."""
    now, zone = datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
    found = [told(each, now, zone) for each in _own(request)]
    return render(request, "exports/exports.html", {"exports": found, "zone": str(zone)})


@needs(Right.EXPORT)
@_form
@_handing_over
def export_list(request: HttpRequest) -> HttpResponseBase:
    """The list that the address asks for, from its first page to its last, as a file in the form's `format`; where that
    takes longer than somebody waits, the page on which it comes. 400 where the address is wrong, 502 to 504 where the
    upstream fails before there is anything, 503 where it can't be recorded."""
    kind = request.POST.get("format", "")
    if kind not in formats.KINDS:
        return problem(request, 400, "This is no format", f"A list is exported as one of: {', '.join(formats.KINDS)}.")
    query, errors = thread_query(request, request.GET.dict())
    if query is None:
        wrong = " ".join(message for each in errors.values() for message in each)
        return problem(request, 400, "This list can't be exported", f"Its address is not valid. {wrong}")
    now, zone = datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
    export = _mine(kind, query, zone)
    try:
        if not export.claim() or not runner.at_once(export, AT_ONCE):
            orders.have_done()
            return redirect("export", pk=export.pk)
    except LeaseLostError:
        return redirect("export", pk=export.pk)
    except service.NeedsArchiveError:
        orders.take_away(export)
        said = problems.NEEDS_ARCHIVE
        return problem(request, said.status, said.title, f"{said.text} {said.advice}")
    except ChatKitError as error:
        orders.take_away(export)
        said = problems.problem(error, now, zone)
        return problem(request, said.status, said.title, f"{said.text} {said.advice} Nothing was exported.")
    if not export.has_file:
        return redirect("export", pk=export.pk)
    response = _sent(request, export)
    orders.take_away(export)
    return response


@needs(Right.EXPORT)
@_form
@_handing_over
def export_user(request: HttpRequest) -> HttpResponseBase:
    """Asks for everything of the user in `user`, and leads to the page on which it comes. 400 where that is no id."""
    query, errors = _of_user(request)
    if query is None or query.exact_user is None:
        wrong = " ".join(errors.get("user", ["Name a user."]))
        return problem(request, 400, "This user can't be exported", wrong)
    export = orders.of_user(query.exact_user, times.zone(request.COOKIES.get("tz")))
    orders.have_done()
    return redirect("export", pk=export.pk)


@linked
@needs(Right.EXPORT)
@require_safe
@_handing_over
def export(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """How far an export is, and what became of it; for htmx the part of the page that changes."""
    now, zone = datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
    part = is_part(request)
    context = {
        "part": part,
        "export": told(_one(request, pk), now, zone),
        "seconds": _OFTEN,
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }
    return render(request, "exports/_export.html" if part else "exports/export.html", context)


@needs(Right.EXPORT)
@_form
@_handing_over
def export_file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The file. Each time that it is downloaded the trail has it before. 404 where there is none, or none any more."""
    found = _one(request, pk)
    if not found.has_file:
        raise Http404
    return _sent(request, found, again=True)


@needs(Right.EXPORT)
@_form
@_handing_over
def export_delete(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Ends an export and deletes its file."""
    try:
        orders.take_away(_one(request, pk))
    except OSError:
        return problem(
            request, 503, "It could not be deleted", "Its file is in the way of that. Try again in a moment."
        )
    return redirect("exports")


def _of_user(request: HttpRequest) -> tuple[ThreadQuery | None, form_fields.Errors]:
    """The user whose list is in `query`, since no field of a form can hold any id; or the one in `user`."""
    if "query" in request.POST:
        return encoded_query(request, request.POST["query"])
    return thread_query(request, {"user": request.POST.get("user", "")})


def _mine(kind: str, query: ThreadQuery, zone: tzinfo) -> Export:
    """The export of this list. Who presses twice has given up the first reply, which takes its file with it: so where
    that is on its way, its end is waited for."""
    export, until = orders.of_list(kind, query, zone), time.monotonic() + AT_ONCE + _GRACE
    while _on_its_way(export) and time.monotonic() < until:
        give_back()
        time.sleep(_PAUSE)
        try:
            export.refresh_from_db()
        except Export.DoesNotExist:
            export = orders.of_list(kind, query, zone)
    return export


def _on_its_way(export: Export) -> bool:
    """Whether somebody may be waiting for it, and not for a worker."""
    return bool(export.holder) and timezone.now() - export.asked_at < timedelta(seconds=AT_ONCE + _GRACE)


def _own(request: HttpRequest) -> QuerySet[Export]:
    return orders.own(str(account(request).pk))


def _one(request: HttpRequest, pk: UUID) -> Export:
    """An export of the account's own. Of another's nobody learns that there is one."""
    return get_object_or_404(_own(request), pk=pk)


def _sent(request: HttpRequest, export: Export, *, again: bool = False) -> HttpResponseBase:
    """The file on its way. `again` is whether it lay there, and the trail does not have yet that it goes out."""
    try:
        file = storage.path(export.pk).open("rb")
    except FileNotFoundError:
        text = "Where several machines share the work they must share DATA_DIR/exports too. Someone who runs "
        return problem(request, 404, "The file is not on this machine", text + "Threadkeeper has to see to that.")
    if again:
        try:
            must(Action.EXPORT, Outcome.DONE, customer=export.customer, detail=runner.told(export) | {"download": True})
        except NotRecordedError:
            file.close()
            raise
    response = FileResponse(file, content_type=_TYPES[export.kind])
    response.headers["Content-Disposition"] = filenames.attached(export.name)
    return response
