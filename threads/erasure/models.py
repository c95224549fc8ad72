"""Erasures and their targets: what was ordered, and what became of each thread. No title and no text is stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from django.db import models, transaction

from threads.archive.user_ids import stored_user_id
from threads.audit.record import Action, Outcome, record_or_raise
from threads.jobs.job import Job


class Erasure(Job):
    """An order to erase, and its receipt. It is never deleted."""

    class Kind(models.TextChoices):
        THREADS = "threads", "Threads that were chosen"
        USER = "user", "All threads of a user"
        RETENTION = "retention", "Threads past their time"
        COPIES = "copies", "Copies here, of threads that the API can't delete any more"
        REPLAY = "replay", "Copies that a restored backup brought back"

    LOCAL = (Kind.COPIES, Kind.REPLAY)
    """The kinds that make no upstream call."""

    kind = models.CharField(max_length=20, choices=Kind.choices)
    user_id = models.CharField(max_length=512, blank=True)
    """The user's id as far as the column can hold it, see `user`; "" where single threads were chosen."""
    token = models.CharField(max_length=64, unique=True)
    """Of the confirmed preview: confirming it twice orders once."""
    rule = models.JSONField(default=dict)
    """For retention: `days`, `statuses` and `before`, the latest time of a last activity. For a replay: the `orders` of
    the erasures file that it repeats, those of them that were `unfinished`, and the `users` of these, percent-encoded,
    where they have archived threads. For a user whose id no column can hold: `user`, the id, percent-encoded."""
    needs_confirmation = models.BooleanField(default=False, db_default=False)
    """Whether it waits for confirmation by an account that may erase."""
    confirmed_by = models.CharField(max_length=150, blank=True, db_default="")
    confirmed_at = models.DateTimeField(null=True)
    held = models.TextField(blank=True, db_default="")
    """Why it does not go on at present, a clause; "" while it does."""
    journal_line = models.BigIntegerField(null=True)
    """The number of its last line in the erasures file."""
    listed_at = models.DateTimeField(null=True)
    """When the first listing of the threads to erase was complete."""
    looks = models.PositiveIntegerField(default=0)
    """How often the user's list was read again at the end."""
    looked_at = models.DateTimeField(null=True)
    """When such a reading found nothing new; None where none did."""
    tries = models.PositiveIntegerField(default=0)
    """Failed upstream calls since the last answer."""
    retry_at = models.DateTimeField(null=True)
    """When the next try is due."""
    error = models.TextField(blank=True)
    """Why it was cut short, a clause; "" where it was not."""
    traces = models.JSONField(default=dict)
    """What was removed here, as counts by name, and what was done to the files of the database."""

    class Meta(Job.Meta):
        indexes: ClassVar = [
            models.Index(fields=["-requested_at"], name="erasure_newest"),
            models.Index(fields=["user_id"], name="erasure_customer"),
            models.Index(
                fields=["journal_line"], name="erasure_last_line", condition=models.Q(journal_line__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def user(self) -> str:
        """The exact id of the user; "" where single threads were chosen."""
        return unquote(self.rule["user"]) if "user" in self.rule else self.user_id

    @classmethod
    def order(
        cls, kind: str, token: str, targets: Iterable[Target], *, detail: dict[str, Any] | None = None, **fields: Any
    ) -> Erasure:
        """Stores an order by the current actor, its targets and its audit event, to which `detail` is added. Raises
        `IntegrityError` where there is an order of this token, and `NotRecordedError`; then nothing is stored."""
        with transaction.atomic():
            job = cls.create_for_actor(kind=kind, token=token, **fields)
            rows = list(targets)
            for row in rows:
                row.erasure = job
            Target.objects.bulk_create(rows, batch_size=500)
            about = {"erasure": str(job.pk), "kind": job.kind, "threads": job.total} | (detail or {})
            record_or_raise(Action.ERASURE, Outcome.INTENT, user_id=job.user_id, detail=about, upstream_request_id="")
        return job

    @staticmethod
    def of_user(user: str) -> dict[str, Any]:
        """The fields that hold a user's id."""
        stored = stored_user_id(user)
        return {"user_id": stored} | ({"rule": {"user": quote(user, safe="")}} if stored != user else {})


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
    """States in which nothing is left of the thread."""

    erasure = models.ForeignKey(Erasure, models.PROTECT, related_name="targets", db_index=False)
    thread_id = models.CharField(max_length=512)
    user_id = models.CharField(max_length=512, blank=True)
    """Its user's id, "" where it is not known."""
    created_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.TODO)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(null=True)
    """When its state last changed."""
    upstream_request_id = models.CharField(max_length=128, blank=True)
    """The upstream's id of the call that decided its state."""
    attempts = models.PositiveIntegerField(default=0)
    """Attempts without an outcome."""
    journal_line = models.BigIntegerField(null=True)
    """The number of its last line in the erasures file, None where it has none."""

    is_noted = False
    """Whether the last line that this object wrote to the erasures file says that the thread is erased."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["erasure", "thread_id"], name="erasure_one_target")]
        indexes: ClassVar = [
            models.Index(
                fields=["erasure", "attempts", "id"],
                name="erasure_open",
                condition=models.Q(state__in=["todo", "asked"]),
            ),
            models.Index(fields=["journal_line"], name="erasure_line", condition=models.Q(journal_line__isnull=False)),
            models.Index(fields=["thread_id"], name="erasure_of_thread"),
            models.Index(fields=["user_id"], name="erasure_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.state}"
