"""Tables of the archive: threads and items, counters, the search index, the state of the sync, and leases.

Each thread and item has the upstream's JSON in `raw`; the other columns are what queries need of it.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from threads.lib.folding import VERSION

_UNREAD = models.Q(read_at__isnull=True, deleted_upstream_at__isnull=True)
WITHOUT_LAST_MESSAGE = models.Q(messages__gt=0, last_by__isnull=True)
"""Threads that an older version stored, without the preview of their last message."""


def current(using: str = "default") -> models.QuerySet[ArchivedThread]:
    """Threads that the upstream still has, as far as is known: not deleted upstream, not withheld by the circuit
    breaker, and not of a former upstream. Sync compares the list with these. `using` is the database alias."""
    # The condition on `number` makes SQLite use the partial indexes of the other conditions.
    return ArchivedThread.objects.using(using).filter(
        deleted_upstream_at__isnull=True, withheld_at__isnull=True, former_at__isnull=True, number__gt=0
    )


class ArchivedUser(models.Model):
    """An end user: `folded` is the user id, folded for search. For suggestions and rankings."""

    user_id = models.CharField(max_length=512, unique=True)
    folded = models.TextField()
    threads = models.PositiveIntegerField(default=0)
    """Archived threads of this user."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-threads", "id"], name="archive_busiest")]

    def __str__(self) -> str:
        return self.user_id


class ThreadState(models.Model):
    """A thread status, with or without a reason, and its number of threads. There are a handful of rows."""

    status = models.CharField(max_length=100)
    """The upstream's value, "" if it sent none."""
    has_reason = models.BooleanField()
    threads = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["status", "has_reason"], name="archive_one_state")]

    def __str__(self) -> str:
        return f"{self.status} {'with' if self.has_reason else 'without'} a reason"


class Reason(models.Model):
    """Why threads are locked or closed, for rankings. `digest` is the SHA-256 of the text, which has any length."""

    digest = models.CharField(max_length=64, unique=True)
    text = models.TextField()
    threads = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-threads", "id"], name="archive_commonest")]

    def __str__(self) -> str:
        return self.text


class ArchivedThread(models.Model):
    """A thread. Threads are numbered in the API's order, oldest first, in which sync stores them."""

    number = models.BigAutoField(primary_key=True)
    thread_id = models.CharField(max_length=512, unique=True)
    user = models.CharField(max_length=512, null=True)
    title = models.TextField(null=True)
    status = models.CharField(max_length=100, null=True)
    reason = models.TextField(null=True)
    created_at = models.DateTimeField(null=True)
    raw = models.TextField()
    checked_at = models.DateTimeField()
    """When the upstream last showed the thread."""
    deleted_upstream_at = models.DateTimeField(null=True)
    """When it was found to be deleted upstream: see `threads.archive.deletion_evidence`."""
    withheld_at = models.DateTimeField(null=True)
    """When it was found to be deleted upstream, if it is not marked because the circuit breaker is open."""
    unlisted_at = models.DateTimeField(null=True)
    """When the first sweep began that did not show it after it was marked. Set only if ARCHIVE_GONE is "purge"."""
    former_at = models.DateTimeField(null=True)
    """When another upstream replaced the one it came from; None for a thread of the present upstream."""

    items = models.PositiveIntegerField(default=0)
    last_item_id = models.CharField(max_length=512, null=True)
    last_activity_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    """When its last item was last known to be archived; None if its items were never read to the last page."""
    failures = models.PositiveIntegerField(default=0)
    sync_error = models.TextField(null=True)
    """Why its items could not be read the last time; None if they could."""
    due_at = models.DateTimeField(null=True)
    """When its items are due to be read again; None for at once."""

    archived_user = models.ForeignKey(ArchivedUser, models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.ForeignKey(ThreadState, models.PROTECT, null=True, related_name="+", db_index=False)
    """None for a thread that an older version stored, which is not counted and indexed yet."""
    cause = models.ForeignKey(Reason, models.PROTECT, null=True, related_name="+", db_index=False)
    opening = models.TextField(null=True)
    """The beginning of the user's first message, None if there is none."""
    messages = models.PositiveIntegerField(default=0)
    """Items that are messages of the user or the assistant."""
    last_message = models.TextField(null=True)
    """The beginning of the last message as one line of plain text, None if it has no text."""
    last_by = models.CharField(max_length=10, null=True)
    """Who wrote the last message: "customer" or "assistant"; None if there is none."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["archived_user", "state", "number"], name="archive_by_person_state"),
            models.Index(fields=["archived_user", "number"], name="archive_by_person"),
            models.Index(fields=["state", "number"], name="archive_by_state"),
            models.Index(fields=["cause", "number"], name="archive_by_cause", condition=models.Q(cause__isnull=False)),
            models.Index(fields=["number"], name="archive_unindexed", condition=models.Q(state__isnull=True)),
            models.Index(
                fields=["deleted_upstream_at"],
                name="archive_gone_at",
                condition=models.Q(deleted_upstream_at__isnull=False),
            ),
            models.Index(
                fields=["withheld_at"], name="archive_withheld", condition=models.Q(withheld_at__isnull=False)
            ),
            models.Index(fields=["former_at"], name="archive_former", condition=models.Q(former_at__isnull=False)),
            models.Index(fields=["number"], name="archive_failing", condition=models.Q(sync_error__isnull=False)),
            models.Index(fields=["number"], name="archive_unread", condition=_UNREAD),
            models.Index(fields=["due_at"], name="archive_due", condition=models.Q(deleted_upstream_at__isnull=True)),
            models.Index(
                fields=["read_at"], name="archive_checked", condition=models.Q(deleted_upstream_at__isnull=True)
            ),
            models.Index(fields=["last_activity_at", "number"], name="archive_by_activity"),
            models.Index(fields=["state", "last_activity_at", "number"], name="archive_by_state_activity"),
            models.Index(fields=["number"], name="archive_without_last", condition=WITHOUT_LAST_MESSAGE),
        ]

    def __str__(self) -> str:
        return self.thread_id


class ArchivedItem(models.Model):
    """An item of a thread. `place` counts from 0 in the API's order, oldest first."""

    thread = models.ForeignKey(ArchivedThread, models.CASCADE, related_name="+", db_index=False)
    place = models.PositiveIntegerField()
    item_id = models.CharField(max_length=512, null=True)
    """None if the upstream sent none, or one that can't stand in a URL."""
    created_at = models.DateTimeField(null=True)
    type = models.CharField(max_length=100, null=True)
    raw = models.TextField()
    text = models.TextField(default="")
    """Its text, folded for search: tells which item matches."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["thread", "place"], name="archive_item_by_place"),
            models.UniqueConstraint(fields=["thread", "item_id"], name="archive_item_by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.place}"


class OversizedItem(models.Model):
    """An item that is not archived, since a reply with it alone is larger than `CHATKIT_MAX_BYTES`."""

    thread = models.ForeignKey(ArchivedThread, models.CASCADE, related_name="+", db_index=False)
    place = models.PositiveIntegerField()
    """Number of archived items of the thread before it."""
    item_id = models.CharField(max_length=512, blank=True)
    """"" if the beginning of the reply did not contain it; then the row may stand for several items."""
    detail = models.TextField()
    limit = models.PositiveBigIntegerField()
    """`CHATKIT_MAX_BYTES` when it was skipped; with a higher value it is read again."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["thread", "place", "item_id"], name="archive_one_oversized"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.item_id or self.place}"


class QuarterCount(models.Model):
    """Number of threads in one state that began in one quarter of an hour, so that sums work in any time zone."""

    quarter = models.BigIntegerField()
    """Unix seconds divided by 900."""
    state = models.ForeignKey(ThreadState, models.PROTECT, related_name="+", db_index=False)
    threads = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["quarter", "state"], name="archive_one_tally")]

    def __str__(self) -> str:
        return f"{self.quarter}: {self.threads}"


class Day(models.Model):
    """The least and the greatest number of the threads that began on a day (Unix seconds divided by 86,400), which
    turns a range of dates into a range of numbers."""

    day = models.BigIntegerField(primary_key=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.first} to {self.last}"


class Word(models.Model):
    """A word of the index, so that a search for a part of it finds it."""

    word = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.word


class SearchDoc(models.Model):
    """The indexed document of a thread: its distinct words, separated by spaces. The database's full-text index follows
    this table by itself."""

    thread = models.OneToOneField(ArchivedThread, models.CASCADE, primary_key=True, related_name="+")
    words = models.TextField()

    def __str__(self) -> str:
        return str(self.pk)


class StaleIndex(models.Model):
    """A thread that a worker or `manage.py archive index` has to reindex: see `threads.archive.reindex`."""

    thread = models.OneToOneField(ArchivedThread, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return str(self.pk)


class Tombstone(models.Model):
    """Tombstone of an erased thread: its id, which is never stored again. The greatest primary key tells caches of
    words whether there was an erasure since."""

    thread_id = models.CharField(max_length=512, unique=True)
    erased_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.thread_id


class Progress(models.Model):
    """State of the sync that outlasts its runs: cursors, times and the last failure. There is one row."""

    cursor = models.CharField(max_length=512, null=True)
    """The id of the last thread of the last page that the walk has stored."""
    started_at = models.DateTimeField()
    reached_end_at = models.DateTimeField(null=True)
    """When the walk last reached the end of the list."""
    sweep_cursor = models.CharField(max_length=512, null=True)
    """The id of the last thread of the last page that the sweep has stored."""
    sweep_started_at = models.DateTimeField(null=True)
    """When the sweep under way began; None if there is none."""
    swept_at = models.DateTimeField(null=True)
    """When the last complete sweep began: no thread's status is older than that."""
    compared_at = models.DateTimeField(null=True)
    """The `swept_at` of the last sweep after which all unlisted threads were checked for deletion."""
    accepted_at = models.DateTimeField(null=True)
    """When an administrator last accepted deletions that the circuit breaker withheld."""
    unreadable = models.PositiveIntegerField(default=0)
    """Rows of the list without an id, or too large to be read."""
    sweep_unreadable = models.PositiveIntegerField(default=0)
    """The same for the sweep under way."""
    items = models.PositiveBigIntegerField(default=0)
    """Archived items of all threads."""
    folding = models.PositiveSmallIntegerField(default=VERSION)
    """The version of `threads.lib.folding` that all threads are indexed by, except those in `StaleIndex`."""
    removals = models.PositiveIntegerField(default=0)
    """How often reindexing has deleted unused words from `Word`."""
    failed_at = models.DateTimeField(null=True)
    failure = models.TextField(null=True)
    """Why the last run ended early; None if it did not."""

    def __str__(self) -> str:
        return f"walk since {self.started_at}"


class StoredOutage(models.Model):
    """Since when the upstream fails, shared by all processes. There is one row, or none."""

    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"since {self.since}"


class Lease(models.Model):
    """A lease on syncing, reindexing or being a worker. If the holder does not renew it before `until`, it expires."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class SyncRun(models.Model):
    """The sync run under way or the last one, with its progress for other processes. There is one row."""

    holder = models.CharField(max_length=100)
    """The holder of the lease."""
    everything = models.BooleanField(default=False)
    """Whether every conversation is read again, not only those that are due."""
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    """None while it is under way, or if its process died."""
    phase = models.CharField(max_length=20)
    """One of `threads.archive.sync.status.PHASES`; "ended" if the run was not cut short."""
    phase_at = models.DateTimeField()
    """Since when `phase_done` counts: the start of the window of `threads.archive.sync.throughput`."""
    phase_done = models.PositiveIntegerField(default=0)
    """Threads that the phase has handled since `phase_at`, for the throughput."""
    threads_seen = models.PositiveIntegerField(default=0)
    new_threads = models.PositiveIntegerField(default=0)
    new_items = models.PositiveIntegerField(default=0)
    threads_read = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)

    class Meta:
        permissions: ClassVar = [("sync", "Can start a sync")]

    def __str__(self) -> str:
        return f"{self.holder}: {self.phase} since {self.started_at}"


class SyncRequest(models.Model):
    """A request for a full sync. It stays open until such a run has ended, even if the queue loses its message or the
    worker dies."""

    everything = models.BooleanField(default=True)
    """Always True; the constraint needs a column."""
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    """When the last run began that fulfils it."""
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["everything"], condition=models.Q(finished_at__isnull=True), name="archive_one_sync_request"
            ),
        ]

    def __str__(self) -> str:
        return f"asked for at {self.requested_at}"
