"""Static files: bundled, hashed and compressed when the server starts, if any changed, and served by WhiteNoise."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.files.base import ContentFile
from django.core.management import call_command
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

from . import css_bundle, js_bundle

_STAMP, _LOCK, _MANIFEST = ".gathered", ".lock", "staticfiles.json"
_ENTRY_SCRIPTS = ("app.js", "conversation.js", "find.js")
"""The scripts that pages load. Later ones may import from the bundles of earlier ones."""
_ENTRY_STYLES = ("app.css", "conversation.css", "widgets.css")


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, but it serves neither the manifest nor hidden files."""

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        parts = Path(url).parts
        if not any(part.startswith(".") for part in parts) and not parts[-1].startswith(_MANIFEST):
            super().add_file_to_dictionary(url, path, stat_cache=stat_cache)


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, with one bundle per entry script in the place of its modules, and one style sheet in the
    place of those that it imports."""

    # A bundle imports another by its hashed name. `support_js_module_import_aggregation` would do the same for every
    # script, but fails on an example in a comment of django_htmx/ext/hx-sse-2.js.
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        *((name, ((r'(?P<matched>from "(?P<url>\./[^"]+)";)', 'from "%(url)s";'),)) for name in _ENTRY_SCRIPTS),
    )

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if not dry_run:
            paths = self._bundle(paths)
        yield from super().post_process(paths, dry_run=dry_run, **options)

    def _bundle(self, paths: dict[str, Any]) -> dict[str, Any]:
        """Writes the bundles. Returns `paths`, name to storage and name there, with bundles instead of modules."""

        def read(name: str) -> str:
            storage, path = paths[name]
            with storage.open(path) as file:
                return str(file.read(), "utf-8")

        bundles, modules = js_bundle.bundle(_ENTRY_SCRIPTS, read)
        bundles |= {name: css_bundle.bundle(name, read) for name in _ENTRY_STYLES}
        for name, text in bundles.items():
            self.delete(name)
            self.save(name, ContentFile(text.encode()))
        others = {name: source for name, source in paths.items() if name not in modules}
        return others | {name: (self, name) for name in bundles}


def collect_if_changed() -> bool:
    """Fills STATIC_ROOT, unless it is up to date. Returns whether it was filled."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp, fingerprint = root / _STAMP, _fingerprint()
    with (root / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two servers may start at once
        if stamp.exists() and stamp.read_text(encoding="ascii") == fingerprint:
            return False
        # Files with old hashes stay: during a restart, pages of the old server still request them.
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(fingerprint, encoding="ascii")
    return True


def _fingerprint() -> str:
    """Returns a hash that changes with any static file, and with the code that processes them."""
    digest = hashlib.sha256(f"{django.VERSION} {version('whitenoise')}".encode())
    for source in (__file__, css_bundle.__file__, js_bundle.__file__):
        digest.update(Path(source).read_bytes())
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda found: str(found[0])):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_mtime_ns} {status.st_size}\n".encode())
    return digest.hexdigest()
