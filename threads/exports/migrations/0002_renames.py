"""Columns get the names of what they hold. Only names change; those of indexes stay."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exports", "0001_exports")]

    operations = [
        migrations.RenameField("export", "asked_at", "requested_at"),
        migrations.RenameField("export", "began_at", "started_at"),
        migrations.RenameField("export", "ended_at", "finished_at"),
        migrations.RenameField("export", "who", "account"),
        migrations.RenameField("export", "who_id", "account_id"),
        migrations.RenameField("export", "customer", "user_id"),
        migrations.RenameField("export", "mark", "circle_mark"),
        migrations.AlterModelOptions("export", {"default_permissions": (), "ordering": ["-requested_at", "id"]}),
        # A database renames the columns in its indexes itself; Django's state does not.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(
                    model_name="export",
                    name="export_owner",
                ),
                migrations.AddIndex(
                    model_name="export",
                    index=models.Index(fields=["account_id", "-requested_at"], name="export_owner"),
                ),
            ],
        ),
    ]
