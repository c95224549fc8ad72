"""The Jinja2 environment that every page of ours is rendered in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined

from threads.markdown import LONGEST_PLAIN
from threads.visible import named, visible


def environment(**options: Any) -> Environment:
    """Escapes everything, and stops at a name that is not there rather than render nothing in its place."""
    made = Environment(  # noqa: S701  # autoescape is among the options
        **options | {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    )
    made.globals.update(
        static=cache(static), url=lru_cache(500)(reverse), emulator=settings.EMULATOR, archive=settings.ARCHIVE != "off"
    )
    made.filters.update(visible=visible, named=named, whole=partial(visible, longest=LONGEST_PLAIN))
    return made


def templates() -> Iterable[str]:
    """The names of all templates of ours."""
    root = Path(settings.BASE_DIR) / "templates"
    return (str(path.relative_to(root)) for path in root.rglob("*.html"))
