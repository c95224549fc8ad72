"""A start that can't succeed says why, in a sentence that says what to change."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from dashboard.accounts.models import DeskSession
from tests.support.seen import Seen
from tests.support.working import ROOT, until


def run(data: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=kept | {"DATA_DIR": str(data)} | variables,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


WRONG = {
    "OPENAI_API_KEY": "sk-very secret\nkey",
    "OPENAI_BASE_URL": "ftp://user:secret@upstream/",
    "PORT": "99999",
    "QUEUE_URL": "amqp://u:secret@queue",
    "ARCHIVE": "perhaps",
    "CHATKIT_DEADLINE": "soon",
    "BEHIND_PROXY": "sometimes",
    "SECRET_KEY_FILE": "/nowhere/secret",
}


@pytest.mark.parametrize("name", [name for name in WRONG if name != "PORT"])
def test_a_setting_that_is_none(tmp_path: Path, name: str, seen: Seen) -> None:
    more = {} if name in {"OPENAI_API_KEY", "SECRET_KEY_FILE"} else {"SECRET_KEY": "of this test alone"}
    done = run(tmp_path, "-c", "import dashboard.settings", **({"OPENAI_API_KEY": "sk-x"} | more | {name: WRONG[name]}))
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert name in last
    assert "ImproperlyConfigured" in last
    assert "secret@" not in done.stderr
    assert "very secret" not in done.stderr
    seen(last.partition(": ")[2][:100])


def test_a_directory_that_cannot_be_written(tmp_path: Path, seen: Seen) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run(tmp_path / "file" / "data", "-c", "import dashboard.settings")
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert "DATA_DIR is" in last
    seen(last.partition(": ")[2][:100])


def test_a_port_that_is_taken(tmp_path: Path, seen: Seen) -> None:
    static = {"STATIC_ROOT": str(ROOT / "var" / "static")} if (ROOT / "var" / "static").is_dir() else {}
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as taken, log.open("wb") as out:
        port = str(taken.getsockname()[1])
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "PORT": port} | static
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "dashboard.wsgi"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            until(lambda: "already in use" in log.read_text())
        finally:
            process.terminate()
            assert process.wait(20) != 0
    assert port in log.read_text()
    assert "Traceback" not in log.read_text()
    seen("says which address is in use, and ends")


@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_not_migrated(emulator: object, seen: Seen) -> None:
    client = Client(raise_request_exception=False)
    table, recorder = DeskSession._meta.db_table, MigrationRecorder(connection)
    newest = MigrationLoader(connection).graph.leaf_nodes("accounts")[0]
    recorder.record_unapplied(*newest)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO of_another_version")
    try:
        client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
        response = client.get("/threads/")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE of_another_version RENAME TO {table}")
        recorder.record_applied(*newest)
    text = response.content.decode()
    assert response.status_code == 503
    assert "The database is not set up" in text
    assert "manage.py migrate" in text
    assert "no such table" not in text
    seen("503: the database is not set up; run “python manage.py migrate”")
