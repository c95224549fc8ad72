"""Prometheus metrics. No label contains an id of a user or thread.

Importing this module starts the counting, so only `dashboard.monitoring.metrics` imports it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.signals import user_login_failed
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from threads.chatkit import Exchange
from threads.sources import upstream

from . import health
from .gauges import DatabaseState, read_state
from .probe import CachedProbe

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
_own = CollectorRegistry()

requests = Counter("threadkeeper_requests_total", "Requests answered.", ["view", "method", "status"], registry=_own)
request_seconds = Histogram(
    "threadkeeper_request_seconds",
    "Seconds until the reply.",
    ["view", "method"],
    buckets=_BUCKETS,
    registry=_own,
)
under_way = Gauge(
    "threadkeeper_requests_under_way", "Requests being answered.", multiprocess_mode="livesum", registry=_own
)
_calls = Counter(
    "threadkeeper_upstream_calls_total",
    "Calls to the upstream, by outcome.",
    ["call", "outcome"],
    registry=_own,
)
_call_seconds = Histogram(
    "threadkeeper_upstream_call_seconds",
    "Seconds that a call to the upstream took, retries included.",
    ["call"],
    buckets=_BUCKETS,
    registry=_own,
)
_retries = Counter(
    "threadkeeper_upstream_retries_total", "Requests to the upstream that were retried.", ["call"], registry=_own
)
_sign_in_failures = Counter("threadkeeper_sign_in_failures_total", "Sign-ins that were refused.", registry=_own)


def count_call(exchange: Exchange) -> None:
    """Counts a call to the upstream: observer of the client."""
    outcome = "answered" if exchange.error is None else type(exchange.error).__name__
    _calls.labels(exchange.call, outcome).inc()
    _call_seconds.labels(exchange.call).observe(exchange.seconds)
    if exchange.retries:
        _retries.labels(exchange.call).inc(exchange.retries)


def _count_failure(**_signal: Any) -> None:
    _sign_in_failures.inc()


upstream.observers.append(count_call)
user_login_failed.connect(_count_failure, dispatch_uid="counters")

database_state: CachedProbe[DatabaseState] = CachedProbe(read_state, keep=10.0)
"""Figures from the database, read at most every ten seconds."""


class _LiveCollector(Collector):
    """Collects gauges from the database and the queue at scrape time. Those that take longer than
    `health.TIMEOUT_SECONDS` are left out."""

    def collect(self) -> Iterator[Metric]:
        until = time.monotonic() + health.TIMEOUT_SECONDS
        state, waiting = database_state.asked(), health.queue_probe.asked()
        yield _gauge("database_up", "Whether the database answers.", float(_answered(state, until)))
        yield _gauge("queue_up", "Whether the queue answers.", float(_answered(waiting, until)))
        if _answered(waiting, until):
            yield _gauge("queue_length", "Tasks that wait in the queue.", waiting.result())
        if _answered(state, until):
            yield from _gauges_of(state.result())


def exposition() -> tuple[bytes, str]:
    """The metrics in Prometheus' text format, and its content type."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(_own) + generate_latest(_LiveCollector()), CONTENT_TYPE_LATEST
    all_processes = CollectorRegistry()
    MultiProcessCollector(all_processes)  # type: ignore[no-untyped-call]
    return generate_latest(all_processes) + generate_latest(_LiveCollector()), CONTENT_TYPE_LATEST


def _answered(answer: Any, until: float) -> bool:
    try:
        return answer.exception(max(0.0, until - time.monotonic())) is None
    except TimeoutError:
        return False


def _gauges_of(state: DatabaseState) -> Iterator[Metric]:
    for name, (words, value) in state.gauges().items():
        if value is not None:
            yield _gauge(name, words, value)
    jobs = GaugeMetricFamily("threadkeeper_jobs", "Jobs, by kind and phase.", labels=["kind", "phase"])
    for (kind, phase), number in state.jobs.items():
        jobs.add_metric([kind, phase], number)
    yield jobs
    oldest = GaugeMetricFamily(
        "threadkeeper_job_oldest_seconds",
        "Seconds since the oldest unfinished job was requested.",
        labels=["kind"],
    )
    for kind, seconds in state.oldest.items():
        oldest.add_metric([kind], seconds)
    yield oldest


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"threadkeeper_{name}", words, value=value)
