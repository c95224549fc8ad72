"""Models and columns get the names of what they hold. Only names change; those of indexes stay."""

from __future__ import annotations

from django.db import migrations, models

_TABLE = "archive_archivedthread"


class Migration(migrations.Migration):
    # Django renames the content types of the models too, also backwards, and needs their present columns for that.
    dependencies = [("archive", "0011_ids_folded_anew"), ("contenttypes", "0002_remove_content_type_name")]

    operations = [
        migrations.RenameModel("Person", "ArchivedUser"),
        migrations.RenameField("archiveduser", "name", "user_id"),
        migrations.RenameModel("State", "ThreadState"),
        migrations.RenameModel("Tally", "QuarterCount"),
        migrations.RenameModel("Erased", "Tombstone"),
        migrations.RenameField("tombstone", "at", "erased_at"),
        migrations.RenameModel("Outage", "StoredOutage"),
        migrations.RenameModel("Run", "SyncRun"),
        migrations.RenameField("syncrun", "ended_at", "finished_at"),
        migrations.RenameField("syncrequest", "asked_at", "requested_at"),
        migrations.RenameField("syncrequest", "began_at", "started_at"),
        migrations.RenameField("syncrequest", "ended_at", "finished_at"),
        migrations.RenameField("archivedthread", "gone_at", "deleted_upstream_at"),
        migrations.RenameField("archivedthread", "confirmed_at", "checked_at"),
        migrations.RenameField("archivedthread", "missing_at", "withheld_at"),
        migrations.RenameField("archivedthread", "trouble", "sync_error"),
        # For a foreign key Django would copy the table in SQLite, and check all rows in PostgreSQL.
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    [f"ALTER TABLE {_TABLE} RENAME COLUMN person_id TO archived_user_id"],
                    [f"ALTER TABLE {_TABLE} RENAME COLUMN archived_user_id TO person_id"],
                )
            ],
            [migrations.RenameField("archivedthread", "person", "archived_user")],
        ),
        # A database renames the columns in its indexes itself; Django's state does not.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="syncrequest",
                    name="archive_one_sync_request",
                ),
                migrations.RemoveIndex(
                    model_name="archivedthread",
                    name="archive_unread",
                ),
                migrations.RemoveIndex(
                    model_name="archivedthread",
                    name="archive_due",
                ),
                migrations.RemoveIndex(
                    model_name="archivedthread",
                    name="archive_by_person_state",
                ),
                migrations.RemoveIndex(
                    model_name="archivedthread",
                    name="archive_by_person",
                ),
                migrations.RemoveIndex(
                    model_name="archivedthread",
                    name="archive_failing",
                ),
                migrations.RemoveIndex(
                    model_name="archivedthread",
                    name="archive_gone_at",
                ),
                migrations.RemoveIndex(
                    model_name="archivedthread",
                    name="archive_withheld",
                ),
                migrations.RemoveIndex(
                    model_name="archivedthread",
                    name="archive_checked",
                ),
                migrations.AddIndex(
                    model_name="archivedthread",
                    index=models.Index(fields=["archived_user", "state", "number"], name="archive_by_person_state"),
                ),
                migrations.AddIndex(
                    model_name="archivedthread",
                    index=models.Index(fields=["archived_user", "number"], name="archive_by_person"),
                ),
                migrations.AddIndex(
                    model_name="archivedthread",
                    index=models.Index(
                        condition=models.Q(("deleted_upstream_at__isnull", False)),
                        fields=["deleted_upstream_at"],
                        name="archive_gone_at",
                    ),
                ),
                migrations.AddIndex(
                    model_name="archivedthread",
                    index=models.Index(
                        condition=models.Q(("withheld_at__isnull", False)),
                        fields=["withheld_at"],
                        name="archive_withheld",
                    ),
                ),
                migrations.AddIndex(
                    model_name="archivedthread",
                    index=models.Index(
                        condition=models.Q(("sync_error__isnull", False)), fields=["number"], name="archive_failing"
                    ),
                ),
                migrations.AddIndex(
                    model_name="archivedthread",
                    index=models.Index(
                        condition=models.Q(("deleted_upstream_at__isnull", True), ("read_at__isnull", True)),
                        fields=["number"],
                        name="archive_unread",
                    ),
                ),
                migrations.AddIndex(
                    model_name="archivedthread",
                    index=models.Index(
                        condition=models.Q(("deleted_upstream_at__isnull", True)), fields=["due_at"], name="archive_due"
                    ),
                ),
                migrations.AddIndex(
                    model_name="archivedthread",
                    index=models.Index(
                        condition=models.Q(("deleted_upstream_at__isnull", True)),
                        fields=["read_at"],
                        name="archive_checked",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="syncrequest",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=("everything",),
                        name="archive_one_sync_request",
                    ),
                ),
            ],
        ),
    ]
