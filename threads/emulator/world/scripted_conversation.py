"""Scripted conversations, which replace the generated one of a thread."""

from collections.abc import Callable
from functools import cached_property

from .conversation import Json


class ScriptedConversation:
    """Items in the form of the API, oldest first. `make` is called on first access."""

    def __init__(self, make: Callable[[], list[Json]]) -> None:
        self._make = make

    @cached_property
    def items(self) -> list[Json]:
        """The items. The list is shared: do not change it."""
        return self._make()

    @cached_property
    def positions(self) -> dict[str, int]:
        """Item positions by id."""
        return {item["id"]: position for position, item in enumerate(self.items)}
