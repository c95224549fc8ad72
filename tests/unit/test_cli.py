"""The command `threadkeeper`: where the data and the secret key are."""

from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashboard import cli

_VARIABLES = ("DATA_DIR", "SECRET_KEY", "SECRET_KEY_FILE")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is taken for the repository, with none of the variables set."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "pyproject.toml").touch()
    monkeypatch.setattr(cli, "ROOT", root)
    for name in _VARIABLES:
        # First set, so that it is as before after the test, whatever `prepare` puts there.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    before = os.umask(0o022)
    os.umask(before)
    monkeypatch.setattr(os, "umask", lambda _mask: before)
    return root


def test_a_checkout_keeps_its_data_in_var(checkout: Path) -> None:
    cli.prepare(make_key=True)
    key = checkout / "var/secret_key"
    assert os.environ["DATA_DIR"] == str(checkout / "var")
    assert os.environ["SECRET_KEY_FILE"] == str(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) >= 50
    assert [each.name for each in key.parent.iterdir()] == ["secret_key"]


def test_an_installed_wheel_keeps_its_data_in_the_user_s_directory(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "pyproject.toml").unlink()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    cli.prepare(make_key=True)
    assert os.environ["DATA_DIR"].endswith("threadkeeper")
    assert Path(os.environ["SECRET_KEY_FILE"]) == Path(os.environ["DATA_DIR"]) / "secret_key"
    if sys.platform == "linux":
        assert os.environ["DATA_DIR"] == str(tmp_path / "share/threadkeeper")


def test_the_key_of_0_1_is_still_used_where_data_dir_is_elsewhere(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "var").mkdir()
    (checkout / "var/secret_key").write_text("of-before")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    cli.prepare(make_key=True)
    assert os.environ["SECRET_KEY_FILE"] == str(checkout / "var/secret_key")
    assert not (tmp_path / "data/secret_key").exists()


def test_a_key_of_one_s_own_is_left_alone(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "mine")
    cli.prepare(make_key=True)
    assert "SECRET_KEY_FILE" not in os.environ
    assert not (checkout / "var").exists()


def test_management_commands_make_no_key(checkout: Path) -> None:
    cli.prepare()
    assert "SECRET_KEY_FILE" not in os.environ
    assert not (checkout / "var").exists()


def test_of_several_that_start_at_once_all_take_the_same_key(checkout: Path) -> None:
    key = checkout / "var/secret_key"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cli._make_key(key), range(8)))
    first = key.read_text()
    cli._make_key(key)
    assert key.read_text() == first
    assert [each.name for each in key.parent.iterdir()] == ["secret_key"]


def test_a_relative_directory_holds_from_where_the_command_was_given(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", "here")
    cli.prepare()
    assert os.environ["DATA_DIR"] == str(tmp_path / "here")
