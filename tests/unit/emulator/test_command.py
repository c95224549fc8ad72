"""`manage.py emulator`: what it says, what it serves, what it refuses."""

from io import StringIO
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from tests.support.calls import HEADERS
from threads.emulator import Emulator
from threads.management.commands.emulator import Command


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, seconds: int = 1) -> tuple[str, list[requests.Response]]:
    """Runs the command until Ctrl-C is pressed after `seconds` sleeps; what it wrote, what it answered."""
    out, answers = StringIO(), []
    sleeps: list[float] = []

    def sleep(length: float) -> None:
        sleeps.append(length)
        if len(sleeps) > seconds:
            address = out.getvalue().partition("OPENAI_BASE_URL=")[2].split()[0]
            answers.append(requests.get(f"{address}/chatkit/threads?limit=100", headers=HEADERS, timeout=5))
            raise KeyboardInterrupt

    monkeypatch.setattr("threads.management.commands.emulator.time.sleep", sleep)
    call_command(Command(), "--port=0", *arguments, stdout=out)
    return out.getvalue(), answers


def test_it_serves_and_says_how_to_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said, [answer] = run(monkeypatch, "--threads=12")
    assert len(answer.json()["data"]) == 12
    assert "with 12 threads" in said
    assert "OPENAI_API_KEY=sk-anything" in said
    assert "Stopped." in said
    with pytest.raises(requests.ConnectionError):
        requests.get(answer.url, timeout=5)


def test_options_reach_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    said, [answer] = run(monkeypatch, "--threads=12", "--key=sk-mine")
    assert answer.status_code == 401
    assert "OPENAI_API_KEY=sk-mine" in said
    said, [answer] = run(monkeypatch, "--fault=gone-410", "--before=older", "--has-more=order", "--latency-ms=1")
    assert answer.status_code == 410
    assert "gone-410" in said


@pytest.mark.parametrize(("flags", "shown"), [((), True), (("--no-showcase",), False)])
def test_the_showcase_can_be_left_out(monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], shown: bool) -> None:
    _, [answer] = run(monkeypatch, "--threads=12", *flags)
    assert ("Every kind of item" in {row["title"] for row in answer.json()["data"]}) is shown


def test_threads_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    _, [answer] = run(monkeypatch, "--threads=5", "--arrive-every=0.5", seconds=3)
    assert len(answer.json()["data"]) == 8


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--fault=unheard-of", "'unheard-of' is none of: wrong-key, "),
        ("--before=after", "'after' is none of: adjacent, first, older"),
        ("--has-more=yes", "'yes' is none of: direction, order"),
        ("--threads=-1", "-1 is not from 0 to"),
        ("--threads=lots", "'lots' is not a number"),
        ("--latency-ms=nan", "nan is not from 0 to"),
    ],
)
def test_wrong_options_are_explained(argument: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command(Command(), argument)


def test_an_address_in_use_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("threads.management.commands.emulator.EmulatorServer", refuse)
    with pytest.raises(CommandError, match=r"Cannot listen at 127\.0\.0\.1:8100: Address already in use"):
        call_command(Command())


def test_it_needs_no_database() -> None:
    assert Command.requires_system_checks == ()
    assert Emulator(1).users()
