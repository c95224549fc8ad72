"""Settings from the environment, and the sentences for those that do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard import env

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("value", ["x", "0", "-1", "301", "nan", "inf", "1e999"])
def test_seconds_out_of_range(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("T", value)
    with pytest.raises(ImproperlyConfigured, match="T is .* it takes seconds"):
        env.seconds("T", 20, most=300)


@pytest.mark.parametrize("value", ["x", "0", "1.5", "99"])
def test_whole_out_of_range(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("T", value)
    with pytest.raises(ImproperlyConfigured, match="whole number from 1 to 9"):
        env.integer("T", 5, least=1, most=9)


@pytest.mark.parametrize(
    "value", ["api.openai.com", "ftp://x/", "http://", "http://u:p@x/v1", "http://x/?a=b", "http://[x"]
)
def test_addresses_that_are_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("T", value)
    with pytest.raises(ImproperlyConfigured, match="T takes an address") as caught:
        env.url("T")
    assert "u:p" not in str(caught.value)


def test_values_that_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("T", " 2.5 ")
    assert env.seconds("T", 20, most=300) == 2.5
    monkeypatch.setenv("T", "on")
    assert env.flag("T")
    monkeypatch.setenv("T", "a, b ,")
    assert env.comma_separated("T", []) == ["a", "b"]
    monkeypatch.setenv("T", "http://127.0.0.1:8100/v1/")
    assert env.url("T") == "http://127.0.0.1:8100/v1"
    monkeypatch.setenv("T", "  ")
    assert env.text("T") is None
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("T_FILE", str(tmp_path / "secret"))
    assert env.secret("T") == "from a file"
    monkeypatch.setenv("T", "itself")
    assert env.secret("T") == "itself"


def test_a_secret_that_is_empty_or_no_header_is_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    monkeypatch.setenv("T_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match="empty"):
        env.secret("T")
    for value in ("sk-…", "sk-a b", "sk-a\nb"):
        monkeypatch.setenv("T", value)
        with pytest.raises(ImproperlyConfigured, match="no API key has") as caught:
            env.header_secret("T")
        assert value not in str(caught.value)


def test_a_data_directory_is_made_where_it_can_be(tmp_path: Path) -> None:
    env.make_directory("T", tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match="T is .*cannot be made"):
        env.make_directory("T", tmp_path / "file" / "b")


def test_flags_and_files_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "maybe")
    with pytest.raises(ImproperlyConfigured, match="1 or 0"):
        env.flag("T")
    monkeypatch.setenv("T", "")
    monkeypatch.setenv("T_FILE", "/nowhere/at/all")
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        env.secret("T")


SECRETS = {
    "DATABASE_URL": ("postgres://desk:s3cr3t-pw@db.example/desk", "postgres://desk:s3cr3t-pw@db.example:port/desk"),
    "QUEUE_URL": ("redis://:s3cr3t-pw@queue.example", "amqp://:s3cr3t-pw@queue.example"),
    "CHATKIT_PROXY": ("http://desk:s3cr3t-pw@proxy.example:3128", "http://desk:s3cr3t-pw@proxy.example:3128/path"),
    "SECRET_KEY_FALLBACKS": ("s3cr3t-pw-of-last-year\ns3cr3t-pw-of-before", ""),
    "OIDC_CLIENT_SECRET": ("s3cr3t-pw", ""),
}
"""A variable, a value that fits, and one that does not."""


def test_whatever_holds_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    files = {}
    for name, (value, _) in SECRETS.items():
        (tmp_path / name).write_text(value + "\n")
        files[f"{name}_FILE"] = str(tmp_path / name)
    shown = "import dashboard.settings as s; print(s.DATABASES['default']['PASSWORD'], s.QUEUE_URL, s.CHATKIT_PROXY)"
    shown += "; print(*s.SECRET_KEY_FALLBACKS, s.OIDC_CLIENT_SECRET)"
    done = start(tmp_path, "-c", shown, OIDC_ISSUER="https://sso.example", OIDC_CLIENT_ID="desk", **files)
    values = [value for name, (value, _) in SECRETS.items() if name != "DATABASE_URL"]
    assert done.stdout.split() == ["s3cr3t-pw", *" ".join(values).split()], done.stderr


@pytest.mark.parametrize(
    "settings",
    [
        *({name: wrong} for name, (_, wrong) in SECRETS.items() if wrong),
        {"DATABASE_URL": "nosql://desk:s3cr3t-pw@db.example"},
        {"DATABASE_URL": "postgres://desk:s3cr3t-pw/more@db.example:x"},
        {"DATABASE_URL": "postgres://desk:[s3cr3t-pw@db.example"},
        {"OIDC_CLIENT_SECRET": "s3cr3t-pw", "OIDC_ISSUER": "https://sso.example"},
        {"OIDC_CLIENT_SECRET": "s3cr3t-pw", "OIDC_ISSUER": "http://sso.example"},
        {"OIDC_CLIENT_SECRET": "s3cr3t-pw", "LOCAL_PASSWORDS": "0"},
    ],
)
def test_a_value_that_does_not_fit_is_not_shown(tmp_path: Path, settings: dict[str, str]) -> None:
    done = start(tmp_path, "-c", "import dashboard.settings", **settings)
    assert done.returncode != 0
    assert "ImproperlyConfigured: " in done.stderr
    assert "s3cr3t" not in done.stderr


def start(tmp_path: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs Python in an environment that holds nothing of ours but `variables`."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    variables = {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(tmp_path)} | variables
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_production_demands_a_secret_key_and_shows_no_key(tmp_path: Path) -> None:
    done = start(tmp_path, "-c", "import django; django.setup()", OPENAI_API_KEY="sk-very-secret")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
    assert "sk-very-secret" not in done.stderr


def test_production_settings_are_safe(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        *["manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        OPENAI_API_KEY="sk-x",
        SECRET_KEY="0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV",
        BEHIND_PROXY="1",
        ALLOWED_HOSTS="desk.example",
    )
    assert done.returncode == 0, done.stderr


POSTGRES = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")


@pytest.mark.slow
@pytest.mark.postgres
def test_the_desk_runs_on_postgresql(tmp_path: Path) -> None:
    import psycopg

    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as connection:
            connection.execute("DROP DATABASE IF EXISTS threadkeeper_test_start")
            connection.execute("CREATE DATABASE threadkeeper_test_start")
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL at {POSTGRES}: start one, or name one in TEST_POSTGRES ({error})")
    address = POSTGRES.rsplit("/", 1)[0] + "/threadkeeper_test_start"
    program = (
        "import django; django.setup()\n"
        "from django.core.management import call_command; call_command('migrate', verbosity=0)\n"
        "from django.test import Client\n"
        "client = Client(headers={'Host': '127.0.0.1'})\n"
        "assert client.post('/sign-in/demo/').status_code == 302\n"
        "from django.db import connection; print(connection.vendor)\n"
        "import threads.service\n"
        "from threads.sources.query import ThreadQuery\n"
        "print(len(threads.service.list_threads(ThreadQuery()).window.rows))\n"
    )
    done = start(tmp_path, "-c", program, DATABASE_URL=address)
    assert done.stdout.split() == ["postgresql", "20"], done.stderr
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute("DROP DATABASE threadkeeper_test_start WITH (FORCE)")
