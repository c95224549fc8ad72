"""What differs between the databases in searching. All else is the same code on both.

SQLite's FTS5 gives its rows in order, so that a search ends where it has enough. PostgreSQL's GIN knows no order: there
each thread has among its words the runs of numbers that it is in (`index.LEVELS`), and a search goes from run to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connection, transaction

from .index import LEVELS

Groups = Sequence[Sequence[str]]


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


def _sqlite(groups: Groups, low: int, high: int, descending: bool, size: int) -> Iterator[list[int]]:
    asked = " AND ".join("(" + " OR ".join(f'"{word}"' for word in group) + ")" for group in groups)
    sql = (
        "SELECT rowid FROM archive_words_index WHERE archive_words_index MATCH %s AND rowid >= %s AND rowid < %s "
        f"ORDER BY rowid {'DESC' if descending else 'ASC'} LIMIT %s"
    )
    while low < high:
        with connection.cursor() as cursor:
            cursor.execute(sql, [asked, low, high, size])
            found = [number for (number,) in cursor.fetchall()]
        if found:
            yield found
        if len(found) < size:
            return
        low, high = (low, found[-1]) if descending else (found[-1] + 1, high)
        size = min(2 * size, 500)


def _postgresql(groups: Groups, low: int, high: int, descending: bool, size: int) -> Iterator[list[int]]:
    asked = " & ".join("(" + " | ".join(f"'{word}'" for word in group) + ")" for group in groups)
    # The sums keep the planner from any other index than the one over the words.
    sql = (
        "SELECT thread_id FROM archive_searchdoc WHERE array_to_tsvector(string_to_array(words, ' ')) @@ %s::tsquery "
        f"AND thread_id + 0 >= %s AND thread_id + 0 < %s ORDER BY thread_id + 0 {'DESC' if descending else 'ASC'}"
    )
    for run in _runs(low, high, descending):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(sql, [f"{asked} & '{run}'", low, high])
            found = [number for (number,) in cursor.fetchall()]
        for start in range(0, len(found), size):
            yield found[start : start + size]


def _runs(low: int, high: int, descending: bool) -> Iterator[str]:
    """The runs that cover the numbers from `low` up to but not `high`, in order, small ones first: enough is often
    found at once, and what is found nowhere takes few of them."""
    walked = 0
    while low < high:
        for level in reversed(LEVELS):
            name, bits = level
            size = 1 << bits
            aligned = (high if descending else low) % size == 0
            if bits == LEVELS[0][1] or (aligned and walked >= size // 16):
                break
        run = (high - 1 if descending else low) >> bits
        yield f"={name}{run}"
        walked += size
        low, high = (low, run << bits) if descending else ((run + 1) << bits, high)
