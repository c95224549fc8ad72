"""What is not run here is checked as far as its own tools go."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.deploy.settings import DEPLOY


def needed(program: str, package: str) -> str:
    found = shutil.which(program)
    return found or pytest.skip(f"no {program}: apt-get install {package}")


def test_the_units_of_systemd(tmp_path: Path) -> None:
    """With the programs of this environment in place of those in /opt, and without a word of complaint: a key that is
    not known is a mere warning."""
    program = needed("systemd-analyze", "systemd")
    units = []
    for each in (DEPLOY / "one").glob("*.service"):
        text = each.read_text(encoding="utf-8")
        assert "/opt/threadkeeper/.venv/bin/" in text
        unit = tmp_path / each.name
        unit.write_text(text.replace("/opt/threadkeeper/.venv/bin", str(Path(sys.executable).parent)), encoding="utf-8")
        units.append(str(unit))
    assert len(units) == 2
    done = subprocess.run([program, "verify", *units], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_proxy(tmp_path: Path) -> None:
    program = needed("caddy", "caddy")
    done = subprocess.run(
        [program, "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "many" / "Caddyfile")],
        env={"HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"level":"warn"' not in done.stderr
