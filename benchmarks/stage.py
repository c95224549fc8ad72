"""Where the parts are measured: the servers they need, how often they measure, and the rows that have to come."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

from threads.emulator import Emulator

from . import serving
from .load import Asked, Load, few, load
from .serving import Served
from .upstream import world

ValueT = TypeVar("ValueT")
MANY, SOME = 1_000_000, 5000


class Stage:
    """Each part has servers of its own. Where `small`, all parts have the same ones, of a process each and with an
    upstream that answers at once, and measure a few times: that shows in seconds that each measures what it says."""

    def __init__(self, data: Path, *, small: bool = False) -> None:
        self.data, self.small = data, small
        self.rounds = self.pick(3, 1)
        self._stack = ExitStack()
        self._shared: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def pick(self, full: ValueT, small: ValueT) -> ValueT:
        return small if self.small else full

    def upstream(self, latency_ms: float, threads: int = MANY) -> AbstractContextManager[str]:
        latency_ms, threads = self.pick((latency_ms, threads), (0, SOME))
        return self._one("upstream", lambda: serving.upstream(latency_ms, threads))

    def desk(self, base_url: str) -> AbstractContextManager[Served]:
        return self._one("desk", lambda: serving.desk(base_url, self.data, workers=self.pick(serving.WORKERS, 1)))

    def baseline(self, base_url: str) -> AbstractContextManager[Served]:
        return self._one(
            "baseline", lambda: serving.baseline(base_url, self.data, workers=self.pick(serving.WORKERS, 1))
        )

    def load(self, served: Served, asked: Asked, *, clients: int, seconds: float, think: bool = False) -> Load:
        if self.small:
            return few(served, asked)
        return load(served, asked, clients=clients, seconds=seconds, think=think)

    def ids(self, number: int, threads: int = MANY, begin: int = 0) -> list[str]:
        """The ids of the newest threads of an upstream with so many; `begin` is how many come before them."""
        return list(itertools.islice(self.world(threads).thread_ids(), begin, begin + number))

    def world(self, threads: int = MANY) -> Emulator:
        """What is in the upstream, here."""
        return _world(self.pick(threads, SOME))

    @contextmanager
    def _one(self, name: str, make: Callable[[], AbstractContextManager[ValueT]]) -> Iterator[ValueT]:
        if not self.small:
            with make() as made:
                yield made
            return
        if name not in self._shared:
            self._shared[name] = self._stack.enter_context(make())
        yield self._shared[name]


_world = cache(world)
