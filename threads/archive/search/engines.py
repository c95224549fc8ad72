"""What differs between the databases in searching. All else is the same code on both.

SQLite's FTS5 gives its rows in order, so that a search ends where it has enough. PostgreSQL's GIN knows no order: there
each thread has among its words the run of numbers that it is in (`index.RUN`), and a search looks into a few runs. What
is common is found there; what is not is so rare that all of it can be had at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connection, transaction

from threads.archive.store.word_index import RUN, run_word

Groups = Sequence[Sequence[str]]

_RUNS = 4
"""How many runs are looked into before the whole index is."""

_MOST_AT_ONCE = 5000
"""More than the threads of a run."""


def matching(groups: Groups, low: int, high: int, *, descending: bool, size: int) -> Iterator[list[int]]:
    """The numbers of the threads, from `low` up to but not `high`, that have a word of each group: in order, at least
    one at a time, about `size` to begin with."""
    search = _sqlite if connection.vendor == "sqlite" else _postgresql
    return search(groups, low, high, descending, size)


def words_with(part: str, most: int) -> list[str]:
    """Up to `most` words that have `part` (three characters or more) in them, those that begin with it first."""
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
    """Up to `most` words that begin with `start`, in order, itself first."""
    sql = (
        "SELECT word FROM archive_word WHERE word >= %s AND word < %s ORDER BY word LIMIT %s"
        if connection.vendor == "sqlite"
        else "SELECT word FROM archive_word WHERE word ~>=~ %s AND word ~<~ %s ORDER BY word USING ~<~ LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [start, start + "\U0010ffff", most])
        return [word for (word,) in cursor.fetchall()]


def with_word(word: str, most: int) -> list[int]:
    """The numbers of up to `most` threads that have exactly this word in the index, in no order."""
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


def _sqlite(groups: Groups, low: int, high: int, descending: bool, size: int) -> Iterator[list[int]]:
    asked = " AND ".join("(" + " OR ".join(f'"{word}"' for word in group) + ")" for group in groups)
    sql = (
        "SELECT rowid FROM archive_words_index WHERE archive_words_index MATCH %s AND rowid >= %s AND rowid < %s "
        f"ORDER BY rowid {'DESC' if descending else 'ASC'}"
    )
    # One statement for as much as is wanted: to begin one takes longer than to go on.
    with connection.cursor() as cursor:
        cursor.execute(sql, [asked, low, high])
        while found := [number for (number,) in cursor.fetchmany(size)]:
            yield found
            size = min(2 * size, 500)


def _postgresql(groups: Groups, low: int, high: int, descending: bool, size: int) -> Iterator[list[int]]:
    asked = " & ".join("(" + " | ".join(f"'{word}'" for word in group) + ")" for group in groups)
    order = "DESC" if descending else "ASC"
    # The sums keep the planner from any other index than the one over the words.
    sql = (
        "SELECT thread_id FROM archive_searchdoc WHERE array_to_tsvector(string_to_array(words, ' ')) @@ %s::tsquery "
        f"AND thread_id + 0 >= %s AND thread_id + 0 < %s ORDER BY thread_id + 0 {order} LIMIT %s"
    )
    runs = _runs(low, high, descending)
    while low < high:
        run = next(runs, None)
        with transaction.atomic(), connection.cursor() as cursor:
            # Without room for all that is found PostgreSQL forgets which rows of a page it was, and reads them again.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL work_mem = '32MB'")
            cursor.execute(sql, [asked if run is None else f"{asked} & '{run_word(run)}'", low, high, _MOST_AT_ONCE])
            found = [number for (number,) in cursor.fetchall()]
            cursor.execute("SET LOCAL enable_seqscan = on")  # in the transaction of a page there is more to come
        place = 0
        while place < len(found):
            yield found[place : place + size]
            place, size = place + size, min(2 * size, 500)
        if len(found) == _MOST_AT_ONCE:
            low, high = (low, found[-1]) if descending else (found[-1] + 1, high)
        elif run is None:
            return
        else:
            low, high = (low, run << RUN) if descending else ((run + 1) << RUN, high)


def _runs(low: int, high: int, descending: bool) -> Iterator[int]:
    """The first runs of the numbers from `low` up to but not `high`."""
    first, last = low >> RUN, (high - 1) >> RUN
    runs = range(last, first - 1, -1) if descending else range(first, last + 1)
    yield from runs[:_RUNS]
