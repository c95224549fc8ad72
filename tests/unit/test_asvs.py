"""docs/asvs.md and SECURITY.md: every requirement once, and no test that does not exist."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password

ROOT = Path(__file__).resolve().parents[2]

LEVELS = {
    1: "1.2.1-5 1.3.1-2 1.5.1 2.1.1 2.2.1-2 2.3.1 3.2.1-2 3.3.1 3.4.1-2 3.5.1-3 4.1.1 4.4.1 5.2.1-2 5.3.1-2 "
    "6.1.1 6.2.1-8 6.3.1-2 6.4.1-2 7.2.1-4 7.4.1-2 8.1.1 8.2.1-2 8.3.1 9.1.1-3 9.2.1 10.4.1-5 11.3.1-2 "
    "11.4.1 12.1.1 12.2.1-2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1",
    2: "1.1.1-2 1.2.6-9 1.3.3-11 1.4.1-3 1.5.2 2.1.2-3 2.2.3 2.3.2-4 2.4.1 3.3.2-4 3.4.3-6 3.5.4-5 3.7.1-2 "
    "4.1.2-3 4.2.1 4.3.1-2 4.4.2-4 5.1.1 5.2.3 5.4.1-3 6.1.2-3 6.2.9-12 6.3.3-4 6.4.3-4 6.5.1-5 6.6.1-3 "
    "6.8.1-4 7.1.1-3 7.3.1-2 7.4.3-5 7.5.1-2 7.6.1-2 8.1.2 8.2.3 8.4.1 9.2.2-4 10.1.1-2 10.2.1-2 10.3.1-4 "
    "10.4.6-11 10.5.1-5 10.6.1-2 10.7.1-3 11.1.1-2 11.2.1-3 11.3.3 11.4.2-4 11.5.1 11.6.1 12.1.2-3 "
    "12.3.1-4 13.1.1 13.2.1-5 13.3.1-2 13.4.2-5 14.1.1-2 14.2.2-4 14.3.2-3 15.1.2-3 15.2.2-3 15.3.2-7 "
    "16.1.1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3 17.1.1 17.2.1-4 17.3.1-2",
}
"""The numbers of version 5.0.0 by level, "5-8" for 5 to 8."""


def numbers(level: int) -> set[str]:
    found = set()
    for word in LEVELS[level].split():
        section, _, last = word.rpartition(".")
        first, _, to = last.partition("-")
        found |= {f"{section}.{number}" for number in range(int(first), int(to or first) + 1)}
    return found


def test_every_requirement_stands_there_once_with_its_level() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    named: Counter[str] = Counter()
    for line in re.findall(r"^\| (v5\.0\.0-[^|]+) \| ([12]) \|", text, re.MULTILINE):
        each = re.findall(r"v5\.0\.0-([\d.]+)", line[0])
        assert set(each) <= numbers(int(line[1])), line
        named.update(each)
    assert (len(numbers(1)), len(numbers(2))) == (70, 183)
    assert set(named) == numbers(1) | numbers(2)
    assert max(named.values()) == 1


@pytest.mark.parametrize("file", ["docs/asvs.md", "SECURITY.md"])
def test_no_test_is_named_that_does_not_exist(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", text)
    assert named
    for path, name in named:
        place = next((each for each in (ROOT / "tests" / path, ROOT / path) if each.is_file()), None)
        assert place is not None, f"{file} names {path}, which is not there"
        if name:
            defined = re.search(rf"^def {name}\(", place.read_text(encoding="utf-8"), re.MULTILINE)
            assert defined, f"{path} has no {name}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "password",
    ["x y" * 70, "пароль и ещё слово", "ALL CAPITALS!", " edges matter here ", "🔑" * 64],
    ids=lambda value: ascii(value[:9]),
)
def test_a_password_may_be_of_any_kind_and_length(password: str, settings: Any) -> None:
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS[:1]
    validate_password(password)
    kept = make_password(password)
    assert check_password(password, kept)
    for other in (password[:72], password.strip(), password.lower(), password + " "):
        assert check_password(other, kept) is (other == password)
