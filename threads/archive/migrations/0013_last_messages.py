"""Previews of last messages, which a worker or `manage.py archive index` adds to the threads that are there, and
indexes for the list by latest activity."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0012_renames")]

    operations = [
        migrations.AddField(
            model_name="archivedthread", name="last_by", field=models.CharField(max_length=10, null=True)
        ),
        migrations.AddField(model_name="archivedthread", name="last_message", field=models.TextField(null=True)),
        migrations.AddIndex(
            model_name="archivedthread",
            index=models.Index(fields=["last_activity_at", "number"], name="archive_by_activity"),
        ),
        migrations.AddIndex(
            model_name="archivedthread",
            index=models.Index(fields=["state", "last_activity_at", "number"], name="archive_by_state_activity"),
        ),
        migrations.AddIndex(
            model_name="archivedthread",
            index=models.Index(
                condition=models.Q(("last_by__isnull", True), ("messages__gt", 0)),
                fields=["number"],
                name="archive_without_last",
            ),
        ),
    ]
