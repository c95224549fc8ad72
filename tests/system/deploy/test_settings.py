"""The settings: named in the README, and none of them dropped on the way into a container."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from dashboard.monitoring import heartbeat
from tests.system.deploy import settings
from tests.system.deploy.settings import DEPLOY, README
from threads.archive.sync import lease
from threads.jobs import job

FILES = ["one", "many"]
ENV_FILE = DEPLOY / "threadkeeper.env"
CONTAINERS = {"DATA_DIR", "HOST", "PORT", "ERASURES_FILE"}
"""What a container decides, whatever the file of settings says; and the server leaves the work to the workers."""


@cache
def compose(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name / "compose.yaml").read_text(encoding="utf-8"))
    return found


def ours(name: str) -> dict[str, Any]:
    """The services that run this image."""
    return {name: each for name, each in compose(name)["services"].items() if "build" in each}


def test_the_readmes_table_has_every_setting_that_is_read() -> None:
    assert settings.documented() == settings.read() - {"DJANGO_SETTINGS_MODULE"}
    assert settings.documented_secrets() == settings.secrets()


@pytest.mark.parametrize("name", FILES)
def test_a_compose_file_is_one(name: str) -> None:
    """By the schema of the Compose Specification, which is kept beside this file as it was published."""
    schema = json.loads(Path(__file__).with_name("compose.schema.json").read_text(encoding="utf-8"))
    found = compose(name)
    assert [error.message for error in Draft7Validator(schema).iter_errors(found)] == []
    for each in found["services"].values():
        assert set(each.get("depends_on", ())) <= set(found["services"])
        for volume in each.get("volumes", ()):
            source = volume.split(":")[0]
            kept = source in found["volumes"]
            assert kept or source.startswith("../secrets") or (DEPLOY / name / source).is_file(), source


@pytest.mark.parametrize("name", FILES)
def test_every_setting_reaches_every_container(name: str) -> None:
    services = ours(name)
    assert set(services) == ({"threadkeeper"} if name == "one" else {"web", "worker", "migrate"})
    for service, each in services.items():
        assert (DEPLOY / name / each["env_file"]).resolve() == ENV_FILE
        dropped = settings.documented() & set(each["environment"]) - CONTAINERS
        assert dropped == ({"WORKER"} if service == "web" else set()), f"{service} drops what the file says of these"


@pytest.mark.parametrize("name", FILES)
def test_the_erasures_file_is_one_for_all_containers_and_outlives_them(name: str) -> None:
    """And lies beside the database's volume, not in it: it is no use where both are lost, or put back, together."""
    for each in ours(name).values():
        path = PurePosixPath(each["environment"]["ERASURES_FILE"])
        mounts = dict(reversed(volume.split(":")[:2]) for volume in each["volumes"] if not volume.endswith(":ro"))
        assert mounts[str(path.parent)] in compose(name)["volumes"]
        assert str(path.parent) != each["environment"]["DATA_DIR"]
        assert str(path) == "/kept/erasures.jsonl"
    text = " ".join((DEPLOY / "README.md").read_text(encoding="utf-8").split())
    shared = text.partition("They share one PostgreSQL")[2].partition("One worker syncs at a time")[0]
    assert "`ERASURES_FILE`" in shared


def test_the_example_has_settings_that_there_are() -> None:
    lines = (DEPLOY / "threadkeeper.env.example").read_text(encoding="utf-8").splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert {"OPENAI_API_KEY_FILE", "SECRET_KEY_FILE", "ALLOWED_HOSTS", "BEHIND_PROXY"} <= names
    assert names <= settings.documented() | {f"{each}_FILE" for each in settings.secrets()}


def test_the_proxy_is_the_only_way_in() -> None:
    found = {name: each.get("ports") for name, each in compose("many")["services"].items() if "ports" in each}
    assert found == {"proxy": ["80:80", "443:443"]}
    assert compose("one")["services"]["threadkeeper"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "deploy/" in README


def test_the_times_until_a_worker_takes_over_are_said_as_they_are() -> None:
    text = " ".join((DEPLOY / "README.md").read_text(encoding="utf-8").split())
    assert f"the sync {lease.LENGTH.total_seconds():.0f} seconds after its last heartbeat" in text
    assert f"exports and erasures after {job.LEASE.total_seconds():.0f} seconds or three times" in text
    assert f"dead after {heartbeat.DEAD_AFTER.total_seconds():.0f} seconds without a heartbeat" in text
