"""Databases of the PostgreSQL and Redis servers that TEST_POSTGRES and TEST_REDIS name."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis

POSTGRES = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379")


def absent(why: str) -> None:
    """Skips the test, which fails it with CI=true. `why` says what to install."""
    pytest.skip(why)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a new PostgreSQL database."""
    name = f"queue_{uuid.uuid4().hex}"
    try:
        server = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.Error as error:
        absent(f"no PostgreSQL at {POSTGRES}: start one, or name one in TEST_POSTGRES ({error})")
    with server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield POSTGRES.rsplit("/", 1)[0] + "/" + name
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of the server's last Redis database, emptied."""
    url = f"{REDIS}/15"
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:
        absent(f"no Redis at {REDIS}: apt-get install redis-server, or name one in TEST_REDIS ({error})")
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        try:
            yield url
        finally:
            client.flushdb()
