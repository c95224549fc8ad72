"""Columns get the names of what they hold. Only names change; those of indexes stay."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0004_no_replacing")]

    operations: ClassVar = [
        migrations.RenameField("auditevent", "who", "account"),
        migrations.RenameField("auditevent", "who_id", "account_id"),
        migrations.RenameField("auditevent", "thread", "thread_id"),
        migrations.RenameField("auditevent", "customer", "user_id"),
        # A database renames the columns in its indexes itself; Django's state does not.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(
                    model_name="auditevent",
                    name="audit_by_who",
                ),
                migrations.RemoveIndex(
                    model_name="auditevent",
                    name="audit_by_thread",
                ),
                migrations.RemoveIndex(
                    model_name="auditevent",
                    name="audit_by_customer",
                ),
                migrations.AddIndex(
                    model_name="auditevent",
                    index=models.Index(fields=["account", "at", "id"], name="audit_by_who"),
                ),
                migrations.AddIndex(
                    model_name="auditevent",
                    index=models.Index(
                        condition=models.Q(("thread_id", ""), _negated=True),
                        fields=["thread_id", "at", "id"],
                        name="audit_by_thread",
                    ),
                ),
                migrations.AddIndex(
                    model_name="auditevent",
                    index=models.Index(
                        condition=models.Q(("user_id", ""), _negated=True),
                        fields=["user_id", "at", "id"],
                        name="audit_by_customer",
                    ),
                ),
            ],
        ),
    ]
