"""Static files are gathered when they changed, and only then."""

from pathlib import Path

import pytest
from django.test import override_settings

from dashboard.static import gather


def test_static_files_are_gathered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(STATIC_ROOT=tmp_path / "static"):
        assert gather()
        assert (tmp_path / "static" / "app.css").exists()
        assert (tmp_path / "static" / "django_htmx" / "htmx-2.min.js").exists()
        assert not gather()
        monkeypatch.setattr("django.VERSION", (9, 9, 9, "final", 0))
        assert gather()
