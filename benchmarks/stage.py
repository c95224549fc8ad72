"""The environment of the benchmarks: servers, number of runs, and expected rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

from benchmarks import serving
from benchmarks.load import Load, MeasuredPage, few, load
from benchmarks.serving import Served
from benchmarks.upstream import world
from threads.emulator import Emulator

ValueT = TypeVar("ValueT")
MANY, SOME = 1_000_000, 5000


class Stage:
    """Starts new servers for each part.

    With `small`, all parts share servers of one process each, an upstream without latency, and few runs: a smoke test
    of the benchmarks in seconds.
    """

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

    def load(self, served: Served, request: MeasuredPage, *, clients: int, seconds: float, think: bool = False) -> Load:
        if self.small:
            return few(served, request)
        return load(served, request, clients=clients, seconds=seconds, think=think)

    def ids(self, number: int, threads: int = MANY, begin: int = 0) -> list[str]:
        """The ids of `number` of the newest threads of an upstream with `threads` threads, from position `begin` on."""
        return list(itertools.islice(self.world(threads).thread_ids(), begin, begin + number))

    def world(self, threads: int = MANY) -> Emulator:
        """An emulator with the data of the upstream, in this process."""
        return _world(self.pick(threads, SOME))

    @contextmanager
    def _one(self, name: str, make: Callable[[], AbstractContextManager[ValueT]]) -> Iterator[ValueT]:
        if not self.small:
            with make() as server:
                yield server
            return
        if name not in self._shared:
            self._shared[name] = self._stack.enter_context(make())
        yield self._shared[name]


_world = cache(world)
