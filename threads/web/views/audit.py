"""The audit log: its page and its CSV file. Reading it is an event too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from threads.audit import csv_file, descriptions, forms
from threads.audit.query import DEFAULT_LIMIT, MAX_LIMIT, PARAMETERS, AuditQuery, NoSuchEventError, all_events, page
from threads.audit.record import Action, Actor, NotRecordedError, Outcome, acting_as, actor, record, record_or_raise
from threads.lib import form_fields, safe_csv, times
from threads.roles import Right, needs
from threads.web.error_page import problem_page
from threads.web.fetch_metadata import linkable
from threads.web.htmx import is_part, set_browser_url
from threads.web.moved import parameters_renamed
from threads.web.post_only import post_only
from threads.web.presenters import audit
from threads.web.request import is_masked, now_and_zone

_log = logging.getLogger(__name__)

_FIELDS = (*PARAMETERS.values(), "from", "to", "order", "limit")
_PAGE_SIZES = (DEFAULT_LIMIT, 100, MAX_LIMIT)
_PLACES = ("place", "after", "before")
"""Parameters without a form field; their errors stand above the table."""

_parameters_renamed = parameters_renamed({"who": "account"})
"""Of earlier versions."""

_NO_PLACE = {"place": ["This page of the audit log does not exist."]}


@linkable
@needs(Right.AUDIT)
@require_safe
@_parameters_renamed
def audit_log(request: HttpRequest) -> HttpResponse:
    """One page of the audit log. 400 if a parameter is not valid, with the form as it was sent."""
    sent = request.GET.dict()
    query, errors = forms.read(sent)
    if query is None:
        return _respond(request, _invalid(sent, errors), 400)
    now, zone = now_and_zone(request)
    try:
        found = page(query, zone)
    except NoSuchEventError:
        return _respond(request, _invalid(sent, _NO_PLACE), 400)
    record(Action.AUDIT, detail={"log": query.encoded(), "events": len(found.rows)})
    may_read = request.user.has_perm(Right.READ)
    context = _form_context(query) | {
        "days": audit.days(found, query, zone, may_read=may_read, masked=is_masked(request)),
        "pager": audit.pager(query, found),
        "summary": audit.summary(query, found, zone),
        "errors": {},
        "misplaced": [],
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }
    return _respond(request, context, 200, query)


@needs(Right.AUDIT)
@post_only("The audit log was not downloaded. Go to the audit log and press Export CSV there.")
@_parameters_renamed
def download(request: HttpRequest) -> HttpResponseBase:
    """All events that the filter in the address finds, as CSV. 400 if that is not valid, 503 if the download can't be
    recorded: then there is none."""
    sent = request.GET.dict()
    query, errors = forms.read(sent)
    if query is None:
        return _respond(request, _invalid(sent, errors), 400)
    now, zone = now_and_zone(request)
    try:
        record_or_raise(Action.AUDIT, Outcome.INTENT, detail={"download": query.first().encoded()})
    except NotRecordedError:
        text = "The download could not be recorded, so there is none. Try again in a moment."
        return problem_page(request, 503, "The audit log was not downloaded", text)
    response = StreamingHttpResponse(_file(query.first(), zone, actor(), masked=is_masked(request)))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="audit-log-{now:%Y-%m-%dT%H%M}Z.csv"'
    return response


def _file(query: AuditQuery, zone: tzinfo, by: Actor, *, masked: bool) -> Iterator[bytes]:
    """The file as it is streamed; records its outcome at the end, for the actor, whose request has ended by then."""
    rows, outcome = -1, Outcome.PARTIAL  # the first line is the header
    try:
        for line in csv_file.as_csv(all_events(query, zone), masked=masked):
            rows += 1
            yield line.encode()
        outcome = Outcome.DONE
    except DatabaseError:
        _log.exception("Reading the audit log for a download fails")
        outcome = Outcome.FAILED if rows < 0 else Outcome.PARTIAL
        yield safe_csv.csv_line(
            [f"This file is partial: the audit log could not be read beyond these {max(rows, 0)} rows."]
        ).encode()
    finally:
        with acting_as(by):
            record(Action.AUDIT, outcome, detail={"download": query.encoded(), "rows": max(rows, 0)})


def _form_context(query: AuditQuery) -> dict[str, Any]:
    """The filter form as it was sent, and links away from an empty page."""
    values = {parameter: getattr(query, name) or "" for name, parameter in PARAMETERS.items()}
    encoded = query.first().encoded()
    return values | {
        "from": str(query.begin or ""),
        "to": str(query.end or ""),
        "order": query.order,
        "limit": query.limit,
        "limits": sorted({*_PAGE_SIZES, query.limit}),
        "cursor": query.after or query.before,
        "filters": query.filters,
        "first_url": audit.audit_url(query.first()),
        "unfiltered_url": audit.audit_url(query.unfiltered()),
        "file_url": f"{reverse('audit-file')}?{encoded}" if encoded else reverse("audit-file"),
    }


def _invalid(sent: dict[str, str], errors: form_fields.Errors) -> dict[str, Any]:
    """The form as it was sent, with its errors."""
    limit = DEFAULT_LIMIT if "limit" in errors else forms.FIELDS["limit"].clean(sent.get("limit"))
    # No HTML can hold a NUL.
    values = {name: sent.get(name, "").replace("\0", "") for name in _FIELDS}
    # A date field can't show an invalid value; the message beside it quotes it.
    values |= {name: "" for name in ("from", "to") if name in errors and not form_fields.is_valid_day(values[name])}
    return (
        _form_context(AuditQuery(limit=limit or DEFAULT_LIMIT))
        | values
        | {
            "limit": limit or DEFAULT_LIMIT,
            "filters": sum(bool(values[name]) for name in _FIELDS[:-2]),
            "errors": errors,
            "marked": bool(errors.keys() - _PLACES),
            "misplaced": list(dict.fromkeys(message for name in _PLACES for message in errors.get(name, ()))),
            "days": [],
            "pager": None,
        }
    )


def _respond(
    request: HttpRequest, context: dict[str, Any], status: int, query: AuditQuery | None = None
) -> HttpResponse:
    part = is_part(request)
    shown = context | {"part": part, "actions": descriptions.ACTIONS, "outcomes": descriptions.OUTCOMES}
    response = render(request, "audit/_list.html" if part else "audit/list.html", shown, status=status)
    if part and query is not None:
        set_browser_url(request, response, audit.audit_url(query))
    return response
