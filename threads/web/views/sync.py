"""The sync page: what the archive holds, whether it is complete, and the progress of the sync."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from threads import masking
from threads.archive.deletion_evidence import accept_withheld as accept_deletions
from threads.archive.report import MAX_LISTED, ArchiveReport, archive_report
from threads.archive.request_sync import request_sync
from threads.archive.sync import status
from threads.archive.sync.sync_requests import pending
from threads.audit.record import NotRecordedError
from threads.lib import times
from threads.roles import Right, needs
from threads.web.error_page import problem_page
from threads.web.fetch_metadata import linkable
from threads.web.htmx import is_part
from threads.web.json_file import json_file
from threads.web.presenters.sync import backlog_context, report_context, run_context
from threads.web.request import is_masked, now_and_zone

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


@linkable
@needs(Right.READ, Right.SYNC)
@require_safe
@_requires_archive
def sync(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx the changing part of it."""
    accepted = request.GET.get("accepted", "")
    return _page(request, accepted=accepted if accepted.isdecimal() else None)


@needs(Right.SYNC)
@require_POST
@_requires_archive
def start(request: HttpRequest) -> HttpResponse:
    """Requests a sync of everything and redirects to the page, which says so. 503 if it can't be recorded."""
    if settings.ARCHIVE_ONLY:
        return problem_page(
            request, 409, "Nothing is synced", "This desk reads its archive alone: ARCHIVE_ONLY is set."
        )
    request_sync()
    return HttpResponseRedirect(reverse("sync"))


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
        return problem_page(request, 400, "This form is not valid", "Go back to the Sync page and try again.")
    try:
        number = accept_deletions(until)
    except NotRecordedError:
        return _page(request, unrecorded=True, http_status=503)
    return HttpResponseRedirect(f"{reverse('sync')}?accepted={number}")


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
    last_run, found = status.last_run(), _report(request)
    running = found.running
    requested = None if settings.ARCHIVE_ONLY else pending().first()
    context = report_context(found, now, zone) | {
        "may_sync": request.user.has_perm(Right.SYNC) and not settings.ARCHIVE_ONLY,
        "may_accept": request.user.has_perm(Right.ADMINISTER),
        "accepted": int(accepted) if accepted else None,
        "unrecorded": unrecorded,
        "asked": times.relative(requested.requested_at, now) if requested else None,
        "asked_begun": requested is not None and requested.started_at is not None,
        "running": run_context(running) if running else None,
        "to_read": backlog_context(found.to_read),
        "ended": times.relative(last_run.finished_at, now) if last_run and last_run.finished_at else None,
        "died": last_run is not None and last_run.finished_at is None and running is None,
        "worker": settings.WORKER,
        "every": times.duration(60 * settings.ARCHIVE_EVERY),
        "seconds": _BUSY_POLL_SECONDS if running or requested else _IDLE_POLL_SECONDS,
        "here_url": reverse("sync"),
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }
    template = "sync/_sync.html" if is_part(request) else "sync/sync.html"
    return render(request, template, context, status=http_status)


def _report(request: HttpRequest, *, most: int | None = MAX_LISTED) -> ArchiveReport:
    """The report for this account. Upstream errors and titles can hold user ids, so they are masked too."""
    found = archive_report(most)
    if not is_masked(request):
        return found
    troubles = tuple(replace(each, why=_masked(each.why, each.user)) for each in found.troubles)
    withheld = tuple(replace(each, title=each.title and _masked(each.title, each.user)) for each in found.withheld)
    return replace(found, failure=masking.deep(found.failure), troubles=troubles, withheld=withheld)


def _masked(text: str, user: str | None) -> str:
    return masking.deep(text, (user,) if user else ())
