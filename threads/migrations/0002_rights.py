"""The rights of the desk, and its roles. Accounts that were there before there were roles keep finding and reading:
they become Viewers. What the roles may do is set after each migration: see `threads.roles`."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import migrations, models


def make(apps: Any, _schema_editor: Any) -> None:
    Group = apps.get_model("auth", "Group")
    User = apps.get_model("auth", "User")
    for name in ("Viewer", "Exporter", "Eraser", "Auditor", "Administrator"):
        Group.objects.get_or_create(name=name)
    viewer = Group.objects.get(name="Viewer")
    viewer.user_set.add(*User.objects.filter(is_superuser=False))


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("threads", "0001_saved_view"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Right",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
            ],
            options={
                "permissions": [
                    ("read", "Can find and read threads"),
                    ("export", "Can download threads"),
                    ("erase", "Can erase threads permanently"),
                    ("identify", "Can see user ids and e-mail addresses in full"),
                    ("audit", "Can read the audit log"),
                ],
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
