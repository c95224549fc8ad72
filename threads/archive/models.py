"""What is kept: threads, their items, how far the copying has come, and who is copying.

The upstream's own objects are kept whole, as JSON text; the columns beside them are what is asked for.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from threads.lib.folding import VERSION

_UNREAD = models.Q(read_at__isnull=True, gone_at__isnull=True)


def current(using: str = "default") -> models.QuerySet[ArchivedThread]:
    """Threads that the upstream of this database still has, as far as is known: neither marked as deleted nor withheld
    by the circuit breaker, nor of an upstream before. All comparing is with these. `using` names the connection."""
    # That numbers are above nothing makes SQLite take the partial indexes of the other conditions.
    return ArchivedThread.objects.using(using).filter(
        gone_at__isnull=True, missing_at__isnull=True, former_at__isnull=True, number__gt=0
    )


class Person(models.Model):
    """A user that was seen, for completing a name and for ranking. `folded` is the name as it is searched."""

    name = models.CharField(max_length=512, unique=True)
    folded = models.TextField()
    threads = models.PositiveIntegerField(default=0)
    """How many kept threads are of this user."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-threads", "id"], name="archive_busiest")]

    def __str__(self) -> str:
        return self.name


class State(models.Model):
    """A status, with a reason or without: there are a handful, and each knows how many threads are in it."""

    status = models.CharField(max_length=100)
    """The upstream's own word, "" where it gave none."""
    has_reason = models.BooleanField()
    threads = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["status", "has_reason"], name="archive_one_state")]

    def __str__(self) -> str:
        return f"{self.status} {'with' if self.has_reason else 'without'} a reason"


class Reason(models.Model):
    """Why threads are locked or closed, for ranking. `digest` is the SHA-256 of the text, which has any length."""

    digest = models.CharField(max_length=64, unique=True)
    text = models.TextField()
    threads = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-threads", "id"], name="archive_commonest")]

    def __str__(self) -> str:
        return self.text


class ArchivedThread(models.Model):
    """A thread. Threads are numbered as the API orders them, oldest first: the walk goes that way, and what is new
    comes after what there is."""

    number = models.BigAutoField(primary_key=True)
    thread_id = models.CharField(max_length=512, unique=True)
    user = models.CharField(max_length=512, null=True)
    title = models.TextField(null=True)
    status = models.CharField(max_length=100, null=True)
    reason = models.TextField(null=True)
    created_at = models.DateTimeField(null=True)
    raw = models.TextField()
    confirmed_at = models.DateTimeField()
    """When the upstream last showed the thread."""
    gone_at = models.DateTimeField(null=True)
    """When it was found to be deleted upstream: see `deletions`."""
    missing_at = models.DateTimeField(null=True)
    """The same, of a thread that is not marked because the circuit breaker for deletions is open."""
    unlisted_at = models.DateTimeField(null=True)
    """When the first sweep began that did not show it after it was marked. Only kept up where copies are removed."""
    former_at = models.DateTimeField(null=True)
    """When another upstream was adopted in place of the one that it is of; None for a thread of the present one."""

    items = models.PositiveIntegerField(default=0)
    last_item_id = models.CharField(max_length=512, null=True)
    last_activity_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    """When its last item was last known to be kept; None where its items were never read to the last page."""
    failures = models.PositiveIntegerField(default=0)
    trouble = models.TextField(null=True)
    """Why its items could not be had the last time, None where they could."""
    due_at = models.DateTimeField(null=True)
    """When its items are to be asked for again; None for at once."""

    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.ForeignKey(State, models.PROTECT, null=True, related_name="+", db_index=False)
    """None for a thread that has not been counted and indexed yet: one kept by an older version."""
    cause = models.ForeignKey(Reason, models.PROTECT, null=True, related_name="+", db_index=False)
    opening = models.TextField(null=True)
    """The beginning of the first message of the user, None where there is none."""
    messages = models.PositiveIntegerField(default=0)
    """Items that are messages of the user or of the assistant."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["person", "state", "number"], name="archive_by_person_state"),
            models.Index(fields=["person", "number"], name="archive_by_person"),
            models.Index(fields=["state", "number"], name="archive_by_state"),
            models.Index(fields=["cause", "number"], name="archive_by_cause", condition=models.Q(cause__isnull=False)),
            models.Index(fields=["number"], name="archive_unindexed", condition=models.Q(state__isnull=True)),
            models.Index(fields=["gone_at"], name="archive_gone_at", condition=models.Q(gone_at__isnull=False)),
            models.Index(fields=["missing_at"], name="archive_withheld", condition=models.Q(missing_at__isnull=False)),
            models.Index(fields=["former_at"], name="archive_former", condition=models.Q(former_at__isnull=False)),
            models.Index(fields=["number"], name="archive_failing", condition=models.Q(trouble__isnull=False)),
            models.Index(fields=["number"], name="archive_unread", condition=_UNREAD),
            models.Index(fields=["due_at"], name="archive_due", condition=models.Q(gone_at__isnull=True)),
            models.Index(fields=["read_at"], name="archive_checked", condition=models.Q(gone_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.thread_id


class ArchivedItem(models.Model):
    """One item. `place` counts from 0, in the API's order, oldest first."""

    thread = models.ForeignKey(ArchivedThread, models.CASCADE, related_name="+", db_index=False)
    place = models.PositiveIntegerField()
    item_id = models.CharField(max_length=512, null=True)
    """None where the upstream sent none that can stand in an address."""
    created_at = models.DateTimeField(null=True)
    type = models.CharField(max_length=100, null=True)
    raw = models.TextField()
    text = models.TextField(default="")
    """What it says, folded as for the search: in which item a match is."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["thread", "place"], name="archive_item_by_place"),
            models.UniqueConstraint(fields=["thread", "item_id"], name="archive_item_by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.place}"


class OversizedItem(models.Model):
    """An item that is not kept, since a reply with it alone is larger than `CHATKIT_MAX_BYTES`."""

    thread = models.ForeignKey(ArchivedThread, models.CASCADE, related_name="+", db_index=False)
    place = models.PositiveIntegerField()
    """How many of the thread's items are kept before it."""
    item_id = models.CharField(max_length=512, blank=True)
    """"" where the upstream's reply did not tell it within its beginning; then there may be several."""
    detail = models.TextField()
    limit = models.PositiveBigIntegerField()
    """`CHATKIT_MAX_BYTES` when it was met: with a higher one it is asked for again."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["thread", "place", "item_id"], name="archive_one_oversized"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.item_id or self.place}"


class Tally(models.Model):
    """How many threads in one state began in one quarter of an hour: what an overview adds up, in any time zone."""

    quarter = models.BigIntegerField()
    """Unix seconds divided by 900."""
    state = models.ForeignKey(State, models.PROTECT, related_name="+", db_index=False)
    threads = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["quarter", "state"], name="archive_one_tally")]

    def __str__(self) -> str:
        return f"{self.quarter}: {self.threads}"


class Day(models.Model):
    """The least and the greatest number of the threads that began on a day (Unix seconds divided by 86,400): a range of
    dates is a range of numbers."""

    day = models.BigIntegerField(primary_key=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.first} to {self.last}"


class Word(models.Model):
    """Every word that is in the index, so that a part of one finds it."""

    word = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.word


class SearchDoc(models.Model):
    """What the index of the database has of a thread: its distinct words, between spaces. The index follows this table
    by itself."""

    thread = models.OneToOneField(ArchivedThread, models.CASCADE, primary_key=True, related_name="+")
    words = models.TextField()

    def __str__(self) -> str:
        return str(self.pk)


class StaleIndex(models.Model):
    """A thread that is to be indexed anew, by a worker or `manage.py archive index`: see `reindex`."""

    thread = models.OneToOneField(ArchivedThread, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return str(self.pk)


class Erased(models.Model):
    """A thread that was erased here, by its id alone: it is never kept again. The greatest primary key tells whether
    words have gone since."""

    thread_id = models.CharField(max_length=512, unique=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.thread_id


class Progress(models.Model):
    """How far the walk through the threads has come. There is one row."""

    cursor = models.CharField(max_length=512, null=True)
    """The id of the last thread of the last page that was kept."""
    started_at = models.DateTimeField()
    reached_end_at = models.DateTimeField(null=True)
    """When the walk last came to a page that has no more behind it."""
    sweep_cursor = models.CharField(max_length=512, null=True)
    """The same for the sweep, which goes through the whole list again; None while there is none under way."""
    sweep_started_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True)
    """When the last whole sweep began: no thread's status is older than that."""
    compared_at = models.DateTimeField(null=True)
    """The `swept_at` of the sweep after which every kept thread that the list did not show was decided on."""
    accepted_at = models.DateTimeField(null=True)
    """When an administrator last accepted deletions that the circuit breaker had stopped."""
    unreadable = models.PositiveIntegerField(default=0)
    """Rows of the list that had no id to ask for their items by, or were too large to be read."""
    sweep_unreadable = models.PositiveIntegerField(default=0)
    """The same, of the sweep that is under way."""
    items = models.PositiveBigIntegerField(default=0)
    """Items that are kept, of all threads."""
    folding = models.PositiveSmallIntegerField(default=VERSION)
    """The version of the folding that everything is indexed by, but for what is in `StaleIndex`."""
    removals = models.PositiveIntegerField(default=0)
    """How often unused words were removed from `Word`, erasures aside."""
    failed_at = models.DateTimeField(null=True)
    failure = models.TextField(null=True)
    """Why the last run ended before its end, None where it did not."""

    def __str__(self) -> str:
        return f"walk since {self.started_at}"


class Outage(models.Model):
    """Since when the upstream has failed, for all processes to say the same. There is one row, or none."""

    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"since {self.since}"


class Lease(models.Model):
    """Who may copy, or is a worker. A holder that does not renew it before `until` is taken for dead."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class Run(models.Model):
    """The run that is under way, or the last one, for others to see how it goes. There is one row."""

    holder = models.CharField(max_length=100)
    """Who runs, as in the lease."""
    everything = models.BooleanField(default=False)
    """Whether every conversation is asked again, not only those whose time has come."""
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    """None while it is under way, and after a death."""
    phase = models.CharField(max_length=20)
    """What it does: "walk", "recent", "sweep", "compare" or "read"; "ended" where it came to its end by itself."""
    phase_at = models.DateTimeField()
    """Since when `phase_done` counts: the beginning of the phase, or a time not long ago."""
    phase_done = models.PositiveIntegerField(default=0)
    """Threads that the phase has done since `phase_at`: what its rate is told from, as it is at present."""
    threads_seen = models.PositiveIntegerField(default=0)
    new_threads = models.PositiveIntegerField(default=0)
    new_items = models.PositiveIntegerField(default=0)
    threads_read = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)

    class Meta:
        permissions: ClassVar = [("sync", "Can start the copying")]

    def __str__(self) -> str:
        return f"{self.holder}: {self.phase} since {self.started_at}"


class SyncRequest(models.Model):
    """A whole sync that somebody has asked for. It stays open until one has come to its end, whatever becomes of the
    queue and of the process that runs it."""

    everything = models.BooleanField(default=True)
    """As in `Run`; only such are asked for."""
    asked_at = models.DateTimeField(default=timezone.now)
    began_at = models.DateTimeField(null=True)
    """When the last run began that does it."""
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["everything"], condition=models.Q(ended_at__isnull=True), name="archive_one_sync_request"
            ),
        ]

    def __str__(self) -> str:
        return f"asked for at {self.asked_at}"
