"""Erasure: its preview, the confirmation, its progress and receipt, and the list of all erasures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from threads.audit.record import Action, NotRecordedError, Outcome, record, record_or_raise
from threads.erasure import orders, receipt, retention
from threads.erasure.journal import JournalError
from threads.erasure.models import Erasure
from threads.erasure.preview import (
    MAX_THREADS,
    ConfirmedPreview,
    Preview,
    StalePreviewError,
    matches_phrase,
    of_threads,
    of_user,
    sign,
    unsign,
)
from threads.lib import times
from threads.roles import Right, needs
from threads.sources import query_forms
from threads.sources.query import ThreadQuery
from threads.web import links
from threads.web.error_page import not_recorded
from threads.web.fetch_metadata import linkable
from threads.web.htmx import is_part
from threads.web.json_file import json_file
from threads.web.presenters.erasure import erasure_context, list_row, preview_context
from threads.web.request import account, encoded_query, is_masked, now_and_zone

_PAGE_SIZE = 50
"""Erasures on a page of the list."""


@linkable
@needs(Right.ERASE)
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """What an erasure would delete: threads by their ids, or all of a user. Deletes nothing. 400 if none are named."""
    sent = request.POST if request.method == "POST" else request.GET
    try:
        ids = [name for each in sent.getlist("thread") if (name := query_forms.THREAD_ID.clean(each))]
        user = query_forms.FIELDS["user"].clean(sent.get("user"))
    except forms.ValidationError:
        return _nothing(request)
    back = _back(request, sent.get("list", ""), ids, user)
    if user is not None:
        return _page(request, of_user(user), back)
    if not ids or len(ids) > MAX_THREADS:
        return _nothing(request)
    return _page(request, of_threads(ids), back)


@needs(Right.ERASE)
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Starts the previewed erasure if the confirmation phrase is typed, and redirects to its page. 400 if it is not,
    with the preview again; 503 if it can't be recorded."""
    back = request.POST.get("back", "")
    try:
        approved = unsign(request.POST.get("preview", ""), str(account(request).pk))
    except StalePreviewError:
        return render(request, "erasure/stale.html", {}, status=400)
    typed = request.POST.get("typed", "").strip()
    if not matches_phrase(typed, approved.phrase):
        error = "This does not match. Type it exactly as shown."
        return _again(request, approved, back, error, typed, 400)
    try:
        job = orders.order_erasure(approved)
    except (NotRecordedError, JournalError) as failed:
        what = "audit log" if isinstance(failed, NotRecordedError) else "erasures file"
        error = f"The {what} can't be written, so nothing was erased. Try again in a moment."
        return _again(request, approved, back, error, typed, 503)
    orders.notify_workers()
    return HttpResponseRedirect(reverse("erasure", args=[job.pk]))


@linkable
@needs(Right.ERASE, Right.AUDIT)
@require_safe
def erasures(request: HttpRequest) -> HttpResponse:
    """All erasures, newest first."""
    now, zone = now_and_zone(request)
    masked = is_masked(request)
    page = Paginator(Erasure.objects.order_by("-requested_at", "id"), _PAGE_SIZE).get_page(request.GET.get("page"))
    record(Action.AUDIT, detail={"erasures": len(page.object_list)})
    rows = [list_row(job, zone, masked=masked) | {"url": reverse("erasure", args=[job.pk])} for job in page]
    context = {"rows": rows, "page": page, "as_of": times.exact(now, zone), "zone": str(zone)}
    context["refusal"] = retention.last_refusal() if settings.RETENTION_DAYS else ""
    return render(request, "erasure/list.html", context)


@linkable
@needs(Right.ERASE, Right.AUDIT)
@require_safe
def erasure(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Progress of an erasure, and its receipt when it has ended; for htmx the changing part of the page."""
    job = get_object_or_404(Erasure, pk=pk)
    part = is_part(request)
    if not part or job.finished_at:  # a running one is polled every few seconds
        record(Action.AUDIT, user_id=job.user_id, detail={"receipt": str(job.pk), "shown": True})
    return render(request, "erasure/_erasure.html" if part else "erasure/erasure.html", _context(request, job))


@needs(Right.ERASE)
@require_POST
def start(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Confirms an erasure that retention has ordered and that waits for it, if the number of its threads is typed. 400
    if it is not, 503 if it can't be recorded."""
    job = get_object_or_404(Erasure, pk=pk)
    typed, status, error = request.POST.get("typed", "").strip(), 400, ""
    if job.needs_confirmation and job.finished_at is None:
        if typed.replace(",", "") != str(job.total):
            error = "This does not match. Type the number exactly as shown."
        else:
            try:
                retention.confirm(job, account(request).get_username())
            except NotRecordedError:
                status, error = 503, "The audit log can't be written, so nothing was erased. Try again in a moment."
    if error:
        context = _context(request, job) | {"error": error, "typed": typed}
        return render(request, "erasure/erasure.html", context, status=status)
    orders.notify_workers()
    return HttpResponseRedirect(reverse("erasure", args=[job.pk]))


@needs(Right.ERASE, Right.AUDIT)
@require_safe
def download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The whole receipt as a file. 503 if the download can't be recorded: then there is none."""
    job = get_object_or_404(Erasure, pk=pk)
    try:
        record_or_raise(Action.AUDIT, Outcome.DONE, user_id=job.user_id, detail={"receipt": str(job.pk)})
    except NotRecordedError:
        return not_recorded(request)
    content = receipt.as_json(job)
    return json_file(receipt.masked(content) if is_masked(request) else content, f"erasure-{job.pk}.json")


def _nothing(request: HttpRequest) -> HttpResponse:
    return render(request, "erasure/nothing.html", {"most": MAX_THREADS}, status=400)


def _again(
    request: HttpRequest, approved: ConfirmedPreview, back: str, error: str, typed: str, status: int
) -> HttpResponse:
    """The preview again, looked up anew, with an error and what was typed."""
    found = of_user(approved.user) if approved.user else of_threads([each[0] for each in approved.threads])
    return _page(request, found, _safe(back), error=error, typed=typed, status=status)


def _page(
    request: HttpRequest, found: Preview, back: str, *, error: str = "", typed: str = "", status: int = 200
) -> HttpResponse:
    now, zone = now_and_zone(request)
    detail = {"for": "erasing", "threads": found.number}
    only = found.ids[0] if len(found.ids) == 1 else ""
    record(Action.SEARCH, user_id=found.user, thread_id=only, detail=detail, upstream_request_id="")
    is_empty = found.counted and not found.number
    context = preview_context(found, now, zone) | {
        "signed": None if is_empty else sign(found, str(account(request).pk)),
        "error": error,
        "typed": typed,
        "back": back,
    }
    return render(request, "erasure/preview.html", context, status=status)


def _back(request: HttpRequest, encoded: str, ids: list[str], user: str | None) -> str:
    """The address to return to: the list that the erasure was asked from, or the user or thread it is about."""
    query, _ = encoded_query(request, encoded)
    if encoded and query is not None:
        return links.list_url(query)
    if user is not None:
        return links.list_url(ThreadQuery().of(user))
    if len(ids) == 1:
        return links.thread_url(ids[0]) or links.list_url(ThreadQuery())
    return links.list_url(ThreadQuery())


def _safe(back: str) -> str:
    """The address if it is one of the desk's lists, else the list of all threads."""
    return back if back.startswith(reverse("threads")) else reverse("threads")


def _context(request: HttpRequest, job: Erasure) -> dict[str, Any]:
    now, zone = now_and_zone(request)
    return erasure_context(job, now, zone, masked=is_masked(request)) | {
        "may_start": request.user.has_perm(Right.ERASE),
        "error": "",
        "typed": "",
    }
