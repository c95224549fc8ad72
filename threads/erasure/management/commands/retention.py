"""`manage.py retention` lists threads past their retention time; with --erase it orders their erasure."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max, Min

from threads.audit.record import NotRecordedError
from threads.chatkit import ChatKitError
from threads.erasure import clock_check, retention
from threads.erasure.clock_check import ClockError
from threads.erasure.journal import JournalError
from threads.erasure.orders import notify_workers
from threads.sources import upstream

_SHOWN = 10
_CONFIRM = "An account with the role Eraser confirms it at /erasures/, by typing the number."


class Command(BaseCommand):
    help = "Says which threads are past their time by RETENTION_DAYS and RETENTION_STATUS. Erases nothing by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--dry-run", action="store_true", help="say what would go; this is the default")
        way.add_argument("--erase", action="store_true", help="have a worker erase it permanently")

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.ARCHIVE == "off":
            raise CommandError("There is no archive to know by: ARCHIVE is off.")
        if not settings.RETENTION_DAYS:
            raise CommandError("Nothing is ever past its time: RETENTION_DAYS is 0.")
        if settings.ARCHIVE_ONLY and options["erase"]:
            raise CommandError("OpenAI is not asked, since ARCHIVE_ONLY is set: it could not be told what to erase.")
        rule = retention.current_rule()
        due = rule.due()
        count = due.count()
        statuses, before = " or ".join(rule.statuses), f"{rule.before:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"{count:,} threads, {statuses}, silent since before {before}.")
        if not count:
            return
        ends = due.order_by().aggregate(first=Min("created_at"), last=Max("created_at"))
        self.stdout.write(
            f"Created from {ends['first']:%Y-%m-%d %H:%M} to {ends['last']:%Y-%m-%d %H:%M} UTC. The first:"
        )
        for thread_id, created_at, status in due.values_list("thread_id", "created_at", "status")[:_SHOWN]:
            self.stdout.write(f"  {created_at:%Y-%m-%d} {status} {thread_id}")
        if not options["erase"]:
            self._report_obstacles(rule, count)
            self.stdout.write("Nothing was erased. --erase has a worker do it.")
            return
        self._order(rule, count)

    def _order(self, rule: retention.Rule, count: int) -> None:
        try:
            job = retention.order(rule, f"command {secrets.token_hex(16)}", upstream.client())
        except (ClockError, JournalError, ChatKitError) as error:
            raise CommandError(f"Nothing was ordered: {error}.") from error
        except NotRecordedError as error:
            raise CommandError("The audit log can't be written, so nothing was ordered.") from error
        if job is None:
            raise CommandError("Nothing is due any more.")
        if job.needs_confirmation:
            self.stdout.write(f"Erasure {job.pk} of {job.total:,} threads waits, since {job.held}. {_CONFIRM}")
            return
        notify_workers()
        left = count - (job.total or 0)
        more = f" {left:,} are left for the next time." if left > 0 else ""
        self.stdout.write(f"A worker erases {job.total:,} of them: erasure {job.pk}.{more}")

    def _report_obstacles(self, rule: retention.Rule, count: int) -> None:
        if reason := retention.confirmation_reason(rule, count):
            self.stdout.write(f"An order of {count:,} threads would wait, since {reason}. {_CONFIRM}")
        try:
            clock_check.check_upstream(upstream.client())
        except ClockError as error:
            self.stdout.write(f"None would be ordered: {error}.")
        except ChatKitError as error:
            self.stdout.write(f"None would be ordered: the API can't be asked for the time ({error.detail}).")
