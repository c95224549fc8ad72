"""The settings as the README's table names them, and as the code reads them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
README = (ROOT / "README.md").read_text(encoding="utf-8")

_SECRET = {"secret", "secret_list", "header_secret", "proxy_url", "queue_url"}
"""The readers that take a value from a file too."""


def documented() -> set[str]:
    """Every variable of the table."""
    _, _, after = README.partition("\n| variable |")
    rows = after.partition("\n\n")[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row.split("|")[1])}


def documented_secrets() -> set[str]:
    """Those that the README says can come from a file."""
    _, _, after = README.partition("Secrets can also come from a file")
    return set(re.findall(r"`([A-Z][A-Z0-9_]+)`", after.partition(". ")[0])) - {"_FILE"}


def read(readers: set[str] | None = None) -> set[str]:
    """Every variable that the code reads by one of these readers of `dashboard.env`; by any without them."""
    sources = [ROOT / "gunicorn.conf.py", *(ROOT / "dashboard").rglob("*.py"), *(ROOT / "threads").rglob("*.py")]
    calls = [
        call
        for path in sources
        for call in re.findall(r"""\benv\.(\w+)\(\s*["']([A-Z][A-Z0-9_]+)["']""", path.read_text(encoding="utf-8"))
    ]
    return {name for reader, name in calls if reader != "make_directory" and (readers is None or reader in readers)}


def secrets() -> set[str]:
    return read(_SECRET)
