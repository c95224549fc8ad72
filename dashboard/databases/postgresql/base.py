"""Database backend: Django's for PostgreSQL, with `Pool` instead of psycopg_pool's."""

from __future__ import annotations

from typing import Any, ClassVar

import psycopg
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base

from .pool import Pool


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes the arguments of `Pool` from OPTIONS["pool"]. Without them, each connection is opened and closed by
    itself."""

    _connection_pools: ClassVar[dict[str, Pool]]

    @property
    def pool(self) -> Pool | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        if self.alias not in self._connection_pools:
            self._connection_pools.setdefault(self.alias, Pool(self._connect, **options))
        return self._connection_pools[self.alias]

    def _connect(self) -> psycopg.Connection[Any]:
        """A new connection, configured by Django."""
        connection: psycopg.Connection[Any] = psycopg.connect(**self.get_connection_params(), autocommit=True)
        self._configure_connection(connection)  # type: ignore[attr-defined]  # unknown to its stubs
        return connection
