"""Where work for the background waits: in a file, or in PostgreSQL or Redis for machines that share it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from huey import PostgresHuey, RedisHuey, SqliteHuey
from huey.exceptions import ConfigurationError
from huey.serializer import SignedSerializer

from dashboard import env

NAME = "threadkeeper"


class QueueError(Exception):
    """The queue can't be reached. The text says why, for the log."""


@cache
def huey() -> Any:
    """The queue that the settings name; without one, a file in DATA_DIR."""
    # Tasks are pickled. Signed, so that who can write to the queue can still not run what they like.
    how = {"results": False, "serializer": SignedSerializer(secret=settings.SECRET_KEY)}
    url = settings.QUEUE_URL
    if url is None:
        directory = Path(settings.DATA_DIR)
        env.directory("DATA_DIR", directory)
        return SqliteHuey(NAME, filename=str(directory / "queue.sqlite3"), timeout=20, **how)
    if url.startswith("postgres"):
        return PostgresHuey(NAME, dsn=url, **how)
    try:
        return RedisHuey(NAME, url=url, **how)
    except ConfigurationError as error:
        raise ImproperlyConfigured(
            "QUEUE_URL names Redis, which needs the package redis: pip install 'threadkeeper[redis]'."
        ) from error


@contextmanager
def reached() -> Iterator[None]:
    """For handing work to the queue: loading the tasks reaches for it, so that stands in here too. Raises `QueueError`
    where it can't be reached."""
    try:
        yield
    except _faults() as error:
        raise QueueError(str(error)) from error


def _faults() -> tuple[type[Exception], ...]:
    faults: tuple[type[Exception], ...] = (OSError, sqlite3.Error, psycopg.Error)
    try:
        from redis import RedisError  # noqa: PLC0415
    except ImportError:
        return faults
    return (*faults, RedisError)
