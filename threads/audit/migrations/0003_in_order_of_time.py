"""Each filter finds in the order of time, which is the order that the trail is read in."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("audit", "0002_append_only"),
    ]

    operations: ClassVar = [
        migrations.RemoveIndex(
            model_name="auditevent",
            name="audit_who",
        ),
        migrations.RemoveIndex(
            model_name="auditevent",
            name="audit_action",
        ),
        migrations.RemoveIndex(
            model_name="auditevent",
            name="audit_thread",
        ),
        migrations.RemoveIndex(
            model_name="auditevent",
            name="audit_customer",
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["who", "at", "id"], name="audit_by_who"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["action", "at", "id"], name="audit_by_action"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["outcome", "at", "id"], name="audit_by_outcome"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["address", "at", "id"], name="audit_by_address"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("thread", ""), _negated=True), fields=["thread", "at", "id"], name="audit_by_thread"
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("customer", ""), _negated=True),
                fields=["customer", "at", "id"],
                name="audit_by_customer",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("request_id", ""), _negated=True),
                fields=["request_id", "at", "id"],
                name="audit_by_request_id",
            ),
        ),
    ]
