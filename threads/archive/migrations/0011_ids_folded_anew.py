"""User ids that were folded as words are folded with all their signs: a thousand in each transaction, so that nobody
waits for the rest of them. One that is ended half way begins anew."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from threads.archive.user_ids import folded_user_id

_AT_ONCE = 1000


def fold_anew(apps: Any, editor: Any) -> None:
    people = apps.get_model("archive", "Person").objects.using(editor.connection.alias).order_by("pk")
    last = 0
    while some := list(people.filter(pk__gt=last)[:_AT_ONCE]):
        last = some[-1].pk
        for each in some:
            each.was, each.folded = each.folded, folded_user_id(each.name)
        people.bulk_update([each for each in some if each.folded != each.was], ["folded"])


class Migration(migrations.Migration):
    dependencies = [("archive", "0010_sync_requests")]

    atomic = False

    operations = [migrations.RunPython(fold_anew, migrations.RunPython.noop)]
