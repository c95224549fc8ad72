"""All that is kept is folded and indexed anew: by a worker, or by `manage.py archive index`."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def mark(apps: Any, editor: Any) -> None:
    editor.execute("INSERT INTO archive_staleindex (thread_id) SELECT number FROM archive_archivedthread")
    apps.get_model("archive", "Progress").objects.update(folding=0)


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
        migrations.AddField(
            model_name="progress",
            name="folding",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="progress",
            name="removals",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
