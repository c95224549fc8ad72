"""Index queries per database: SQLite's FTS5, PostgreSQL's GIN. All other code of the search is the same on both.

FTS5 returns rows in order, so a search stops once it has enough. A GIN index has no order: there each thread also has a
word for the run of thread numbers that it is in (`word_index.RUN_BITS`), and a search first looks into a few runs.
Frequent words are found there; all matches of a rare word fit into one query.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connection, transaction

from threads.archive.store.word_index import RUN_BITS, run_word

Groups = Sequence[Sequence[str]]
"""Words of the index, in conjunctive normal form: one word of each group has to match."""

_RUNS = 4
"""Runs that are searched before the whole index."""

_QUERY_LIMIT = 5000
"""Rows per query; more than the threads of a run."""


def matching_numbers(groups: Groups, low: int, high: int, *, descending: bool, size: int) -> Iterator[list[int]]:
    """The numbers of threads in `low` <= number < `high` that match all groups, in order, in non-empty lists; the first
    one has about `size` numbers."""
    search = _sqlite if connection.vendor == "sqlite" else _postgresql
    return search(groups, low, high, descending, size)


def words_with(part: str, most: int) -> list[str]:
    """Up to `most` indexed words that contain `part` (three characters or more), those that start with it first."""
    found = words_beginning(part, most)
    if len(found) >= most:
        return found
    sql = (
        "SELECT word FROM archive_word WHERE id IN (SELECT rowid FROM archive_parts_index(%s) LIMIT %s)"
        if connection.vendor == "sqlite"
        else "SELECT word FROM archive_word WHERE word LIKE %s LIMIT %s"
    )
    value = f'"{part}"' if connection.vendor == "sqlite" else f"%{part}%"
    with connection.cursor() as cursor:
        cursor.execute(sql, [value, most])
        return list(dict.fromkeys([*found, *(word for (word,) in cursor.fetchall())]))[:most]


def words_beginning(start: str, most: int) -> list[str]:
    """Up to `most` indexed words that start with `start`, in alphabetical order."""
    sql = (
        "SELECT word FROM archive_word WHERE word >= %s AND word < %s ORDER BY word LIMIT %s"
        if connection.vendor == "sqlite"
        else "SELECT word FROM archive_word WHERE word ~>=~ %s AND word ~<~ %s ORDER BY word USING ~<~ LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [start, start + "\U0010ffff", most])
        return [word for (word,) in cursor.fetchall()]


def numbers_with_word(word: str, most: int) -> list[int]:
    """The numbers of up to `most` threads with exactly this word in the index, unordered."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            sql = "SELECT rowid FROM archive_words_index WHERE archive_words_index MATCH %s LIMIT %s"
            cursor.execute(sql, [f'"{word}"', most])
            return [number for (number,) in cursor.fetchall()]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        sql = (
            "SELECT thread_id FROM archive_searchdoc "
            "WHERE array_to_tsvector(string_to_array(words, ' ')) @@ %s::tsquery LIMIT %s"
        )
        cursor.execute(sql, [f"'{word}'", most])
        found = [number for (number,) in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = on")
    return found


def count_threads(words: Sequence[str], low: int, high: int) -> list[int]:
    """For each word of the index the number of threads that have it, in `low` <= number < `high`, in one statement.
    Both have to be ends of runs."""
    if not words:
        return []
    if connection.vendor == "sqlite":
        count = (
            "(SELECT count(*) FROM archive_words_index WHERE archive_words_index MATCH %s "
            f"AND rowid >= {low:d} AND rowid < {high:d})"
        )
        matches = [f'"{word}"' for word in words]
    else:
        count = (
            "(SELECT count(*) FROM archive_searchdoc "
            "WHERE array_to_tsvector(string_to_array(words, ' ')) @@ %s::tsquery)"
        )
        runs = " | ".join(f"'{run_word(run)}'" for run in range(low >> RUN_BITS, high >> RUN_BITS))
        matches = [f"'{word}' & ({runs})" for word in words]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL work_mem = '32MB'")
        cursor.execute(f"SELECT {', '.join([count] * len(words))}", matches)
        found = list(cursor.fetchone())
        if connection.vendor != "sqlite":
            cursor.execute("SET LOCAL enable_seqscan = on")
    return found


def _sqlite(groups: Groups, low: int, high: int, descending: bool, size: int) -> Iterator[list[int]]:
    match = " AND ".join("(" + " OR ".join(f'"{word}"' for word in group) + ")" for group in groups)
    sql = (
        "SELECT rowid FROM archive_words_index WHERE archive_words_index MATCH %s AND rowid >= %s AND rowid < %s "
        f"ORDER BY rowid {'DESC' if descending else 'ASC'}"
    )
    # One statement, read in chunks: starting a statement takes longer than continuing it.
    with connection.cursor() as cursor:
        cursor.execute(sql, [match, low, high])
        while found := [number for (number,) in cursor.fetchmany(size)]:
            yield found
            size = min(2 * size, 500)


def _postgresql(groups: Groups, low: int, high: int, descending: bool, size: int) -> Iterator[list[int]]:
    match = " & ".join("(" + " | ".join(f"'{word}'" for word in group) + ")" for group in groups)
    order = "DESC" if descending else "ASC"
    # The `+ 0` keeps the planner from using any index but the one over the words.
    sql = (
        "SELECT thread_id FROM archive_searchdoc WHERE array_to_tsvector(string_to_array(words, ' ')) @@ %s::tsquery "
        f"AND thread_id + 0 >= %s AND thread_id + 0 < %s ORDER BY thread_id + 0 {order} LIMIT %s"
    )
    runs = _runs(low, high, descending)
    while low < high:
        run = next(runs, None)
        with transaction.atomic(), connection.cursor() as cursor:
            # With too little work_mem the bitmap becomes lossy, and PostgreSQL rechecks all rows of a page.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL work_mem = '32MB'")
            cursor.execute(sql, [match if run is None else f"{match} & '{run_word(run)}'", low, high, _QUERY_LIMIT])
            found = [number for (number,) in cursor.fetchall()]
            cursor.execute("SET LOCAL enable_seqscan = on")  # the page's transaction may go on
        place = 0
        while place < len(found):
            yield found[place : place + size]
            place, size = place + size, min(2 * size, 500)
        if len(found) == _QUERY_LIMIT:
            low, high = (low, found[-1]) if descending else (found[-1] + 1, high)
        elif run is None:
            return
        else:
            low, high = (low, run << RUN_BITS) if descending else ((run + 1) << RUN_BITS, high)


def _runs(low: int, high: int, descending: bool) -> Iterator[int]:
    """The first runs of the numbers in `low` <= number < `high`, in the order of the search."""
    first, last = low >> RUN_BITS, (high - 1) >> RUN_BITS
    runs = range(last, first - 1, -1) if descending else range(first, last + 1)
    yield from runs[:_RUNS]
