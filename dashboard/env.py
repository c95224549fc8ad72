"""Typed readers of environment variables. A value that does not fit stops the start with a sentence that says why."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import overload
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}


@overload
def text(name: str, default: str) -> str: ...
@overload
def text(name: str, default: None = None) -> str | None: ...
def text(name: str, default: str | None = None) -> str | None:
    """The value without space around it; `default` where it is unset or blank."""
    return os.environ.get(name, "").strip() or default


def secret(name: str) -> str | None:
    """The value of `name`, or the content of the file that `name`_FILE names, as platforms hand over secrets."""
    value, path = text(name), text(f"{name}_FILE")
    if value is not None or path is None:
        return value
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error}") from error
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which is empty.")
    return value


def secrets(name: str) -> list[str]:
    """Several of them, with space or a new line between."""
    return (secret(name) or "").split()


def key(name: str) -> str | None:
    """A secret that can stand in an HTTP header."""
    value = secret(name)
    if value is not None and not (value.isascii() and value.isprintable() and " " not in value):
        raise ImproperlyConfigured(
            f"{name} holds characters that no API key has. Copy it anew, without what is around."
        )
    return value


def directory(name: str, path: Path) -> None:
    """Makes the directory that the variable `name` chose, if it is not there, for this account alone."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name} is {path}, which cannot be made: {error}") from error


def flag(name: str, *, default: bool = False) -> bool:
    value = (text(name) or "").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if value:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes 1 or 0.")
    return default


def whole(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name)
    try:
        number = default if value is None else int(value)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes a whole number from {least} to {most}.")
    return number


def seconds(name: str, default: float, *, most: float) -> float:
    value = text(name)
    try:
        number = default if value is None else float(value)
    except ValueError:
        number = math.nan
    if not 0 < number <= most:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes seconds, more than 0 and at most {most:g}.")
    return number


def choice(name: str, default: str, choices: list[str]) -> str:
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes {', '.join(choices[:-1])} or {choices[-1]}.")
    return value


def words(name: str, default: list[str]) -> list[str]:
    """The parts between commas."""
    value = text(name)
    return default if value is None else [part.strip() for part in value.split(",") if part.strip()]


@overload
def address(name: str, default: str) -> str: ...
@overload
def address(name: str, default: None = None) -> str | None: ...
def address(name: str, default: str | None = None) -> str | None:
    """An http or https address without credentials, query or fragment, and without a slash at the end."""
    value = text(name, default or "")
    if not value:
        return None
    parts = _http(value)
    if parts is None or parts.username or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} takes an address such as https://api.openai.com/v1, with no more in it.")
    return value.rstrip("/")


def proxy(name: str) -> str | None:
    """The address of a proxy, which may hold an account and its password; it may come from a file."""
    value = secret(name)
    if value is None:
        return None
    parts = _http(value)
    if parts is None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"{name} takes the address of a proxy, such as http://proxy:3128 or http://user:password@proxy:3128. "
            "Characters such as @, / and # in a password are written as %40, %2F and %23."
        )
    return value.rstrip("/")


def issuer(name: str) -> str | None:
    """The address of an identity provider. What it says is believed, so it has to be https, but on this machine."""
    value = address(name)
    if value is not None and value.startswith("http:") and urlsplit(value).hostname not in _THIS_MACHINE:
        raise ImproperlyConfigured(f"{name} takes an address that begins with https://.")
    return value


def _http(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        right = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1)
    except ValueError:
        return None
    return parts if right else None


def queue(name: str) -> str | None:
    """The address of a queue in PostgreSQL or Redis, which may come from a file; None for a queue in SQLite."""
    value = secret(name)
    if value is None:
        return None
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        scheme = ""
    # It may hold a password, so the sentence leaves it out.
    if scheme not in {"postgres", "postgresql", "redis", "rediss"}:
        raise ImproperlyConfigured(f"{name} takes an address that begins with postgres:// or redis://, or none.")
    return value
