"""What is kept: threads, their items, how far the copying has come, and who is copying.

The upstream's own objects are kept whole, as JSON text; the columns beside them are what is asked for.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

_UNREAD = models.Q(read_at__isnull=True, gone_at__isnull=True)


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
    """When the upstream was first seen not to have it any more."""

    items = models.PositiveIntegerField(default=0)
    last_item_id = models.CharField(max_length=512, null=True)
    last_activity_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    """When its items were last read to the last page; None where that has never been."""
    failures = models.PositiveIntegerField(default=0)
    trouble = models.TextField(null=True)
    """Why its items could not be had the last time, None where they could."""
    due_at = models.DateTimeField(null=True)
    """When its items are to be asked for again; None for at once."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "number"], name="archive_by_user"),
            models.Index(fields=["status", "number"], name="archive_by_status"),
            models.Index(fields=["number"], name="archive_unread", condition=_UNREAD),
            models.Index(fields=["due_at"], name="archive_due", condition=models.Q(gone_at__isnull=True)),
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

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["thread", "place"], name="archive_item_by_place"),
            models.UniqueConstraint(fields=["thread", "item_id"], name="archive_item_by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.place}"


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
    complete_at = models.DateTimeField(null=True)
    """When everything was last shown to be there: the walk at its end, every thread read to its last page, and after
    that nothing new at the end of the walk."""
    unreadable = models.PositiveIntegerField(default=0)
    """Rows of the list that had no id to ask for their items by."""
    failed_at = models.DateTimeField(null=True)
    failure = models.TextField(null=True)
    """Why the last run ended before its end, None where it did not."""

    def __str__(self) -> str:
        return f"walk since {self.started_at}"


class Lease(models.Model):
    """Who may copy. A holder that does not renew it before `until` is taken for dead."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
