"""Where work for the background waits: in a file, or in PostgreSQL or Redis for machines that share it."""

from __future__ import annotations

import sqlite3
import time
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


def made() -> Any:
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


def start_copying() -> None:
    """Has a worker copy everything, soon. Raises `QueueError`."""
    try:
        # The queue is reached when its tasks are loaded, and a page must not wait for that at its start.
        from . import tasks  # noqa: PLC0415

        tasks.sync_now(time.time())
    except _faults() as error:
        raise QueueError(str(error)) from error


def _faults() -> tuple[type[Exception], ...]:
    faults: tuple[type[Exception], ...] = (OSError, sqlite3.Error, psycopg.Error)
    try:
        from redis import RedisError  # noqa: PLC0415
    except ImportError:
        return faults
    return (*faults, RedisError)
