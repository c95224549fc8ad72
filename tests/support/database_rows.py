"""All rows of the database as they are at one time, to put back after its tables were emptied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model


@dataclass(frozen=True)
class Rows:
    """The rows of each model, many-to-many tables included, in an order in which they can be inserted."""

    _of_models: Sequence[tuple[type[Model], Sequence[str], Sequence[tuple[Any, ...]]]]

    @classmethod
    def stored(cls) -> Self:
        """All rows that are stored now."""
        found = []
        for model in apps.get_models(include_auto_created=True):
            if not model._meta.managed or model._meta.proxy:
                continue
            columns = [field.column for field in model._meta.local_concrete_fields if field.column]
            with connection.cursor() as cursor:
                names = ", ".join(map(connection.ops.quote_name, columns))
                cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(model._meta.db_table)}")
                if rows := cursor.fetchall():
                    found.append((model, columns, rows))
        return cls(found)

    def restore(self) -> None:
        """Inserts the rows into empty tables."""
        with transaction.atomic(), connection.cursor() as cursor:
            for model, columns, rows in self._of_models:
                names = ", ".join(map(connection.ops.quote_name, columns))
                table = connection.ops.quote_name(model._meta.db_table)
                places = ", ".join(["%s"] * len(columns))
                cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
            models = [model for model, _, _ in self._of_models]
            for statement in connection.ops.sequence_reset_sql(no_style(), models):
                cursor.execute(statement)
        ContentType.objects.clear_cache()
