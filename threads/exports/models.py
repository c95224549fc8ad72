"""Exports: what was ordered, the progress, and the outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from threads.jobs.job import Job

KEEP_FINISHED_FOR = timedelta(days=1)
"""How long a finished export is kept, its file and its row."""


class ExportOutcome(models.TextChoices):
    """The outcome of an export; "" while it has none."""

    WHOLE = "whole"
    PARTIAL = "partial"
    FAILED = "failed"
    REFUSED = "refused"
    """The account is no longer allowed to export."""
    REMOVED = "removed"
    """It was deleted because threads in it were erased."""


class Export(Job):
    """An export of a list of threads, or of everything of one user. The row says what the file holds: `offset` bytes,
    up to the thread `cursor`. Bytes beyond that do not count."""

    kind = models.CharField(max_length=10)
    """A value of `formats.CONTENT_TYPES`, or "zip"."""
    query = models.TextField(blank=True)
    """The list, as the query string of its first page."""
    zone = models.CharField(max_length=80, default="UTC")
    """Time zone of the days in `query`, and of the times in transcripts."""
    user_id = models.TextField(blank=True)
    """The one user of all its threads; "" where they may be of several."""
    cursor = models.TextField(blank=True)
    """The thread after which the next page begins; "" for the first page."""
    offset = models.BigIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    circle_mark = models.TextField(blank=True)
    """The cursor after the last number of pages that is a power of two: the same cursor again means a circle."""
    listed = models.BooleanField(default=False)
    """Whether no more pages of the list are read."""
    trouble_at = models.DateTimeField(null=True)
    """Since when the upstream has been failing; None while it does not."""
    outcome = models.CharField(max_length=10, blank=True, choices=ExportOutcome)
    reason = models.TextField(blank=True)
    """Why it is not complete, in sentences."""
    name = models.CharField(max_length=120, blank=True)
    """The name of the downloaded file."""
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    """Of the file, in hexadecimal; "" for exports of earlier versions."""
    expires_at = models.DateTimeField(null=True)

    class Meta(Job.Meta):
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["account_id", "-requested_at"], name="export_owner"),
            models.Index(fields=["expires_at"], name="export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.requested_at:%Y-%m-%d %H:%M:%S} for {self.account}"

    @property
    def has_file(self) -> bool:
        return self.outcome in {ExportOutcome.WHOLE, ExportOutcome.PARTIAL}
