"""One table: what somebody asked to have as a file, how far it is, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from threads.jobs.job import Job

KEPT = timedelta(days=1)
"""How long a finished export, its file and its row, is there."""


class Outcome(models.TextChoices):
    """How an export ended; "" while it has not."""

    WHOLE = "whole"
    PARTIAL = "partial"
    FAILED = "failed"
    REFUSED = "refused"
    """The account had no right to it any more."""
    REMOVED = "removed"
    """Threads in it were erased."""


class Export(Job):
    """A list of threads, or everything of one user, on its way into a file. What stands in the row is what stands in
    the file: `offset` bytes, up to the thread `cursor`; whatever else the file holds is not there."""

    kind = models.CharField(max_length=10)
    """A value of `formats.KINDS`, or "zip"."""
    query = models.TextField(blank=True)
    """The list, as its address says it, from its start."""
    zone = models.CharField(max_length=80, default="UTC")
    """Where days begin, and the times of a transcript are told."""
    customer = models.TextField(blank=True)
    """The one user whose threads these are; "" where they may be anybody's."""
    cursor = models.TextField(blank=True)
    """The thread after which the next page begins; "" for the first."""
    offset = models.BigIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    mark = models.TextField(blank=True)
    """The cursor after as many pages as the last power of two: who meets it again goes in a circle."""
    listed = models.BooleanField(default=False)
    """Whether the list has been read to its end, or as far as it will be."""
    trouble_at = models.DateTimeField(null=True)
    """Since when the upstream gives nothing, though it may come back."""
    outcome = models.CharField(max_length=10, blank=True, choices=Outcome)
    reason = models.TextField(blank=True)
    """Why it is not whole, in words."""
    name = models.CharField(max_length=120, blank=True)
    """The file's name for whoever downloads it."""
    size = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta(Job.Meta):
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["who_id", "-asked_at"], name="export_owner"),
            models.Index(fields=["expires_at"], name="export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.asked_at:%Y-%m-%d %H:%M:%S} for {self.who}"

    @property
    def has_file(self) -> bool:
        return self.outcome in {Outcome.WHOLE, Outcome.PARTIAL}
