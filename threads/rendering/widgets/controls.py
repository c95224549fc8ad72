"""Form controls, inactive, with the values that they had."""

from __future__ import annotations

from .drawing import Component, Drawing, more
from .props import Props, classes, plain
from .texts import icon
from .tree import Node

_VARIANTS = "solid soft outline ghost"
_SIZES = "3xs 2xs xs sm md lg xl 2xl 3xl"
_COLORS = "primary secondary info discovery success caution warning danger"

_CONCEALED = "••••"


def _button(drawing: Drawing, props: Props) -> Node:
    looks = classes(
        props.token("style", "primary secondary"),
        props.token("color", _COLORS),
        props.token("variant", _VARIANTS),
        props.token("size", _SIZES),
        "w-pill" if props.flag("pill") else "",
        "w-block" if props.flag("block") else "",
    )
    return push_button(drawing, props.text("label"), looks, props.text("iconStart"), props.text("iconEnd"))


def push_button(drawing: Drawing, label: str, looks: str, before: str = "", after: str = "") -> Node:
    """An inactive button. Without a label, its icons name it."""
    if not label.strip() and not before and not after:
        label = "Button"
    inside = [
        icon(before, seen_only=bool(label)) if before else None,
        Node("words", text=drawing.text(label)) if label else None,
        icon(after, seen_only=bool(label)) if after else None,
    ]
    return Node("button", classes("w-button", looks), children=tuple(each for each in inside if each))


def _checkbox(drawing: Drawing, props: Props) -> Node:
    label = props.text("label")
    shown = drawing.text(label) if label.strip() else drawing.field_name(props, props.text("name"), "Checkbox")
    return Node("check", "w-check", shown, on=props.flag("defaultChecked"))


def _field(kind: str, name: str) -> Component:
    """A text field, whatever its input type: a browser would clear a number field with another value. Passwords are
    concealed."""

    def draw(drawing: Drawing, props: Props) -> Node:
        value = drawing.text(props.text("defaultValue"))
        if value and props.get("inputType") == "password":
            value = _CONCEALED
        return Node(
            kind,
            _looks(props),
            name=drawing.field_name(props, props.text("placeholder"), props.text("name"), name),
            value=plain(value),
            hint=plain(drawing.text(props.text("placeholder"))),
        )

    return draw


def _select(drawing: Drawing, props: Props) -> Node:
    """A disabled select, with its options listed beside it, since it can't be opened."""
    chosen = props.text("defaultValue")
    options, missing = _options(drawing, props, chosen)
    if not any(option.on for option in options):
        first = chosen or props.text("placeholder") or "Nothing chosen"
        shown = Node("words", value=plain(drawing.text(first)), on=True)
    else:
        shown = None
    closed = Node(
        "select",
        _looks(props),
        children=(shown, *options) if shown else options,
        name=drawing.field_name(props, props.text("placeholder"), props.text("name"), "Select"),
    )
    listed = Node("options", "w-options", _count(len(options)), children=options)
    return Node("group", "w-select", children=(closed, listed, *missing) if options else (closed, *missing))


def _radio_group(drawing: Drawing, props: Props) -> Node:
    options, missing = _options(drawing, props, props.text("defaultValue"))
    drawn = Node(
        "radios",
        classes("w-radios", "w-row" if props.get("direction") == "row" else "w-col"),
        children=options,
        name=drawing.field_name(props, props.text("ariaLabel"), props.text("name"), "Choice"),
    )
    return Node("group", "w-col", children=(drawn, *missing)) if missing else drawn


def _options(drawing: Drawing, props: Props, chosen: str) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The options that fit, and a note on the others. At most one is chosen."""
    given = props.objects("options")
    room = drawing.take(len(given))
    drawn: list[Node] = []
    found = False
    for option in given[:room]:
        value = option.text("value")
        on = not found and value != "" and value == chosen
        found = found or on
        label = drawing.text(option.text("label") or value or "No label")
        about = option.text("description")
        children = (Node("words", "w-about", drawing.text(about)),) if about else ()
        drawn.append(Node("option", "w-check", label, children, value=plain(label), on=on))
    missing = len(given) - room
    return tuple(drawn), (more(missing, "option", "options"),) if missing else ()


def _count(count: int) -> str:
    return f"{count:,} option{'s' if count != 1 else ''}"


def _looks(props: Props) -> str:
    return classes(
        "w-field",
        props.token("variant", _VARIANTS),
        props.token("size", _SIZES),
        "w-pill" if props.flag("pill") else "",
        "w-block" if props.flag("block") else "",
    )


COMPONENTS: dict[str, Component] = {
    "Button": _button,
    "Checkbox": _checkbox,
    "DatePicker": _field("input", "Date"),
    "Input": _field("input", "Text field"),
    "RadioGroup": _radio_group,
    "Select": _select,
    "Textarea": _field("textarea", "Text field"),
}
