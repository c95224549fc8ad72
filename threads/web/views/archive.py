"""The archive's page: what is kept, whether that is everything, and how the copying goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from threads import masking
from threads.archive.deletions import accept as accept_deletions
from threads.archive.orders import request_sync
from threads.archive.report import ATTACHMENTS, MOST_NAMED, Report, report
from threads.archive.sync import status as running
from threads.archive.sync.requests import pending
from threads.audit.record import NotRecordedError
from threads.lib import times
from threads.roles import Right, account, needs
from threads.web import links
from threads.web.error_page import problem
from threads.web.fetch_metadata import linked

_SHOWN_TROUBLES, _SHOWN_WITHHELD, _SHOWN_OVERSIZED = 50, 500, 50
_OFTEN, _SELDOM = 2, 30
"""Seconds after which the page asks how it goes, while a run is under way and while none is."""

View = Callable[[HttpRequest], HttpResponse]


def _kept(view: View) -> View:
    """Where nothing is archived, there is no such address."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if settings.ARCHIVE == "off":
            raise Http404
        return view(request)

    return answer


@linked
@needs(Right.READ, Right.SYNC)
@require_safe
@_kept
def archive(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx the part of it that changes."""
    accepted = request.GET.get("accepted", "")
    return _page(request, accepted=accepted if accepted.isdecimal() else None)


@needs(Right.SYNC)
@require_POST
@_kept
def start(request: HttpRequest) -> HttpResponse:
    """Has everything copied anew, and leads back to the page, which says so. 503 where that can't be recorded."""
    if settings.ARCHIVE_ONLY:
        return problem(request, 409, "Nothing is synced", "This desk reads its archive alone: ARCHIVE_ONLY is set.")
    request_sync()
    return HttpResponseRedirect(reverse("archive"))


@needs(Right.ADMINISTER)
@require_POST
@_kept
def accept(request: HttpRequest) -> HttpResponse:
    """Marks the deletions that the circuit breaker has stopped, up to the time that the page named. 400 where it names
    none, 503 where that can't be recorded."""
    try:
        until = datetime.fromisoformat(request.POST.get("until", ""))
        if until.tzinfo is None:
            raise ValueError  # noqa: TRY301
        until = until.astimezone(UTC)
    except (ValueError, OverflowError):
        return problem(request, 400, "This was not understood", "Go back to the archive's page and try again.")
    try:
        number = accept_deletions(until)
    except NotRecordedError:
        return _page(request, unrecorded=True, status=503)
    return HttpResponseRedirect(f"{reverse('archive')}?accepted={number}")


@needs(Right.READ, Right.SYNC)
@require_safe
@_kept
def download(request: HttpRequest) -> HttpResponse:
    """The whole report as a file."""
    text = json.dumps(
        _report(request, most=None).as_json(), indent=2, ensure_ascii=False, default=lambda moment: moment.isoformat()
    )
    response = HttpResponse(text + "\n", content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="archive-report.json"'
    return response


def _page(
    request: HttpRequest,
    *,
    accepted: str | None = None,
    unrecorded: bool = False,
    status: int = 200,
) -> HttpResponse:
    now, zone = datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
    run, found = running.last(), _report(request)
    going = found.running
    asked = None if settings.ARCHIVE_ONLY else pending().first()
    context = _told(found, now, zone) | {
        "may_sync": request.user.has_perm(Right.SYNC) and not settings.ARCHIVE_ONLY,
        "may_accept": request.user.has_perm(Right.ADMINISTER),
        "accepted": int(accepted) if accepted else None,
        "unrecorded": unrecorded,
        "asked": times.relative(asked.asked_at, now) if asked else None,
        "asked_begun": asked is not None and asked.began_at is not None,
        "running": _going(going) if going else None,
        "to_read": _to_read(found.to_read),
        "ended": times.relative(run.ended_at, now) if run and run.ended_at else None,
        "died": run is not None and run.ended_at is None and going is None,
        "worker": settings.WORKER,
        "every": times.duration(60 * settings.ARCHIVE_EVERY),
        "seconds": _OFTEN if going or asked else _SELDOM,
        "here_url": reverse("archive"),
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }
    part = request.headers.get("HX-Request") == "true"
    return render(request, "archive/_archive.html" if part else "archive/archive.html", context, status=status)


def _report(request: HttpRequest, *, most: int | None = MOST_NAMED) -> Report:
    """As this reader may see it: what the upstream said of a failure can name somebody."""
    found = report(most)
    if not masking.is_due(account(request)):
        return found
    troubles = tuple(replace(each, why=_masked(each.why, each.user)) for each in found.troubles)
    withheld = tuple(replace(each, title=each.title and _masked(each.title, each.user)) for each in found.withheld)
    return replace(found, failure=masking.deep(found.failure), troubles=troubles, withheld=withheld)


def _masked(said: str, user: str | None) -> str:
    return masking.deep(said, (user,) if user else ())


def _told(found: Report, now: datetime, zone: tzinfo) -> dict[str, Any]:
    complete = found.complete
    since = found.swept_at or found.started_at
    return {
        "report": found,
        "attachments": ATTACHMENTS,
        "hours": complete.bound // timedelta(hours=1),
        "listed": times.exact_to_seconds(complete.listed_at, zone) if complete.listed_at else None,
        "list_ended": times.exact_to_seconds(complete.ended_at, zone) if complete.ended_at else None,
        "checked": times.exact_to_seconds(complete.checked_at, zone) if complete.checked_at else None,
        "failed_since": times.exact(found.failed_at, zone) if found.failed_at else None,
        "withheld_since": times.exact(found.breaker.since, zone) if found.breaker else None,
        "withheld": [
            {"id": each.thread_id, "url": links.thread_url(each.thread_id), "title": each.title or "No title"}
            for each in found.withheld[:_SHOWN_WITHHELD]
        ],
        # What is found after the page was made is not accepted with it.
        "accepted_until": max((each.since for each in found.withheld), default=now).isoformat(),
        "first": times.exact(found.first_at, zone) if found.first_at else None,
        "last": times.exact(found.last_at, zone) if found.last_at else None,
        "complete": times.exact_to_seconds(complete.as_of, zone) if complete.as_of else None,
        "statuses": [
            (label, count, f"{reverse('threads')}?{urlencode({'status': label})}" if label != "none given" else None)
            for label, count in found.by_status.items()
        ],
        "oldest": times.exact(since, zone) if since else None,
        "troubles": [
            {
                "id": each.thread_id,
                "url": links.thread_url(each.thread_id),
                "why": each.why,
                "failures": each.failures,
                "again": times.relative(each.again_at, now) if each.again_at and each.again_at > now else "soon",
            }
            for each in found.troubles[:_SHOWN_TROUBLES]
        ],
        "oversized": [
            {"id": each.thread_id, "url": links.thread_url(each.thread_id), "item": each.item_id, "why": each.why}
            for each in found.oversized[:_SHOWN_OVERSIZED]
        ],
    }  # fmt: skip


def _going(found: running.Running) -> dict[str, Any]:
    return {
        "phase": found.said,
        "rate": None if found.rate is None else _per_minute(found.rate),
        "left": found.left,
        "time_left": None if found.seconds_left is None else times.time_left(found.seconds_left),
        "new_threads": found.new_threads,
        "new_items": found.new_items,
        "refusals": found.refusals,
    }


def _per_minute(rate: float) -> str:
    """Such as "293 threads per minute" for a rate in threads per second."""
    return f"{60 * rate:,.0f} threads per minute" if 60 * rate >= 10 else f"{60 * rate:.2g} threads per minute"


def _to_read(found: running.ToRead | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "conversations": found.conversations,
        "time": times.time_left(found.seconds),
        "per_minute": f"{found.per_minute:,.0f}",
    }
