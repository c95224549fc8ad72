"""Erasing: what would go, the word that is to be typed, how it goes, and the receipt."""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from threads import masking
from threads.audit.record import Action, NotRecordedError, Outcome, must, record
from threads.chatkit import Retired
from threads.erasure import orders, receipt, retention
from threads.erasure import preview as plan
from threads.erasure.journal import JournalError
from threads.erasure.models import Erasure, Target
from threads.lib import times
from threads.roles import Right, account, needs
from threads.sources import query_forms
from threads.sources.query import ThreadQuery
from threads.web import links
from threads.web.fetch_metadata import linked
from threads.web.presenters import errors
from threads.web.request_query import encoded_query

from .transcript import not_recorded

_ROWS, _TROUBLED, _PAGE = 1000, 50, 50
"""Threads on a receipt; those that went wrong, while it goes on; erasures on a page of the list."""

_SECONDS = 2

_PHASES = {
    "waiting": "Waiting for a worker",
    "confirming": "Waiting until the number of threads is typed",
    "listing": "Listing the threads of the user",
    "erasing": "Erasing",
    "looking": "Looking for threads that have arrived meanwhile",
    "traces": "Taking the last traces away here",
    "ended": "Ended",
}

_NAMES = {
    Erasure.Kind.RETENTION: "Threads past their time",
    Erasure.Kind.REPLAY: "Copies that a restored backup brought back",
}

_STATES = dict(Target.State.choices)


@linked
@needs(Right.ERASE)
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """What would be erased: threads by their ids, or all of a user. Erases nothing. 400 where none are named."""
    sent = request.POST if request.method == "POST" else request.GET
    try:
        ids = [name for each in sent.getlist("thread") if (name := query_forms.THREAD_ID.clean(each))]
        user = query_forms.FIELDS["user"].clean(sent.get("user"))
    except django_forms.ValidationError:
        return _nothing(request)
    back = _back(request, sent.get("list", ""), ids, user)
    if user is not None:
        return _page(request, plan.of_user(user), back)
    if not ids or len(ids) > plan.MOST:
        return _nothing(request)
    return _page(request, plan.of_threads(ids), back)


@needs(Right.ERASE)
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Orders what was previewed, where what was typed is what was to be typed, and leads to how it goes. 400 where it
    is not, the page kept; 503 where the order can't be recorded."""
    back = request.POST.get("back", "")
    try:
        wanted = plan.confirmed(request.POST.get("preview", ""), str(account(request).pk))
    except plan.StaleError:
        return render(request, "erasure/stale.html", {}, status=400)
    typed = request.POST.get("typed", "").strip()
    if not plan.is_typed(typed, wanted.phrase):
        error = "Type it exactly as it stands above." if typed else "Type what stands above, to confirm."
        return _again(request, wanted, back, error, typed, 400)
    try:
        job = orders.begin(wanted)
    except (NotRecordedError, JournalError) as failed:
        what = "audit trail" if isinstance(failed, NotRecordedError) else "erasures file"
        error = f"The {what} can't be written, so nothing was ordered. Try again in a moment."
        return _again(request, wanted, back, error, typed, 503)
    orders.start()
    return HttpResponseRedirect(reverse("erasure", args=[job.pk]))


@linked
@needs(Right.ERASE, Right.AUDIT)
@require_safe
def erasures(request: HttpRequest) -> HttpResponse:
    """All erasures, newest first."""
    now, zone = _now(request)
    masked = masking.is_due(account(request))
    page = Paginator(Erasure.objects.order_by("-asked_at", "id"), _PAGE).get_page(request.GET.get("page"))
    record(Action.AUDIT, detail={"erasures": len(page.object_list)})
    rows = [
        {
            "url": reverse("erasure", args=[job.pk]),
            "what": _what(job, masked=masked),
            "who": job.who,
            "asked": times.exact(job.asked_at, zone),
            "state": "ended" if job.ended_at else _phase(job).lower(),
            "counts": _counts(job),
        }
        for job in page
    ]
    context = {"rows": rows, "page": page, "as_of": times.exact(now, zone), "zone": str(zone)}
    context["refusal"] = retention.last_refusal() if settings.RETENTION_DAYS else ""
    return render(request, "erasure/list.html", context)


@linked
@needs(Right.ERASE, Right.AUDIT)
@require_safe
def erasure(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How one goes, and its receipt; for htmx the part of it that changes."""
    job = get_object_or_404(Erasure, pk=pk)
    part = request.headers.get("HX-Request") == "true"
    if not part or job.ended_at:  # until then the part comes again every few seconds
        record(Action.AUDIT, customer=job.customer, detail={"receipt": str(job.pk), "shown": True})
    return render(request, "erasure/_erasure.html" if part else "erasure/erasure.html", _told(request, job))


@needs(Right.ERASE)
@require_POST
def start(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lets an order of retention go on that waits for it, where the number of its threads was typed. 400 where it was
    not, 503 where it can't be recorded."""
    job = get_object_or_404(Erasure, pk=pk)
    typed, status, error = request.POST.get("typed", "").strip(), 400, ""
    if job.awaits and job.ended_at is None:
        if typed.replace(",", "") != str(job.total):
            error = "Type the number of threads as it stands above."
        else:
            try:
                retention.confirm(job, account(request).get_username())
            except NotRecordedError:
                status, error = 503, "The audit trail can't be written, so nothing was erased. Try again in a moment."
    if error:
        context = _told(request, job) | {"error": error, "typed": typed}
        return render(request, "erasure/erasure.html", context, status=status)
    orders.start()
    return HttpResponseRedirect(reverse("erasure", args=[job.pk]))


@needs(Right.ERASE, Right.AUDIT)
@require_safe
def download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The whole receipt as a file. 503 where it can't be recorded that it is taken along: then it is not."""
    job = get_object_or_404(Erasure, pk=pk)
    try:
        must(Action.AUDIT, Outcome.DONE, customer=job.customer, detail={"receipt": str(job.pk)})
    except NotRecordedError:
        return not_recorded(request)
    found = receipt.as_json(job)
    found = receipt.masked(found) if masking.is_due(account(request)) else found
    text = json.dumps(found, indent=2, ensure_ascii=False, default=lambda moment: moment.isoformat())
    response = HttpResponse(text + "\n", content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="erasure-{job.pk}.json"'
    return response


def _nothing(request: HttpRequest) -> HttpResponse:
    return render(request, "erasure/nothing.html", {"most": plan.MOST}, status=400)


def _again(
    request: HttpRequest, wanted: plan.Confirmed, back: str, error: str, typed: str, status: int
) -> HttpResponse:
    """The page once more, looked up anew, with what was typed."""
    found = plan.of_user(wanted.user) if wanted.user else plan.of_threads([each[0] for each in wanted.threads])
    return _page(request, found, _safe(back), error=error, typed=typed, status=status)


def _page(
    request: HttpRequest, found: plan.Plan, back: str, *, error: str = "", typed: str = "", status: int = 200
) -> HttpResponse:
    now, zone = _now(request)
    detail = {"for": "erasing", "threads": found.number}
    only = found.ids[0] if len(found.ids) == 1 else ""
    record(Action.SEARCH, customer=found.user, thread=only, detail=detail, upstream_request_id="")
    context = {
        "plan": found,
        "copies": found.kind == Erasure.Kind.COPIES,
        "title": _title(found),
        "span": [times.exact(each, zone) for each in found.span] if found.span else None,
        "first": [
            (each.title or "", times.exact(each.created_at, zone) if each.created_at else "", each.id)
            for each in found.threads[: plan.SHOWN]
        ],
        "problem": errors.problem(found.error, now, zone) if found.error else None,
        "retired": isinstance(found.error, Retired),
        "signed": plan.signed(found, str(account(request).pk)) if found.number or not found.counted else None,
        "error": error,
        "typed": typed,
        "back": back,
        "zone": str(zone),
    }
    return render(request, "erasure/preview.html", context, status=status)


def _title(found: plan.Plan) -> str:
    copies = "the copies of " if found.kind == Erasure.Kind.COPIES else ""
    if found.user:
        return f"Erase {copies}all threads of a user"
    return f"Erase {copies}{len(found.ids)} threads" if len(found.ids) != 1 else f"Erase {copies}this thread"


def _told(request: HttpRequest, job: Erasure) -> dict[str, Any]:
    now, zone = _now(request)
    masked = masking.is_due(account(request))
    rows = job.targets.order_by("id")[:_ROWS] if job.ended_at else receipt.troubled(job)[:_TROUBLED]
    remarks = receipt.remarks(job) if job.ended_at else []
    known, troubled = receipt.counts(job), receipt.troubled(job).count()
    return {
        "job": job,
        "what": _what(job, masked=masked),
        "ended": times.exact_to_seconds(job.ended_at, zone) if job.ended_at else None,
        "asked": times.exact_to_seconds(job.asked_at, zone),
        "phase": _phase(job),
        "again": times.relative(job.again_at, now)
        if job.again_at and not job.ended_at and job.again_at > now
        else None,
        "threads": sum(known.values()),
        "open": sum(known.get(state.value, 0) for state in Target.OPEN),
        "counts": [(_STATES[state], number) for state, number in known.items()],
        "rows": [_row(each, zone, masked=masked) for each in rows],
        "most": _ROWS,
        "troubled": troubled,
        "partial": bool(troubled) or receipt.is_cut_short(job),
        "look": receipt.last_look(job),
        "remarks": masking.deep(remarks, receipt.named(job.rule)) if masked else remarks,
        "traces": receipt.traces(job) if job.ended_at else [],
        "seconds": _SECONDS,
        "confirmed": times.exact_to_seconds(job.confirmed_at, zone) if job.confirmed_at else None,
        "may_start": request.user.has_perm(Right.ERASE),
        "error": "",
        "typed": "",
        "as_of": times.exact_to_seconds(now, zone),
        "zone": str(zone),
    }


def _phase(job: Erasure) -> str:
    if job.awaits:
        return _PHASES["confirming"]
    return f"Stopped for now: {job.held}" if job.held else _PHASES.get(job.phase, job.phase)


def _row(target: Target, zone: tzinfo, *, masked: bool) -> dict[str, str]:
    return {
        "id": target.thread_id,
        "user": masking.short(target.customer) if masked and target.customer else target.customer,
        "state": _STATES.get(target.state, target.state),
        "shape": target.state,
        "reason": masking.text(target.reason, [target.customer]) if masked else target.reason,
        "at": times.exact_to_seconds(target.at, zone) if target.at else "",
        "request_id": target.upstream_request_id,
    }


def _what(job: Erasure, *, masked: bool) -> str:
    if job.kind in _NAMES:
        return _NAMES[Erasure.Kind(job.kind)]
    copies = "Copies of " if job.kind == Erasure.Kind.COPIES else ""
    if job.customer:
        whose = job.customer if job.customer.strip() else "a user whose id is blank"
        return f"{copies or 'All '}threads of {masking.short(job.customer) if masked else whose}"
    count = job.total or 0
    return f"{copies}{count:,} thread{'s' if count != 1 else ''}"


def _counts(job: Erasure) -> str:
    found = receipt.counts(job)
    return ", ".join(f"{number:,} {_STATES[state].lower()}" for state, number in found.items()) or "none yet"


def _back(request: HttpRequest, encoded: str, ids: list[str], user: str | None) -> str:
    """Where to go instead: to the list that it was asked from, or to what it is about."""
    query, _ = encoded_query(request, encoded)
    if encoded and query is not None:
        return links.address(query)
    if user is not None:
        return links.address(ThreadQuery().of(user))
    if len(ids) == 1:
        return links.thread_url(ids[0]) or links.address(ThreadQuery())
    return links.address(ThreadQuery())


def _safe(back: str) -> str:
    """An address of ours, whatever a form brought."""
    return back if back.startswith(reverse("threads")) else reverse("threads")


def _now(request: HttpRequest) -> tuple[datetime, tzinfo]:
    return datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
