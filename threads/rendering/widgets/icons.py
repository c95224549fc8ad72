"""Unicode glyphs in place of ChatKit's icons. The icon's name stands beside the glyph, so a rough likeness is
enough."""

from __future__ import annotations

_OTHER = "◇"

_GLYPHS = {
    "agent": "☻",
    "analytics": "▤",
    "bolt": "⚡",
    "book-closed": "▮",
    "book-open": "❏",
    "bug": "⚠",
    "calendar": "▦",
    "chart": "▤",
    "check": "✓",
    "check-circle": "✓",
    "check-circle-filled": "✔",
    "chevron-left": "‹",
    "chevron-right": "›",
    "circle-question": "?",
    "clock": "◷",
    "compass": "✧",
    "confetti": "✺",
    "cube": "❒",
    "desktop": "▭",
    "document": "▤",
    "dot": "•",
    "dots-horizontal": "⋯",
    "dots-vertical": "⋮",
    "empty-circle": "○",
    "external-link": "↗",
    "globe": "◍",
    "images": "▨",
    "info": "ℹ",
    "lifesaver": "◎",
    "lightbulb": "☼",
    "mail": "✉",
    "map-pin": "⚲",
    "mobile": "▯",
    "notebook": "▤",
    "notebook-pencil": "✎",
    "page-blank": "▯",
    "phone": "☎",
    "play": "▶",
    "plus": "+",
    "profile": "☺",
    "reload": "↻",
    "search": "⌕",
    "settings-slider": "⚙",
    "sparkle": "✦",
    "sparkle-double": "✦",
    "square-image": "▨",
    "square-text": "▤",
    "star": "☆",
    "star-filled": "★",
    "suitcase": "▣",
    "user": "☺",
    "write": "✎",
    "write-alt": "✎",
    "write-alt2": "✎",
}

_AS_TEXT = "\ufe0e"
"""Variation selector 15: the monochrome glyph rather than an emoji."""


def glyph(name: str) -> str:
    """The glyph of an icon, a diamond for unknown names."""
    return _GLYPHS.get(name, _OTHER) + _AS_TEXT
