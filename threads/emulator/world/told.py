"""A conversation that was given to a thread, in place of the one the world computes."""

from collections.abc import Callable
from functools import cached_property

from .conversation import Json


class Told:
    """Items as the API shows them, oldest first; `make` is called when they are first asked for."""

    def __init__(self, make: Callable[[], list[Json]]) -> None:
        self._make = make

    @cached_property
    def items(self) -> list[Json]:
        """The items. To be read only: the list is shared."""
        return self._make()

    @cached_property
    def places(self) -> dict[str, int]:
        """The position of each item by its id, which may be any text."""
        return {item["id"]: position for position, item in enumerate(self.items)}
