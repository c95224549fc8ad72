"""The trail: who saw, exported or erased what."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..audit.models import AuditEvent
from ..roles import Right, needs


@needs(Right.AUDIT)
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """One page of the trail, newest first."""
    return render(request, "audit/trail.html", {"events": AuditEvent.objects.order_by("-id")[:50]})
