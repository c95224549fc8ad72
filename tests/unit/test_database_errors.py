"""What a page says of a database that fails: only what is so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from dashboard import database_errors
from tests.support.services import POSTGRES
from threads.archive.models import Progress

pytestmark = pytest.mark.django_db(transaction=True)


def words_of(act: Callable[[], object]) -> str:
    """The title for what `act` raises."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        act()
    words = database_errors.explain(caught.value)
    assert words is not None
    return words.title


def sql(statement: str) -> Callable[[], object]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


MISSING = ["SELECT * FROM of_another_version", "SELECT of_another_version FROM archive_progress"]


@pytest.mark.parametrize("statement", MISSING, ids=["table", "column"])
@pytest.mark.parametrize("case", ["behind", "ahead", "neither"])
def test_what_is_missing_is_told_by_the_migrations(case: str, statement: str) -> None:
    recorder = MigrationRecorder(connection)
    newest, later = MigrationLoader(connection).graph.leaf_nodes("archive")[0], ("archive", "9999_of_tomorrow")
    if case == "behind":
        recorder.record_unapplied(*newest)
    if case == "ahead":
        recorder.record_applied(*later)
    try:
        title = words_of(sql(statement))
    finally:
        if case == "behind":
            recorder.record_applied(*newest)
        recorder.record_unapplied(*later)
    assert (
        title
        == {
            "behind": "The database is not set up",
            "ahead": "This server is out of date",
            "neither": "Part of the database is missing",
        }[case]
    )


@pytest.mark.database("postgresql")
@pytest.mark.parametrize(
    ("statement", "title"),
    [
        ("EXECUTE of_another_connection", "The database lost track"),
        ("FETCH ALL FROM of_another_connection", "The database lost track"),
        ("SET ROLE of_nobody", None),
        ("SELECT of_nobody()", None),
        ("SELECT pg_sleep(1)", "The database can't be reached"),
    ],
)
def test_what_does_not_exist_is_no_reason_to_migrate(statement: str, title: str | None) -> None:
    limited = f"SET LOCAL statement_timeout = 20; {statement}"
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        sql(limited)()
    words = database_errors.explain(caught.value)
    assert (words and words.title) == title


@pytest.mark.database("postgresql")
@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        ({"NAME": "of_nobody"}, "The database refuses Threadkeeper"),
        ({"USER": "of_nobody"}, "The database refuses Threadkeeper"),
        ({"PORT": 1}, "The database can't be reached"),
    ],
)
def test_a_connection_that_is_refused(wrong: dict[str, object], title: str) -> None:
    other = connection.copy("refused")
    other.settings_dict |= wrong
    connections["refused"] = other
    try:
        assert words_of(lambda: Progress.objects.using("refused").first()) == title
    finally:
        del connections["refused"]


def test_words_of_any_other_failure() -> None:
    assert database_errors.explain(ValueError("relation does not exist")) is None
    assert database_errors.explain(None) is None
    locked = database_errors.explain(OperationalError("database is locked"))
    assert locked is not None
    assert locked.title == "The database can't be reached"
    assert POSTGRES not in locked.text
