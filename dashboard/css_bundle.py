"""Bundles style sheets: the imports of an entry are replaced by the text of the files, so that a page asks for one."""

from __future__ import annotations

import re
from collections.abc import Callable
from posixpath import dirname, join, normpath

_IMPORT = re.compile(r'^@import url\("(?P<path>[^":]+)"\) layer\((?P<layer>\w+)\);\n', re.MULTILINE)
_OTHER_FORM = re.compile(r"^\s*@import\b.*", re.MULTILINE)
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|/\*.*?\*/\n?', re.DOTALL)
"""A comment, or in its first group a string, which may look like one inside."""
_RELATIVE_URL = re.compile(r'\burl\((?!["\']?(?:data:|#|/))')


def bundle(entry: str, read: Callable[[str], str]) -> str:
    """The text of the entry with each imported file in its layer, without comments. `read` gives a file's text by its
    name.

    Raises ValueError for other forms of import, and for a relative `url()` in an imported file, which would change its
    meaning.
    """

    def imported(found: re.Match[str]) -> str:
        name = normpath(join(dirname(entry), found["path"]))
        text = without_comments(read(name))
        if "@import" in text or _RELATIVE_URL.search(text):
            raise ValueError(f"{name} is imported, so it may have no import and no relative url().")
        return f"@layer {found['layer']} {{\n{text}}}\n"

    bundled = _IMPORT.sub(imported, without_comments(read(entry)))
    if other := _OTHER_FORM.search(bundled):
        raise ValueError(f"{entry}: {other[0]!r} is not a form of import that can be bundled.")
    return bundled


def without_comments(text: str) -> str:
    """A style sheet without its comments."""
    return _COMMENT.sub(lambda found: found[1] or "", text)
