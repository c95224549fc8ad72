"""The documentation names files that exist, and its links lead to files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
]
PATH = re.compile(r"`([\w./*-]+\.(?:py|html|js))(?:::[^`]*)?`")
LINK = re.compile(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_path_exists(document: Path) -> None:
    """Paths are relative to the project, `threads/` or `tests/`; a bare file name may be in any folder."""
    folder, missing = ROOT, []
    for path in PATH.findall(document.read_text(encoding="utf-8")):
        places = [ROOT, folder, ROOT / "threads", ROOT / "tests", document.parent]
        found = next((place for place in places if any(place.glob(path))), None)
        if found is None and not ("/" not in path and _anywhere(path)):
            missing.append(path)
        elif found is not None and "/" in path:
            folder = (found / path).parent
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert not [link for link in links if not (document.parent / link).exists()]


def _anywhere(name: str) -> bool:
    folders = ("threads", "dashboard", "templates", "static", "tests", "benchmarks", "docs", "deploy")
    return (ROOT / name).exists() or any(any((ROOT / folder).rglob(name)) for folder in folders)
