"""What the build of the image is given: `.dockerignore` read as Docker reads it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import PurePosixPath

from tests.system.deploy.settings import ROOT


def is_given(path: str) -> bool:
    """Whether a file of the repository, by its path in it, gets into the image. The last line that fits decides; one
    that fits a directory fits all that is in it."""
    places = [path, *map(str, PurePosixPath(path).parents)][:-1]
    ignored = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#") and any(_regex(pattern.lstrip("!")).fullmatch(at) for at in places):
            ignored = not pattern.startswith("!")
    return not ignored


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    found = []
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern):
        known = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        found.append(known.get(part, re.escape(part)))
    return re.compile("".join(found))
