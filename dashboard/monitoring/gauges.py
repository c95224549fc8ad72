"""Gauges for /metrics, read from the database: archive, worker and jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone

from threads.archive.completeness import completeness
from threads.archive.models import ArchivedThread, Progress, SyncRun, current
from threads.jobs.job import Job

from . import heartbeat
from .health import own_connection


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """Ages in seconds, None if unknown. `jobs` counts by kind and phase; `oldest` is the age of the oldest unfinished
    job by kind."""

    run_age: float | None = None
    complete_age: float | None = None
    sweep_age: float | None = None
    withheld: int | None = None
    due: int | None = None
    worker_age: float | None = None
    jobs: dict[tuple[str, str], int] = field(default_factory=dict)
    oldest: dict[str, float] = field(default_factory=dict)

    def gauges(self) -> dict[str, tuple[str, float | None]]:
        """Name → description and value."""
        return {
            "archive_lag_seconds": ("Seconds since the last sync ended.", self.run_age),
            "archive_complete_seconds": (
                "Seconds since the time as of which the archive is complete.",
                self.complete_age,
            ),
            "archive_deletions_withheld": (
                "Threads deleted upstream that the open circuit breaker does not mark; 0: it is closed.",
                self.withheld,
            ),
            "archive_sweep_seconds": (
                "Seconds since the last full sweep started: every status was checked since.",
                self.sweep_age,
            ),
            "archive_threads_due": ("Threads whose items are due to be synced.", self.due),
            "worker_seen_seconds": ("Seconds since the last heartbeat of a worker.", self.worker_age),
        }


def read_state() -> DatabaseState:
    """Reads the figures over a connection of its own. Raises `DatabaseError`."""
    now = timezone.now()
    with own_connection() as using:
        progress = Progress.objects.using(using).filter(pk=1).first()
        run = SyncRun.objects.using(using).filter(phase="ended").exclude(finished_at=None).first()
        present = current(using)
        jobs: dict[tuple[str, str], int] = {}
        oldest: dict[str, float] = {}
        for model in (each for each in apps.get_models() if issubclass(each, Job)):
            rows, kind = model._default_manager.using(using), model._meta.model_name or ""  # noqa: SLF001
            for phase, number in rows.order_by().values_list("phase").annotate(Count("pk")):
                jobs[kind, phase] = number
            first = rows.filter(finished_at=None).aggregate(at=Min("requested_at"))["at"]
            oldest[kind] = _age(first, now) or 0.0
        age = heartbeat.age(using)
        return DatabaseState(
            run_age=_age(run.finished_at if run else None, now),
            complete_age=_age(completeness(using).as_of, now),
            withheld=ArchivedThread.objects.using(using).filter(withheld_at__isnull=False).count(),
            sweep_age=_age(progress.swept_at if progress else None, now),
            due=present.filter(due_at__lte=now).count() + present.filter(due_at=None).count()
            if settings.ARCHIVE == "full"
            else None,
            worker_age=max(0.0, age.total_seconds()) if age is not None else None,
            jobs=jobs,
            oldest=oldest,
        )


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())
