"""What the desk makes is for its own account alone, however wide the umask is that it was started with."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WSGI = "import os; os.umask(0o022); import dashboard.wsgi; open(os.environ['DATA_DIR'] + '/made', 'w').close()"


@pytest.fixture
def wide() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def _umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now


def test_the_server_s_settings(wide: None) -> None:
    runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert _umask() == 0o077


def test_the_commands(wide: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "version"])
    runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")
    assert _umask() == 0o077


def test_the_application_under_any_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(data), "STATIC_ROOT": str(ROOT / "static")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WSGI],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert data.stat().st_mode & 0o777 == 0o700
    modes = {each.name: each.stat().st_mode & 0o777 for each in data.iterdir()}
    assert modes.keys() >= {"made", "emulator.sqlite3"}
    assert set(modes.values()) == {0o600}


def test_the_units_of_systemd() -> None:
    for unit in (ROOT / "deploy").glob("**/*.service"):
        lines = unit.read_text(encoding="utf-8").splitlines()
        assert {"UMask=0077", "StateDirectoryMode=0700"} <= set(lines), unit
