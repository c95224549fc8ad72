"""Parts of user ids are looked for with all their signs, which takes room. They are folded anew by 0011."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0007_deletions_with_evidence")]

    operations = [migrations.AlterField("person", "folded", models.TextField())]
