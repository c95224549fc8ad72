"""Draws a ChatKit widget for somebody who only looks: as the customer saw it, and with nothing in it that acts.

A widget is JSON that a stranger wrote. It becomes a tree of `Node`s that a template has only to write down: words and
published names of sizes and colours, no style, no script, and no address that a browser would load by itself.
"""

from __future__ import annotations

import json

from threads.rendering.page_budget import Allowance

from .chart import COMPONENTS as _CHARTS
from .controls import COMPONENTS as _CONTROLS
from .drawing import Drawing
from .layout import COMPONENTS as _LAYOUT
from .texts import COMPONENTS as _TEXTS
from .tree import Chart, Node, Widget

__all__ = ["Chart", "Node", "Widget", "draw"]

_ALL = _LAYOUT | _TEXTS | _CONTROLS | _CHARTS


def draw(text: str, allowance: Allowance | None = None) -> Widget | None:
    """The widget that `text` describes; None where it describes none and has to be shown as it is. It is drawn within
    the page's `allowance`."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, a number without end, lists within lists without end
        return None
    return Drawing(root, _ALL, allowance or Allowance()).widget() if isinstance(root, dict) else None
