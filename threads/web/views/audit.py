"""The trail: who saw, exported or erased what. Looking at it stands in it too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from threads import masking
from threads.audit import csv_file, descriptions, forms
from threads.audit import query as find
from threads.audit.query import NoSuchPlaceError, TrailQuery
from threads.audit.record import Action, Actor, NotRecordedError, Outcome, acting, actor, must, record
from threads.lib import form_fields, safe_csv, times
from threads.roles import Right, account, needs
from threads.web.fetch_metadata import linked
from threads.web.htmx import form_only, is_part, place
from threads.web.presenters import audit

_log = logging.getLogger(__name__)

_FIELDS = ("who", "action", "outcome", "thread", "customer", "address", "request_id", "from", "to", "order", "limit")
_LIMITS = (find.DEFAULT_LIMIT, 100, find.MAX_LIMIT)
_PLACES = ("place", "after", "before")
_NO_PLACE = {"place": ["There is no such row in the trail, so this is no place in it."]}


@linked
@needs(Right.AUDIT)
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """One page of the trail. 400 where the address is wrong, the form kept."""
    sent = request.GET.dict()
    query, errors = forms.read(sent)
    if query is None:
        return _respond(request, _invalid(sent, errors), 400)
    now, zone = datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
    try:
        found = find.page(query, zone)
    except NoSuchPlaceError:
        return _respond(request, _invalid(sent, _NO_PLACE), 400)
    record(Action.AUDIT, detail={"trail": query.encoded(), "events": len(found.rows)})
    context = _kept(query) | {
        "rows": audit.lines(
            found, query, zone, may_read=request.user.has_perm(Right.READ), masked=masking.is_due(account(request))
        ),
        "pager": audit.pager(query, found),
        "summary": audit.summary(query, found, zone),
        "errors": {},
        "misplaced": [],
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }
    return _respond(request, context, 200, query)


@needs(Right.AUDIT)
@form_only("The trail was not downloaded. Go to the audit trail and press CSV there.")
def download(request: HttpRequest) -> HttpResponseBase:
    """All that the filter in the address finds, as CSV. 400 where that is wrong, 503 where it can't be recorded that
    the trail is taken along: then it is not."""
    sent = request.GET.dict()
    query, errors = forms.read(sent)
    if query is None:
        return _respond(request, _invalid(sent, errors), 400)
    now, zone = datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
    try:
        must(Action.AUDIT, Outcome.INTENT, detail={"download": query.first().encoded()})
    except NotRecordedError:
        text = "It could not be recorded who takes it along, so it was not handed out. Try again in a moment."
        return render(request, "problem.html", {"title": "The trail can't be taken along", "text": text}, status=503)
    response = StreamingHttpResponse(_file(query.first(), zone, actor(), masked=masking.is_due(account(request))))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="trail-{now:%Y-%m-%dT%H%M}Z.csv"'
    return response


def _file(query: TrailQuery, zone: tzinfo, who: Actor, *, masked: bool) -> Iterator[bytes]:
    """The file as it is sent, which the request does not outlive but its context does; and how it ended, recorded."""
    rows, outcome = -1, Outcome.PARTIAL  # the first line is the heads of the columns
    try:
        for line in csv_file.as_csv(find.every(query, zone), masked=masked):
            rows += 1
            yield line.encode()
        outcome = Outcome.DONE
    except DatabaseError:
        _log.exception("The trail could not be read to its end")
        outcome = Outcome.FAILED if rows < 0 else Outcome.PARTIAL
        yield safe_csv.line(
            [f"This file is partial: the trail could not be read beyond these {max(rows, 0)} rows."]
        ).encode()
    finally:
        with acting(who):
            record(Action.AUDIT, outcome, detail={"download": query.encoded(), "rows": max(rows, 0)})


def _kept(query: TrailQuery) -> dict[str, Any]:
    """The filter as it was asked for, and the ways out of a page that has nothing to show."""
    values = {name: getattr(query, name) or "" for name in _FIELDS if name not in {"from", "to"}}
    encoded = query.first().encoded()
    return values | {
        "from": str(query.begin or ""),
        "to": str(query.end or ""),
        "limits": sorted({*_LIMITS, query.limit}),
        "cursor": query.after or query.before,
        "filters": query.filters,
        "first_url": audit.address(query.first()),
        "unfiltered_url": audit.address(query.unfiltered()),
        "file_url": f"{reverse('audit-file')}?{encoded}" if encoded else reverse("audit-file"),
    }


def _invalid(sent: dict[str, str], errors: form_fields.Errors) -> dict[str, Any]:
    """The form as it was sent, so that what is wrong can be put right where it stands."""
    limit = find.DEFAULT_LIMIT if "limit" in errors else forms.FIELDS["limit"].clean(sent.get("limit"))
    # No HTML can hold a NUL.
    kept = {name: sent.get(name, "").replace("\0", "") for name in _FIELDS}
    # A field for a day can hold nothing else, so what is no day is in the sentence beside it alone.
    kept |= {name: "" for name in ("from", "to") if name in errors and not form_fields.is_day(kept[name])}
    return (
        _kept(TrailQuery(limit=limit or find.DEFAULT_LIMIT))
        | kept
        | {
            "limit": limit or find.DEFAULT_LIMIT,
            "filters": sum(bool(kept[name]) for name in _FIELDS[:-2]),
            "errors": errors,
            "marked": bool(errors.keys() - _PLACES),
            "misplaced": list(dict.fromkeys(message for name in _PLACES for message in errors.get(name, ()))),
            "rows": [],
            "pager": None,
        }
    )


def _respond(
    request: HttpRequest, context: dict[str, Any], status: int, query: TrailQuery | None = None
) -> HttpResponse:
    part = is_part(request)
    shown = context | {"part": part, "actions": descriptions.ACTIONS, "outcomes": descriptions.OUTCOMES}
    response = render(request, "audit/_trail.html" if part else "audit/trail.html", shown, status=status)
    if part and query is not None:
        place(request, response, audit.address(query))
    return response
