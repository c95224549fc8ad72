from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("exports", "0002_renames")]

    operations: ClassVar = [
        migrations.AddField("export", "sha256", models.CharField(blank=True, max_length=64)),
    ]
