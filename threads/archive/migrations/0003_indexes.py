"""The index of each database over the words of a thread, and over the parts of words.

SQLite: FTS5 tables that triggers keep equal to the tables they index. PostgreSQL: GIN over a tsvector, and pg_trgm.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

_SQLITE = [
    """CREATE VIRTUAL TABLE archive_words_index USING fts5(
        words, content='archive_searchdoc', content_rowid='thread_id', detail=none, columnsize=0,
        tokenize="ascii tokenchars '=_'")""",
    """CREATE TRIGGER archive_words_insert AFTER INSERT ON archive_searchdoc BEGIN
        INSERT INTO archive_words_index(rowid, words) VALUES (new.thread_id, new.words); END""",
    """CREATE TRIGGER archive_words_delete AFTER DELETE ON archive_searchdoc BEGIN
        INSERT INTO archive_words_index(archive_words_index, rowid, words)
        VALUES ('delete', old.thread_id, old.words); END""",
    """CREATE TRIGGER archive_words_update AFTER UPDATE ON archive_searchdoc BEGIN
        INSERT INTO archive_words_index(archive_words_index, rowid, words)
        VALUES ('delete', old.thread_id, old.words);
        INSERT INTO archive_words_index(rowid, words) VALUES (new.thread_id, new.words); END""",
    """CREATE VIRTUAL TABLE archive_parts_index USING fts5(
        word, content='archive_word', content_rowid='id', columnsize=0, tokenize='trigram')""",
    """CREATE TRIGGER archive_parts_insert AFTER INSERT ON archive_word BEGIN
        INSERT INTO archive_parts_index(rowid, word) VALUES (new.id, new.word); END""",
    """CREATE TRIGGER archive_parts_delete AFTER DELETE ON archive_word BEGIN
        INSERT INTO archive_parts_index(archive_parts_index, rowid, word) VALUES ('delete', old.id, old.word); END""",
]
_SQLITE_BACK = ["DROP TABLE archive_words_index", "DROP TABLE archive_parts_index"]

_POSTGRESQL = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """CREATE INDEX archive_words_index ON archive_searchdoc
        USING gin (array_to_tsvector(string_to_array(words, ' '))) WITH (fastupdate = off)""",
    "CREATE INDEX archive_parts_index ON archive_word USING gin (word gin_trgm_ops) WITH (fastupdate = off)",
    "CREATE INDEX archive_people_index ON archive_person USING gin (folded gin_trgm_ops) WITH (fastupdate = off)",
]
_POSTGRESQL_BACK = [
    "DROP INDEX archive_words_index",
    "DROP INDEX archive_parts_index",
    "DROP INDEX archive_people_index",
]


def make(_apps: Any, editor: Any) -> None:
    for statement in _SQLITE if editor.connection.vendor == "sqlite" else _POSTGRESQL:
        editor.execute(statement)


def drop(_apps: Any, editor: Any) -> None:
    for statement in _SQLITE_BACK if editor.connection.vendor == "sqlite" else _POSTGRESQL_BACK:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("archive", "0002_found")]

    operations = [migrations.RunPython(make, drop)]
