"""Draws part after part, within bounds that no widget can exceed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from threads.rendering.page_budget import Allowance

from .props import Props, every_part, parts, plain, short, words
from .tree import Node, Widget

MOST_PARTS = 2_000
"""Components, options and rows of charts in one widget. A person's widget has fifty."""

MOST_LEVELS = 30

MOST_CHARACTERS = 20_000
"""Characters of one text."""

MOST_IN_ALL = 200_000
"""Characters of all texts, after which each gets no more than `SCRAPS`."""

SCRAPS = 100

Component = Callable[["Drawing", Props], Node | None]


class Drawing:
    """One widget while it is drawn: what may still be drawn of it, and what its fields are called."""

    def __init__(self, root: object, components: Mapping[str, Component], allowance: Allowance) -> None:
        self._root, self._components, self.allowance = root, components, allowance
        self._left, self._level = min(MOST_PARTS, max(0, allowance.parts)), 1
        self._characters = min(MOST_IN_ALL, max(0, allowance.characters))
        self._labels: dict[str, str] = {}
        self._undrawn = 0
        for each in every_part(root):
            self._undrawn += 1
            props = Props(each)
            if props.get("type") == "Label":
                self._labels.setdefault(props.text("fieldName"), props.text("value"))

    def widget(self) -> Widget:
        self.take(1)
        root = self._part(self._root) or Node("group")
        return Widget(root, _more(self._undrawn, "part", "parts") if self._undrawn else None)

    def children(self, props: Props) -> tuple[Node, ...]:
        """The children of a component, as far as there is room for them."""
        if self._level >= MOST_LEVELS:
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
        """How many of so many things there is still room for."""
        granted = min(wanted, self._left)
        self._left -= granted
        self.allowance.parts -= granted
        return granted

    def say(self, text: str) -> str:
        """A text to be shown. Where it has no end it is cut, and says so."""
        shown, rest = self.cut(text)
        return f"{shown} {rest}" if rest else shown

    def cut(self, text: str) -> tuple[str, str]:
        """As much of a text as there is room for, and a sentence on what is left out, if anything is."""
        most = min(MOST_CHARACTERS, max(self._characters, SCRAPS))
        shown = text[:most]
        self._characters -= len(shown)
        self.allowance.characters -= len(shown)
        if len(text) <= most:
            return shown, ""
        return shown, f"… (the first {most:,} of {len(text):,} characters; all of them are in the JSON below)"

    def field_name(self, props: Props, *others: str) -> str:
        """What a field is called: by its label, else by the first of these that is not empty."""
        name = props.text("name")
        candidates = (self._labels.get(name, "") if name else "", *others)
        return plain(short(next((each for each in candidates if each.strip()), "Field")))

    def _part(self, raw: object) -> Node | None:
        self._undrawn -= 1
        if not isinstance(raw, dict):
            return Node("text", "w-text", self.say(words(raw)))
        props = Props(raw)
        name = props.text("type")
        component = self._components.get(name)
        return component(self, props) if component else self._unknown(name, props)

    def _unknown(self, name: str, props: Props) -> Node:
        title = Node(
            "text", "w-note", f"Unknown part: {self.say(name)}" if name else "A part that does not say what it is"
        )
        return Node("group", "w-unknown", children=(title, *self.children(props)))


def note(text: str) -> Node:
    """A sentence of ours about the widget, which no stranger wrote."""
    return Node("text", "w-note", text)


def more(count: int, one: str, many: str) -> Node:
    """A note on so many things that there is no room for."""
    return note(_more(count, one, many))


def _more(count: int, one: str, many: str) -> str:
    if count == 1:
        return f"… 1 more {one} is not drawn; it is in the JSON below"
    return f"… {count:,} more {many} are not drawn; they are in the JSON below"
