"""Converts a widget's JSON to nodes, within the bounds of one widget and the budget of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from threads.rendering.page_budget import PageBudget

from .props import Props, every_part, parts, plain, short, words
from .tree import Node, WidgetTree

MAX_PARTS = 2_000
"""Components, options and chart rows of one widget. A usual widget has fifty."""

MAX_LEVELS = 30
"""Levels of nested components."""

MAX_CHARACTERS = 20_000
"""Characters of one text."""

MAX_TOTAL_CHARACTERS = 200_000
"""Characters of all texts together, after which each text is cut to `MIN_CHARACTERS`."""

MIN_CHARACTERS = 100

Component = Callable[["Drawing", Props], Node | None]


class Drawing:
    """One widget while it is converted: the remaining budget, and the labels of its fields."""

    def __init__(self, root: object, components: Mapping[str, Component], budget: PageBudget) -> None:
        self._root, self._components, self.budget = root, components, budget
        self._left, self._level = min(MAX_PARTS, max(0, budget.parts)), 1
        self._characters = min(MAX_TOTAL_CHARACTERS, max(0, budget.characters))
        self._labels: dict[str, str] = {}
        self._undrawn = 0
        for each in every_part(root):
            self._undrawn += 1
            props = Props(each)
            if props.get("type") == "Label":
                self._labels.setdefault(props.text("fieldName"), props.text("value"))

    def widget(self) -> WidgetTree:
        """The whole widget, with a note on parts that did not fit."""
        self.take(1)
        root = self._part(self._root) or Node("group")
        return WidgetTree(root, _more(self._undrawn, "part", "parts") if self._undrawn else None)

    def children(self, props: Props) -> tuple[Node, ...]:
        """The children of a component, as many as fit."""
        if self._level >= MAX_LEVELS:
            return ()
        self._level += 1
        drawn = []
        for each in parts(props.get("children")):
            if not self.take(1):
                break
            drawn.append(self._part(each))
        self._level -= 1
        return tuple(node for node in drawn if node)

    def take(self, wanted: int) -> int:
        """How many of the `wanted` parts still fit; deducts them."""
        granted = min(wanted, self._left)
        self._left -= granted
        self.budget.parts -= granted
        return granted

    def text(self, text: str) -> str:
        """A text to show, cut with a note if it is too long."""
        shown, rest = self.cut(text)
        return f"{shown} {rest}" if rest else shown

    def cut(self, text: str) -> tuple[str, str]:
        """As much of a text as fits, and a note on what is left out, "" if nothing is."""
        most = min(MAX_CHARACTERS, max(self._characters, MIN_CHARACTERS))
        shown = text[:most]
        self._characters -= len(shown)
        self.budget.characters -= len(shown)
        if len(text) <= most:
            return shown, ""
        return shown, f"… (the first {most:,} of {len(text):,} characters; all of them are in the JSON below)"

    def field_name(self, props: Props, *others: str) -> str:
        """The accessible name of a field: its label, else the first of `others` that is not empty."""
        name = props.text("name")
        candidates = (self._labels.get(name, "") if name else "", *others)
        return plain(short(next((each for each in candidates if each.strip()), "Field")))

    def _part(self, raw: object) -> Node | None:
        self._undrawn -= 1
        if not isinstance(raw, dict):
            return Node("text", "w-text", self.text(words(raw)))
        props = Props(raw)
        name = props.text("type")
        component = self._components.get(name)
        return component(self, props) if component else self._unknown(name, props)

    def _unknown(self, name: str, props: Props) -> Node:
        title = Node(
            "text", "w-note", f"Unknown part: {self.text(name)}" if name else "A part that does not say what it is"
        )
        return Node("group", "w-unknown", children=(title, *self.children(props)))


def note(text: str) -> Node:
    """A note by the desk about the widget."""
    return Node("text", "w-note", text)


def more(count: int, one: str, many: str) -> Node:
    """A note on how many things are left out."""
    return note(_more(count, one, many))


def _more(count: int, one: str, many: str) -> str:
    if count == 1:
        return f"… 1 more {one} is not drawn; it is in the JSON below"
    return f"… {count:,} more {many} are not drawn; they are in the JSON below"
