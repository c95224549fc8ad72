"""All that is kept is folded and indexed anew: by a worker, or by `manage.py archive index`."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def mark(_apps: Any, editor: Any) -> None:
    editor.execute("INSERT INTO archive_staleindex (thread_id) SELECT number FROM archive_archivedthread")


class Migration(migrations.Migration):
    dependencies = [("archive", "0008_ids_with_their_signs")]

    operations = [
        migrations.CreateModel(
            name="StaleIndex",
            fields=[
                (
                    "thread",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="archive.archivedthread",
                    ),
                ),
            ],
        ),
        # Before the rest: a table that is altered is locked until the end.
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.AddField(
            model_name="progress",
            name="folding",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="progress",
            name="removals",
            field=models.PositiveIntegerField(default=0),
        ),
        # What there is is outdated, what begins after this is not.
        migrations.AlterField(
            model_name="progress",
            name="folding",
            field=models.PositiveSmallIntegerField(default=1),
        ),
    ]
