"""In SQLite, REPLACE takes a row away without a trigger on DELETE being asked: so the row that comes in its place is
refused."""

from typing import Any, ClassVar

from django.db import migrations

_SQLITE = (
    "CREATE TRIGGER audit_no_replacing BEFORE INSERT ON audit_auditevent "
    "WHEN EXISTS (SELECT 1 FROM audit_auditevent WHERE id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
)


def forbid(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(_SQLITE)


def allow(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS audit_no_replacing")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0003_in_order_of_time")]

    operations: ClassVar = [migrations.RunPython(forbid, allow)]
