"""The Jinja2 environment that every page of ours is rendered in."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined

from threads.rendering.escape import exact, in_pieces, named, visible
from threads.rendering.markdown import LONGEST_PLAIN
from threads.roles import Right


def environment(**options: Any) -> Environment:
    """Escapes everything, and stops at a name that is not there rather than render nothing in its place."""
    made = Environment(  # noqa: S701  # autoescape is among the options
        **options | {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    )
    made.globals.update(
        static=cache(static),
        url=lru_cache(500)(reverse),
        emulator=settings.EMULATOR,
        archive=settings.ARCHIVE != "off",
        archive_only=lambda: settings.ARCHIVE_ONLY,
        places_of=_places,
        restored=_restored,
    )
    made.filters.update(visible=visible, named=named, exact=exact, whole=partial(in_pieces, longest=LONGEST_PLAIN))
    return made


_PLACES = (
    ("threads", "Threads", (Right.READ,), False),
    ("overview", "Overview", (Right.READ,), True),
    ("archive", "Archive", (Right.READ,), True),
    ("exports", "Exports", (Right.EXPORT,), False),
    ("erasures", "Erasures", (Right.ERASE, Right.AUDIT), False),
    ("audit", "Trail", (Right.AUDIT,), False),
)
"""Name, label, the rights of which it takes one, and whether there has to be an archive."""


def _places(user: Any) -> list[tuple[str, str]]:
    """The pages that the account may go to from everywhere."""
    return [
        (name, label)
        for name, label, rights, archived in _PLACES
        if any(map(user.has_perm, rights)) and (settings.ARCHIVE != "off" or not archived)
    ]


def _restored(user: Any) -> str:
    """For administrators: that the database is an older copy, which erased threads have come back with."""
    if not user.has_perm(Right.ADMINISTER):
        return ""
    # The application is not loaded yet when templates are set up.
    from threads.erasure import replay  # noqa: PLC0415

    with suppress(DatabaseError):
        return replay.warning()
    return ""


def templates() -> Iterable[str]:
    """The names of all templates of ours."""
    root = Path(settings.BASE_DIR) / "templates"
    return (str(path.relative_to(root)) for path in root.rglob("*.html"))
