"""Text components, icons, and images, of which only the description is shown."""

from __future__ import annotations

from threads.rendering.safe_links import link

from .drawing import Component, Drawing, note
from .icons import glyph
from .props import Props, classes, plain, short
from .tree import Node

_COLORS = "prose primary emphasis secondary tertiary success warning danger"
_WEIGHTS = "normal medium semibold bold"
_SIZES = "2xs xs sm md lg xl 2xl 3xl 4xl 5xl"


def _text(name: str) -> Component:
    """A paragraph of text. `maxLines` and `truncate` are ignored, since an agent needs all of it."""

    def draw(drawing: Drawing, props: Props) -> Node | None:
        # An empty editable text showed the customer its placeholder.
        text = props.text("value") or props.inner("editable").text("placeholder")
        looks = classes(
            name,
            props.token("size", _SIZES),
            props.token("weight", _WEIGHTS),
            props.token("color", _COLORS),
            props.token("textAlign", "start center end"),
            "w-italic" if props.flag("italic") else "",
            "w-through" if props.flag("lineThrough") else "",
            "w-editable" if isinstance(props.get("editable"), dict) else "",
        )
        return Node("text", looks, drawing.text(text)) if text else None

    return draw


def _badge(drawing: Drawing, props: Props) -> Node | None:
    label = props.text("label")
    looks = classes(
        "w-badge",
        props.token("color", "secondary success danger warning info discovery"),
        props.token("variant", "solid soft outline"),
        props.token("size", "sm md lg"),
        "w-pill" if props.flag("pill") else "",
    )
    return Node("words", looks, drawing.text(label)) if label else None


def _markdown(drawing: Drawing, props: Props) -> Node | None:
    source, rest = drawing.cut(props.text("value"))
    if not source:
        return None
    drawn = Node("html", "w-markdown", html=drawing.budget.markdown(source))
    return Node("group", "w-col", children=(drawn, note(rest))) if rest else drawn


def _icon(drawing: Drawing, props: Props) -> Node:
    return icon(props.text("name"), classes(props.token("size", _SIZES), props.token("color", _COLORS)))


def icon(name: str, looks: str = "", *, seen_only: bool = False) -> Node:
    """An icon; `seen_only` hides it from screen readers if a text beside it says the same."""
    called = short(name.partition(":")[2] or name or "no name")
    spoken = "" if seen_only else f"Icon: {plain(called)}"
    return Node("icon", classes("w-icon", looks), text=glyph(called), name=spoken)


def _image(drawing: Drawing, props: Props) -> Node:
    return picture(drawing, props.text("src"), props.text("alt"))


def picture(drawing: Drawing, address: str, alt: str) -> Node:
    """The placeholder of an image: its description and a link. Loading the image would tell a foreign server who reads
    the conversation."""
    label = drawing.text(f"Image: {alt if alt.strip() else 'no description'}")
    found = link(address)
    if found and found.href.lower().startswith(("http://", "https://")):
        return Node("image", "w-image", label, (Node("words", "w-from", short(found.host)),), href=found.href)
    from_where = (Node("words", "w-from", short(address)),) if address else ()
    return Node("image", "w-image", label, from_where)


COMPONENTS: dict[str, Component] = {
    "Badge": _badge,
    "Caption": _text("w-caption"),
    "Icon": _icon,
    "Image": _image,
    "Label": _text("w-label"),
    "Markdown": _markdown,
    "Text": _text("w-text"),
    "Title": _text("w-title"),
}
