"""User ids as the archive stores and compares them."""

from __future__ import annotations

from functools import lru_cache

from threads.lib.folding import folded_with_signs

MAX_LENGTH = 512
"""Characters of a user id that a column holds."""


@lru_cache(maxsize=10_000)
def folded_user_id(name: str) -> str:
    """A user id, folded for substring search like other text, but with all punctuation kept."""
    return folded_with_signs(stored_user_id(name)) or name


def stored_user_id(name: str) -> str:
    """A user id as a column stores it: cut to `MAX_LENGTH`, and without NUL, which PostgreSQL can't store. Several ids
    may be stored alike; `Thread.is_of` tells them apart."""
    return name.replace("\0", "\ufffd")[:MAX_LENGTH]


def is_exact(held: str) -> bool:
    """Whether a stored id is exactly the user's id. If not, it was cut or a character was replaced, and it may stand
    for several users."""
    return len(held) < MAX_LENGTH and "\ufffd" not in held
