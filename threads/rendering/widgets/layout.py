"""Layout components: boxes, cards, lists, dividers."""

from __future__ import annotations

from .controls import push_button
from .drawing import Component, Drawing, note
from .props import Props, classes, parts
from .texts import icon, picture
from .tree import Node

_ALIGN = "start center end baseline stretch"
_JUSTIFY = "start center end between around evenly stretch"
_SURFACES = "surface surface-secondary surface-tertiary surface-elevated surface-elevated-secondary"


def _group(name: str, direction: str = "") -> Component:
    """A component that lays out its children in this direction, or in its own `direction` property."""

    def draw(drawing: Drawing, props: Props) -> Node:
        return Node("group", classes(name, _laid_out(props, direction)), children=drawing.children(props))

    return draw


def _laid_out(props: Props, direction: str) -> str:
    chosen = direction or ("row" if props.get("direction") == "row" else "col")
    return classes(
        "w-row" if chosen == "row" else "w-col",
        props.step("gap"),
        props.token("align", _ALIGN),
        props.token("justify", _JUSTIFY),
        props.token("wrap", "nowrap wrap wrap-reverse"),
        props.token("background", _SURFACES),
        props.when("radius", "w-round"),
        props.when("border", "w-border"),
        props.when("flex", "w-flex"),
    )


def _card(drawing: Drawing, props: Props) -> Node:
    looks = classes(
        "w-card",
        props.token("size", "sm md lg full"),
        props.token("background", _SURFACES),
        props.token("theme", "light dark"),
    )
    head = _status(drawing, props)
    if props.flag("collapsed"):
        head.append(note("The customer saw it collapsed"))
    body = Node("group", "w-body w-col", children=drawing.children(props))
    return Node("group", looks, children=(*head, body, *_footer(drawing, props)))


def _footer(drawing: Drawing, props: Props) -> list[Node]:
    buttons = []
    for name, looks in (("cancel", "w-variant-outline"), ("confirm", "w-style-primary")):
        label = props.inner(name).text("label")
        if label:
            buttons.append(push_button(drawing, label, looks))
    return [Node("group", "w-footer w-row", children=tuple(buttons))] if buttons else []


def _status(drawing: Drawing, props: Props) -> list[Node]:
    """The status line above a card or a list, if any."""
    status = props.inner("status")
    text = status.text("text") or props.text("status")
    found = [
        icon(status.text("icon"), seen_only=bool(text)) if status.text("icon") else None,
        Node("words", text=drawing.text(text)) if text else None,
        picture(drawing, status.text("favicon"), "favicon") if status.text("favicon") else None,
    ]
    shown = tuple(each for each in found if each)
    return [Node("group", "w-status w-row", children=shown)] if shown else []


def _list_view(drawing: Drawing, props: Props) -> Node:
    head = _status(drawing, props)
    count = sum(1 for _ in parts(props.get("children")))
    limit = props.number("limit")
    if limit is not None and 1 <= limit < count:
        head.append(note(f"The customer first saw {int(limit):,} of these {count:,} items"))
    items = drawing.children(props)
    if items:
        head.append(Node("list", "w-items", children=items))
    return Node("group", classes("w-list", props.token("theme", "light dark")), children=tuple(head))


def _item(drawing: Drawing, props: Props) -> Node:
    # An item is a row, so `align` is vertical.
    looks = classes("w-item w-row", props.step("gap"), props.token("align", _ALIGN))
    return Node("group", looks, children=drawing.children(props))


def _divider(drawing: Drawing, props: Props) -> Node:
    return Node("divider", classes("w-divider", props.token("color", "default subtle strong"), props.step("spacing")))


def _spacer(drawing: Drawing, props: Props) -> Node:
    return Node("group", "w-spacer")


COMPONENTS: dict[str, Component] = {
    "Basic": _group("w-basic"),
    "Box": _group("w-box"),
    "Card": _card,
    "Col": _group("w-box", "col"),
    "Divider": _divider,
    "Form": _group("w-form"),
    "ListView": _list_view,
    "ListViewItem": _item,
    "Row": _group("w-box", "row"),
    "Spacer": _spacer,
    "Transition": _group("w-transition"),
}
