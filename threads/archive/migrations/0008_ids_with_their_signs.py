"""Parts of user ids are looked for with all their signs: what was folded as words is folded anew."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from threads.archive.people import fold

_AT_ONCE = 1000


def fold_anew(apps: Any, editor: Any) -> None:
    people = apps.get_model("archive", "Person").objects.using(editor.connection.alias).order_by("pk")
    last = 0
    while some := list(people.filter(pk__gt=last)[:_AT_ONCE]):
        for each in some:
            each.folded = fold(each.name)
        people.bulk_update(some, ["folded"])
        last = some[-1].pk


class Migration(migrations.Migration):
    dependencies = [("archive", "0007_deletions_with_evidence")]

    operations = [
        migrations.AlterField("person", "folded", models.TextField()),
        migrations.RunPython(fold_anew, migrations.RunPython.noop),
    ]
