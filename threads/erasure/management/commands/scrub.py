"""`manage.py scrub` rewrites the database, however large it is, so that no byte of erased threads is left in it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from threads.erasure.vacuum import prepare, scrub


class Command(BaseCommand):
    help = (
        "Writes the tables of the archive anew, so that no byte of what was erased is left in the files of the "
        "database. Nobody can write meanwhile, and on PostgreSQL nobody read: for a quiet hour."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        prepare()
        done = scrub(whatever_size=True)
        if not done["rewritten"]:
            raise CommandError(f"Not done: {done['why']}. Try again when nobody is at it.")
        self.stdout.write(f"Done: {done['bytes']:,} bytes were gone through.")
