"""Columns get the names of what they hold. Only names change; those of indexes stay."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("erasure", "0002_erasures_file")]

    operations = [
        migrations.RenameField("erasure", "asked_at", "requested_at"),
        migrations.RenameField("erasure", "began_at", "started_at"),
        migrations.RenameField("erasure", "ended_at", "finished_at"),
        migrations.RenameField("erasure", "who", "account"),
        migrations.RenameField("erasure", "who_id", "account_id"),
        migrations.RenameField("erasure", "customer", "user_id"),
        migrations.RenameField("erasure", "trouble", "error"),
        migrations.RenameField("erasure", "again_at", "retry_at"),
        migrations.RenameField("erasure", "line", "journal_line"),
        migrations.RenameField("erasure", "awaits", "needs_confirmation"),
        migrations.RenameField("target", "customer", "user_id"),
        migrations.RenameField("target", "line", "journal_line"),
        migrations.AlterModelOptions("erasure", {"ordering": ["-requested_at", "id"]}),
        # A database renames the columns in its indexes itself; Django's state does not.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(
                    model_name="erasure",
                    name="erasure_newest",
                ),
                migrations.RemoveIndex(
                    model_name="erasure",
                    name="erasure_customer",
                ),
                migrations.RemoveIndex(
                    model_name="erasure",
                    name="erasure_last_line",
                ),
                migrations.RemoveIndex(
                    model_name="target",
                    name="erasure_line",
                ),
                migrations.RemoveIndex(
                    model_name="target",
                    name="erasure_of_customer",
                ),
                migrations.AddIndex(
                    model_name="erasure",
                    index=models.Index(fields=["-requested_at"], name="erasure_newest"),
                ),
                migrations.AddIndex(
                    model_name="erasure",
                    index=models.Index(fields=["user_id"], name="erasure_customer"),
                ),
                migrations.AddIndex(
                    model_name="erasure",
                    index=models.Index(
                        condition=models.Q(("journal_line__isnull", False)),
                        fields=["journal_line"],
                        name="erasure_last_line",
                    ),
                ),
                migrations.AddIndex(
                    model_name="target",
                    index=models.Index(
                        condition=models.Q(("journal_line__isnull", False)),
                        fields=["journal_line"],
                        name="erasure_line",
                    ),
                ),
                migrations.AddIndex(
                    model_name="target",
                    index=models.Index(fields=["user_id"], name="erasure_of_customer"),
                ),
            ],
        ),
    ]
