"""Typed readers of environment variables. A value that does not fit raises `ImproperlyConfigured`, which stops the
start."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import overload
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@overload
def text(name: str, default: str) -> str: ...
@overload
def text(name: str, default: None = None) -> str | None: ...
def text(name: str, default: str | None = None) -> str | None:
    """The stripped value; `default` if unset or blank."""
    return os.environ.get(name, "").strip() or default


def secret(name: str) -> str | None:
    """The value of `name`, or the content of the file named by `name`_FILE, as container platforms provide secrets."""
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


def secret_list(name: str) -> list[str]:
    """Several secrets, separated by whitespace."""
    return (secret(name) or "").split()


def header_secret(name: str) -> str | None:
    """A secret that is valid in an HTTP header."""
    value = secret(name)
    if value is not None and not (value.isascii() and value.isprintable() and " " not in value):
        raise ImproperlyConfigured(
            f"{name} holds characters that no API key has. Copy it anew, without what is around."
        )
    return value


def make_directory(name: str, path: Path) -> None:
    """Creates the directory `path`, set by the variable `name`, readable by this OS account only."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name} is {path}, which cannot be made: {error}") from error


def flag(name: str, *, default: bool = False) -> bool:
    """A boolean: 1/true/yes/on or 0/false/no/off."""
    value = (text(name) or "").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if value:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes 1 or 0.")
    return default


def integer(name: str, default: int, *, least: int, most: int) -> int:
    """An integer from `least` to `most`."""
    value = text(name)
    try:
        number = default if value is None else int(value)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes a whole number from {least} to {most}.")
    return number


def seconds(name: str, default: float, *, most: float) -> float:
    """Seconds, more than 0 and at most `most`."""
    value = text(name)
    try:
        number = default if value is None else float(value)
    except ValueError:
        number = math.nan
    if not 0 < number <= most:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes seconds, more than 0 and at most {most:g}.")
    return number


def choice(name: str, default: str, choices: list[str]) -> str:
    """One of `choices`."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes {', '.join(choices[:-1])} or {choices[-1]}.")
    return value


def comma_separated(name: str, default: list[str]) -> list[str]:
    """A comma-separated list, without empty parts."""
    value = text(name)
    return default if value is None else [part.strip() for part in value.split(",") if part.strip()]


@overload
def url(name: str, default: str) -> str: ...
@overload
def url(name: str, default: None = None) -> str | None: ...
def url(name: str, default: str | None = None) -> str | None:
    """An HTTP or HTTPS URL without credentials, query, fragment or trailing slash."""
    value = text(name, default or "")
    if not value:
        return None
    parts = _split_http(value)
    if parts is None or parts.username or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} takes an address such as https://api.openai.com/v1, with no more in it.")
    return value.rstrip("/")


def proxy_url(name: str) -> str | None:
    """The URL of a proxy, which may contain user and password, or come from a file."""
    value = secret(name)
    if value is None:
        return None
    parts = _split_http(value)
    if parts is None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"{name} takes the address of a proxy, such as http://proxy:3128 or http://user:password@proxy:3128. "
            "Characters such as @, / and # in a password are written as %40, %2F and %23."
        )
    return value.rstrip("/")


def issuer_url(name: str) -> str | None:
    """The URL of an identity provider: HTTPS, except on this machine, since what it says is trusted."""
    value = url(name)
    if value is not None and value.startswith("http:") and urlsplit(value).hostname not in _LOOPBACK:
        raise ImproperlyConfigured(f"{name} takes an address that begins with https://.")
    return value


def _split_http(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        right = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1)
    except ValueError:
        return None
    return parts if right else None


def queue_url(name: str) -> str | None:
    """The URL of a queue in PostgreSQL or Redis, which may come from a file; None for SQLite."""
    value = secret(name)
    if value is None:
        return None
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        scheme = ""
    # The value may contain a password, so the message leaves it out.
    if scheme not in {"postgres", "postgresql", "redis", "rediss"}:
        raise ImproperlyConfigured(f"{name} takes an address that begins with postgres:// or redis://, or none.")
    return value
