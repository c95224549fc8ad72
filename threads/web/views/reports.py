"""Reports: figures of the archive over a range of days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from threads.archive import statistics
from threads.lib.form_fields import DAYS_CLASH, Errors, is_valid_day
from threads.rendering.escape import attribute_text
from threads.roles import Right, needs
from threads.sources.query_forms import FIELDS
from threads.web.fetch_metadata import linkable
from threads.web.presenters.reports import days_in_words, presets, reports_context, time_element
from threads.web.request import is_masked, now_and_zone

_DAY = timedelta(days=1)
_DEFAULT_DAYS = 30


@linkable
@needs(Right.READ)
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """The threads that were created in a range of days in the reader's time zone. 400 if the days are not valid, or in
    the wrong order."""
    now, zone = now_and_zone(request)
    today = now.astimezone(zone).date()
    standing = statistics.archive_totals(zone)
    sent = {name: request.GET.get(name, "") for name in ("from", "to")}
    days, errors = _days(sent, today)
    context: dict[str, Any] = {
        "errors": errors,
        "days": None,
        # A date field can't show an invalid value; the message beside it quotes it.
        "sent": {name: value if is_valid_day(value) else "" for name, value in sent.items()},
        "presets": presets(days, standing, today),
        "empty": not standing.threads,
        "threads": None,
        "untimed": standing.untimed,
        "reached": time_element(standing.reached_end_at, zone),
        "swept": time_element(standing.swept_at, zone),
        "as_of": time_element(now, zone),
        "zone": str(zone),
    }
    if days is not None:
        begin, end = days
        context["days"] = days_in_words(begin, end)
        context["sent"] = {"from": begin.isoformat(), "to": end.isoformat()}
        if standing.threads:
            found = statistics.period_statistics(begin, end, zone, standing)
            context |= reports_context(found, masked=is_masked(request))
    return render(request, "reports/reports.html", context, status=400 if errors else 200)


def _days(sent: Mapping[str, str], today: date) -> tuple[tuple[date, date] | None, Errors]:
    """The first and the last day of the range; or None, and messages by field."""
    found: dict[str, date | None] = {}
    errors: Errors = {}
    for name, value in sent.items():
        try:
            found[name] = FIELDS[name].clean(value)
        except forms.ValidationError:
            errors[name] = [f"“{attribute_text(value, 40)}” is not a day. A day is written as in 2026-11-30."]
    if errors:
        return None, errors
    begin, end = found["from"], found["to"]
    if begin is not None and end is not None and begin > end:
        return None, {"to": [DAYS_CLASH]}
    before = (_DEFAULT_DAYS - 1) * _DAY
    if end is None:
        end = today if begin is None else max(begin, today)
    return (begin or max(end, date.min + before) - before, end), {}
