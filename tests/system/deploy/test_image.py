"""The image: what gets into it, and that this is enough to run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.deploy.context import is_given
from tests.system.deploy.settings import DEPLOY, ROOT

RUN = "import dashboard, dashboard.wsgi; print(dashboard.__file__)"


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


@pytest.mark.parametrize(
    "path",
    [
        "var/threadkeeper.sqlite3", "var/secret_key", "var/exports/x.zip", ".git/config", ".git/objects/ab/cd",
        ".venv/bin/python", "deploy/threadkeeper.env", "deploy/secrets/secret_key", ".hypothesis/x", ".env",
        "dashboard/.env", "threads/archive/copy.sqlite3-wal", "dashboard/__pycache__/settings.cpython-311.pyc",
        "backup.sql", "tests/settings.py", "docs/roles.md", "benchmarks/__main__.py",
    ],
)  # fmt: skip
def test_what_is_no_part_of_it_stays_out(path: str) -> None:
    assert not is_given(path)


def test_what_gets_into_it_is_enough_to_run(tmp_path: Path) -> None:
    app = tmp_path / "app"
    for path in filter(is_given, tracked()):
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, app / path)
    copied = re.findall(r"^COPY (\S+) \./$", (DEPLOY / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert copied == ["requirements-all.txt"]
    for name in (*copied, "manage.py", "gunicorn.conf.py", "templates", "static"):
        assert (app / name).exists(), name
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=app, env={"DATA_DIR": str(tmp_path / "data")}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == str(app / "dashboard" / "__init__.py"), done.stderr


def locked(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(re.match(r"([\w.-]+)==([^ ;\\]+)", line).groups() for line in lines if "==" in line)  # type: ignore[union-attr,misc]


def test_the_image_has_the_extras_in_the_versions_that_are_tested() -> None:
    whole, base, tested = (locked(f"requirements{name}.txt") for name in ("-all", "", "-dev"))
    assert {"redis", "mozilla-django-oidc"} <= set(whole)
    assert base.items() <= whole.items() <= tested.items()
    text = (ROOT / "requirements-all.txt").read_text(encoding="utf-8")
    assert len(whole) == len(re.findall(r"^\S+==.*\\\n    --hash=sha256:", text, re.MULTILINE))
