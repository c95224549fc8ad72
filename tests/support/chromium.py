"""Finds Chromium."""

from __future__ import annotations

import os
import shutil

FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync
""".split()


def find() -> str | None:
    """The path of the browser that CHROMIUM names, else of the first one installed; None if there is none."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
    return next(filter(None, map(shutil.which, names)), None)
