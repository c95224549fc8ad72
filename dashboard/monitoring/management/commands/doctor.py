"""`manage.py doctor`: prints one line for each check, with advice where it fails."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from dashboard.monitoring.doctor import CheckStatus, run_checks


class Command(BaseCommand):
    """Prints the results of `dashboard.monitoring.doctor`."""

    help = "Looks at the key, the upstream, the database, the queue, the worker and the machine. Changes nothing."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Exits with code 1 if a check fails."""
        colours = {
            CheckStatus.OK: self.style.SUCCESS,
            CheckStatus.WARN: self.style.WARNING,
            CheckStatus.FAIL: self.style.ERROR,
        }
        worst = False
        for each in run_checks():
            advice = f" → {each.advice}" if each.advice else ""
            self.stdout.write(f"{colours[each.status](f'{each.status:<4}')}  {each.name}: {each.detail}{advice}")
            worst = worst or each.status is CheckStatus.FAIL
        if worst:
            sys.exit(1)
