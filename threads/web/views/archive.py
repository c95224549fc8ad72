"""The archive's page: what it holds, whether it is complete, and the progress of the sync."""

from __future__ import annotations

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
from threads.archive.sync import status
from threads.archive.sync.requests import pending
from threads.audit.record import NotRecordedError
from threads.lib import times
from threads.roles import Right, needs
from threads.web import links
from threads.web.error_page import problem
from threads.web.fetch_metadata import linked
from threads.web.htmx import is_part
from threads.web.json_file import json_file
from threads.web.request import is_masked, now_and_zone

_MAX_TROUBLES, _MAX_WITHHELD, _MAX_OVERSIZED = 50, 500, 50
"""Threads that the page names; the report names all."""

_BUSY_POLL_SECONDS, _IDLE_POLL_SECONDS = 2, 30

View = Callable[[HttpRequest], HttpResponse]


def _requires_archive(view: View) -> View:
    """404 if the archive is switched off."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if settings.ARCHIVE == "off":
            raise Http404
        return view(request)

    return answer


@linked
@needs(Right.READ, Right.SYNC)
@require_safe
@_requires_archive
def archive(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx the changing part of it."""
    accepted = request.GET.get("accepted", "")
    return _page(request, accepted=accepted if accepted.isdecimal() else None)


@needs(Right.SYNC)
@require_POST
@_requires_archive
def start(request: HttpRequest) -> HttpResponse:
    """Requests a sync of everything and redirects to the page, which says so. 503 if it can't be recorded."""
    if settings.ARCHIVE_ONLY:
        return problem(request, 409, "Nothing is synced", "This desk reads its archive alone: ARCHIVE_ONLY is set.")
    request_sync()
    return HttpResponseRedirect(reverse("archive"))


@needs(Right.ADMINISTER)
@require_POST
@_requires_archive
def accept(request: HttpRequest) -> HttpResponse:
    """Marks the deletions that the circuit breaker holds back, up to the time that the page was rendered with. 400
    without such a time, 503 if it can't be recorded."""
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
        return _page(request, unrecorded=True, http_status=503)
    return HttpResponseRedirect(f"{reverse('archive')}?accepted={number}")


@needs(Right.READ, Right.SYNC)
@require_safe
@_requires_archive
def download(request: HttpRequest) -> HttpResponse:
    """The whole report as a file."""
    return json_file(_report(request, most=None).as_json(), "archive-report.json")


def _page(
    request: HttpRequest,
    *,
    accepted: str | None = None,
    unrecorded: bool = False,
    http_status: int = 200,
) -> HttpResponse:
    now, zone = now_and_zone(request)
    last_run, found = status.last(), _report(request)
    running = found.running
    requested = None if settings.ARCHIVE_ONLY else pending().first()
    context = _report_context(found, now, zone) | {
        "may_sync": request.user.has_perm(Right.SYNC) and not settings.ARCHIVE_ONLY,
        "may_accept": request.user.has_perm(Right.ADMINISTER),
        "accepted": int(accepted) if accepted else None,
        "unrecorded": unrecorded,
        "asked": times.relative(requested.asked_at, now) if requested else None,
        "asked_begun": requested is not None and requested.began_at is not None,
        "running": _run_context(running) if running else None,
        "to_read": _backlog(found.to_read),
        "ended": times.relative(last_run.ended_at, now) if last_run and last_run.ended_at else None,
        "died": last_run is not None and last_run.ended_at is None and running is None,
        "worker": settings.WORKER,
        "every": times.duration(60 * settings.ARCHIVE_EVERY),
        "seconds": _BUSY_POLL_SECONDS if running or requested else _IDLE_POLL_SECONDS,
        "here_url": reverse("archive"),
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }
    template = "archive/_archive.html" if is_part(request) else "archive/archive.html"
    return render(request, template, context, status=http_status)


def _report(request: HttpRequest, *, most: int | None = MOST_NAMED) -> Report:
    """The report for this account. Upstream errors and titles can hold user ids, so they are masked too."""
    found = report(most)
    if not is_masked(request):
        return found
    troubles = tuple(replace(each, why=_masked(each.why, each.user)) for each in found.troubles)
    withheld = tuple(replace(each, title=each.title and _masked(each.title, each.user)) for each in found.withheld)
    return replace(found, failure=masking.deep(found.failure), troubles=troubles, withheld=withheld)


def _masked(text: str, user: str | None) -> str:
    return masking.deep(text, (user,) if user else ())


def _report_context(found: Report, now: datetime, zone: tzinfo) -> dict[str, Any]:
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
            for each in found.withheld[:_MAX_WITHHELD]
        ],
        # Deletions found after the page was rendered are not accepted with it.
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
            for each in found.troubles[:_MAX_TROUBLES]
        ],
        "oversized": [
            {"id": each.thread_id, "url": links.thread_url(each.thread_id), "item": each.item_id, "why": each.why}
            for each in found.oversized[:_MAX_OVERSIZED]
        ],
    }  # fmt: skip


def _run_context(found: status.Running) -> dict[str, Any]:
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


def _backlog(found: status.ToRead | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "conversations": found.conversations,
        "time": times.time_left(found.seconds),
        "per_minute": f"{found.per_minute:,.0f}",
    }
