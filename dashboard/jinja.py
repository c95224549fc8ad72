"""The Jinja2 environment of all templates except the admin's."""

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
from markupsafe import Markup

from threads.rendering.escape import attribute_text, exact, in_blocks, visible
from threads.rendering.markdown import LONGEST_PLAIN
from threads.roles import Right


def environment(**options: Any) -> Environment:
    """Autoescapes, and raises for undefined names."""
    jinja = Environment(  # noqa: S701  # the options set autoescape
        **options | {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    )
    jinja.globals.update(
        static=cache(static),
        url=lru_cache(500)(reverse),
        emulator=settings.EMULATOR,
        has_archive=lambda: settings.ARCHIVE != "off",
        archive_only=lambda: settings.ARCHIVE_ONLY,
        icon=cache(_icon),
        places_of=_navigation,
        restored=_restore_warning,
    )
    jinja.filters.update(
        visible=visible, named=attribute_text, exact=exact, whole=partial(in_blocks, longest=LONGEST_PLAIN)
    )
    return jinja


_NAVIGATION = (
    ("threads", "Threads", (Right.READ,), False),
    ("reports", "Reports", (Right.READ,), True),
    ("exports", "Exports", (Right.EXPORT,), False),
    ("erasures", "Erasure requests", (Right.ERASE, Right.AUDIT), False),
    ("audit", "Audit log", (Right.AUDIT,), False),
    ("sync", "Sync", (Right.READ,), True),
)
"""URL name, label, required rights (any of them), and whether the page needs the archive."""


def _icon(name: str) -> Markup:
    """A symbol of `static/icons.svg`, as large as a letter. Screen readers skip it: words stand beside it."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(static("icons.svg"), name)


def _navigation(user: Any) -> list[tuple[str, str]]:
    """The navigation for an account: URL names and labels."""
    return [
        (name, label)
        for name, label, rights, archived in _NAVIGATION
        if any(map(user.has_perm, rights)) and (settings.ARCHIVE != "off" or not archived)
    ]


def _restore_warning(user: Any) -> str:
    """For administrators: the warning that a restored backup contains erased threads; "" otherwise."""
    if not user.has_perm(Right.ADMINISTER):
        return ""
    # Apps are not loaded when the environment is created.
    from threads.erasure import replay  # noqa: PLC0415

    with suppress(DatabaseError):
        return replay.warning()
    return ""


def template_names() -> Iterable[str]:
    """The names of all Jinja2 templates."""
    root = Path(settings.BASE_DIR) / "templates"
    return (str(path.relative_to(root)) for path in root.rglob("*.html"))
