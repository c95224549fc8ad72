"""What was asked to be erased, and what became of each thread. Nothing that a thread says is kept here: no title, no
text."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote, unquote

from django.db import models

from threads.archive.user_ids import column
from threads.jobs.job import Job


class Erasure(Job):
    """One order to erase, and its receipt. It stays."""

    class Kind(models.TextChoices):
        THREADS = "threads", "Threads that were chosen"
        USER = "user", "All threads of a user"
        RETENTION = "retention", "Threads past their time"
        COPIES = "copies", "Copies here, of threads that the API can't delete any more"
        REPLAY = "replay", "Copies that a restored backup brought back"

    HERE = (Kind.COPIES, Kind.REPLAY)
    """Those that ask nothing of the upstream."""

    kind = models.CharField(max_length=20, choices=Kind.choices)
    customer = models.CharField(max_length=512, blank=True)
    """The user whose threads they are; "" where single threads were chosen."""
    token = models.CharField(max_length=64, unique=True)
    """Of the preview that was confirmed: confirming it twice is confirming it once."""
    rule = models.JSONField(default=dict)
    """For retention: the days and the statuses, and the moment before which a thread must have been silent. For a
    replay: the `orders` of the erasures file that it repeats, and those of them that were `unfinished`, and the
    `users` of these, percent-encoded, where they have threads here. For a user whose id no column can hold: the id,
    percent-encoded."""
    awaits = models.BooleanField(default=False, db_default=False)
    """Whether it waits until an account that may erase has typed the number of threads."""
    confirmed_by = models.CharField(max_length=150, blank=True, db_default="")
    confirmed_at = models.DateTimeField(null=True)
    held = models.TextField(blank=True, db_default="")
    """Why it does not go on at present, a clause; "" while it does."""
    line = models.BigIntegerField(null=True)
    """The number of its last line in the erasures file."""
    listed_at = models.DateTimeField(null=True)
    """When all threads to erase were known for the first time."""
    looks = models.PositiveIntegerField(default=0)
    """How often the user's list was looked through again at the end."""
    looked_at = models.DateTimeField(null=True)
    """When a look found nothing new; None where there was no such look."""
    tries = models.PositiveIntegerField(default=0)
    """Times that the upstream has failed since it last answered."""
    again_at = models.DateTimeField(null=True)
    """Not to be taken up before."""
    trouble = models.TextField(blank=True)
    """Why it waits, or why it ended before its end. "" where neither is so."""
    traces = models.JSONField(default=dict)
    """What went here, by name, in numbers; and how the files of the database were seen to."""

    class Meta(Job.Meta):
        indexes: ClassVar = [
            models.Index(fields=["-asked_at"], name="erasure_newest"),
            models.Index(fields=["customer"], name="erasure_customer"),
            models.Index(fields=["line"], name="erasure_last_line", condition=models.Q(line__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def user(self) -> str:
        """The very id of the user whose threads they are; "" where single threads were chosen."""
        return unquote(self.rule["user"]) if "user" in self.rule else self.customer

    @staticmethod
    def of_user(user: str) -> dict[str, Any]:
        """The fields that say whose threads they are."""
        held = column(user)
        return {"customer": held} | ({"rule": {"user": quote(user, safe="")}} if held != user else {})


class Target(models.Model):
    """One thread of an erasure."""

    class State(models.TextChoices):
        TODO = "todo", "To do"
        ASKED = "asked", "Asked for"
        ERASED = "erased", "Erased"
        GONE = "gone", "Already gone"
        COPY = "copy", "Copy erased, API not asked"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown"
        SKIPPED = "skipped", "Skipped"

    OPEN = (State.TODO, State.ASKED)
    CLEAN = (State.ERASED, State.GONE, State.COPY)
    """Those of which nothing is left."""

    erasure = models.ForeignKey(Erasure, models.PROTECT, related_name="targets", db_index=False)
    thread_id = models.CharField(max_length=512)
    customer = models.CharField(max_length=512, blank=True)
    """Its user, "" where that is not known."""
    created_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.TODO)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(null=True)
    """When its state was last changed."""
    upstream_request_id = models.CharField(max_length=128, blank=True)
    """The upstream's id of the call that settled it."""
    attempts = models.PositiveIntegerField(default=0)
    """Times that it was tried without coming to an end."""
    line = models.BigIntegerField(null=True)
    """The number of its last line in the erasures file, None where it has none."""

    is_noted = False
    """Whether this object has written last that it is erased."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["erasure", "thread_id"], name="erasure_one_target")]
        indexes: ClassVar = [
            models.Index(
                fields=["erasure", "attempts", "id"],
                name="erasure_open",
                condition=models.Q(state__in=["todo", "asked"]),
            ),
            models.Index(fields=["line"], name="erasure_line", condition=models.Q(line__isnull=False)),
            models.Index(fields=["thread_id"], name="erasure_of_thread"),
            models.Index(fields=["customer"], name="erasure_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.state}"
