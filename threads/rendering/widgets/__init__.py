"""Renders ChatKit widgets read-only: as the customer saw them, with inactive controls.

A widget is untrusted JSON. It becomes a tree of `Node`s, which a template writes as HTML: texts and CSS classes of
published sizes and colours, without styles, scripts, or addresses that a browser would load.
"""

from __future__ import annotations

import json

from threads.rendering.page_budget import PageBudget

from .chart import COMPONENTS as _CHARTS
from .controls import COMPONENTS as _CONTROLS
from .drawing import Drawing
from .layout import COMPONENTS as _LAYOUT
from .texts import COMPONENTS as _TEXTS
from .tree import ChartNode, Node, WidgetTree

__all__ = ["ChartNode", "Node", "WidgetTree", "draw"]

_COMPONENTS = _LAYOUT | _TEXTS | _CONTROLS | _CHARTS


def draw(text: str, budget: PageBudget | None = None) -> WidgetTree | None:
    """The widget in a JSON text, within the page's `budget`; None if the text is not a widget."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):  # not JSON, a number of too many digits, too deeply nested
        return None
    return Drawing(root, _COMPONENTS, budget or PageBudget()).widget() if isinstance(root, dict) else None
