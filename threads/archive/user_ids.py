"""User ids as the archive stores and compares them."""

from __future__ import annotations

from functools import lru_cache

from threads.lib.folding import signed

LONGEST = 512
"""Characters of an id that a column holds."""


@lru_cache(maxsize=10_000)
def fold(name: str) -> str:
    """An id as parts of it are looked for: as text is, but with all its signs."""
    return signed(column(name)) or name


def column(name: str) -> str:
    """An id as a column can hold it, PostgreSQL's too. `Thread.is_of` tells apart those that come to the same."""
    return name.replace("\0", "\ufffd")[:LONGEST]


def is_whole(held: str) -> bool:
    """Whether what a column holds is the very id. Else it may be that of several users: cut, or with another character
    in the place of one that no column can hold."""
    return len(held) < LONGEST and "\ufffd" not in held
