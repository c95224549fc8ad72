"""The wheel, built and installed into an empty environment: its command does what `make run` does."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        os.environ.get("CI") != "true", reason="downloads every dependency once more; CI=true runs it, or make wheel"
    ),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and the locked dependencies alone."""
    where = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(where), str(ROOT)], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(where / "venv")], check=True)
    inner = [str(where / "venv/bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*inner, "--require-hashes", "-r", str(ROOT / "requirements.txt")], check=True)
    (wheel,) = where.glob("threadkeeper-*.whl")
    subprocess.run([*inner, "--no-deps", str(wheel)], check=True)
    return where / "venv/bin"


@contextmanager
def _served(environment: Path, home: Path) -> Iterator[str]:
    """The address of the desk that `threadkeeper` serves, with its data below `home`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "PORT": str(port), "EMULATOR_THREADS": "200"}
    process = subprocess.Popen([str(environment / "threadkeeper")], env=variables, cwd=home)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/readyz", process)
        yield address
        process.terminate()
        assert process.wait(40) == 0
    finally:
        process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, "threadkeeper ended"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < until, f"{url} does not answer"
            time.sleep(0.2)
        else:
            return


def _body(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as reply:
        assert reply.status == 200
        return str(reply.read().decode())


def test_the_command_does_what_make_run_does(environment: Path, tmp_path: Path) -> None:
    with _served(environment, tmp_path) as address:
        page = _body(f"{address}/sign-in/")
        assert "Open the demo" in page
        for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
            assert _body(f"{address}{path}")
    data = tmp_path / ".local/share/threadkeeper"
    assert (data / "emulator.sqlite3").exists()
    assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
    assert len((data / "secret_key").read_text().strip()) >= 50

    other = tmp_path / "other"
    other.mkdir()
    variables = {"PATH": os.environ["PATH"], "HOME": str(other)}
    command = str(environment / "threadkeeper")
    shown = subprocess.run([command, "--help"], env=variables, capture_output=True, text=True, check=True).stdout
    assert f"{other}/.local/share/threadkeeper" in shown
    subprocess.run([command, "migrate", "--verbosity", "0"], env=variables, check=True)
    done = subprocess.run([command, "doctor"], env=variables, capture_output=True, text=True, check=False)
    assert "emulator" in done.stdout, done.stderr
