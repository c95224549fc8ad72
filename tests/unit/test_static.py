"""Static files are gathered when they changed, and only then; and they are all that is served."""

import os
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from dashboard.collect_static import StaticFiles, collect_if_changed


def test_static_files_are_gathered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(STATIC_ROOT=tmp_path / "static"):
        assert collect_if_changed()
        assert (tmp_path / "static" / "app.css").exists()
        assert (tmp_path / "static" / "django_htmx" / "htmx-2.min.js").exists()
        assert not collect_if_changed()
        monkeypatch.setattr("django.VERSION", (9, 9, 9, "final", 0))
        assert collect_if_changed()


@pytest.mark.django_db  # closing a response looks after connections
def test_what_is_beside_the_static_files_is_not_served(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with override_settings(STATIC_ROOT=tmp_path / "static"):
            collect_if_changed()
            beside = [".gathered", ".lock", "staticfiles.json", "staticfiles.json.gz", ".well-known", "deep/.hidden"]
            (tmp_path / "static" / "deep").mkdir()
            for name in beside:
                (tmp_path / "static" / name).touch()
            serving = StaticFiles(lambda _request: HttpResponse(status=404))
    finally:
        os.umask(before)
    for name in beside:
        assert serving(RequestFactory().get(f"/static/{name}")).status_code == 404, name
    response = serving(RequestFactory().get("/static/app.css"))
    assert response.status_code == 200
    assert b"".join(response).startswith(b"@")
    response.close()
