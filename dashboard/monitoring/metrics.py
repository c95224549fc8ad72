"""/metrics for Prometheus, and the middleware that counts. Without METRICS, nothing is counted or imported."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

_ENDPOINTS = {"/healthz", "/readyz", "/metrics"}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def count_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Counts requests, and the seconds until each response begins."""
    if not settings.METRICS:
        raise MiddlewareNotUsed
    counted = _counters()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        with counted.under_way.track_inprogress():
            response = get_response(request)
        view = _view(request)
        method = request.method if request.method in _METHODS else "other"
        counted.requests.labels(view, method, response.status_code).inc()
        counted.request_seconds.labels(view, method).observe(time.perf_counter() - began)
        return response

    return middleware


def metrics(request: HttpRequest) -> HttpResponse:
    """The counters of all processes, and gauges of database and queue. 401 without a token, 403 with a wrong one, if
    METRICS_TOKEN is set; 404 without METRICS."""
    if not settings.METRICS:
        return HttpResponse("METRICS is off.\n", status=404, content_type="text/plain")
    if settings.METRICS_TOKEN:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            refused = HttpResponse("Bring METRICS_TOKEN as a Bearer token.\n", status=401, content_type="text/plain")
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        if not secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode()):
            return HttpResponse("This is not METRICS_TOKEN.\n", status=403, content_type="text/plain")
    body, content_type = _counters().exposition()
    return HttpResponse(body, content_type=content_type)


def _view(request: HttpRequest) -> str:
    """The name of the view, for a label with few values."""
    if request.resolver_match is not None:
        return request.resolver_match.view_name or "unnamed"
    if request.path_info in _ENDPOINTS:
        return request.path_info[1:]
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "none"


def _counters() -> Any:
    """Imports the counters late: prometheus_client chooses its storage when it is imported, and takes a while to
    load."""
    return import_module("dashboard.monitoring.counters")
