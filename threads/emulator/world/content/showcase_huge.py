"""Hostile items that are expensive to render: long, wide or deeply nested. Built on use, as they are large."""

from collections.abc import Callable
from typing import TypeAlias

from .showcase_items import Json, assistant, task, tool_call, user, widget

Make: TypeAlias = Callable[[str], Json]

_COLUMNS = 2000
_ROWS = 1300
_DEEP = 20_000


def _says(text: Callable[[], str]) -> Make:
    return lambda label: assistant(f"{label}:\n\n{text()}")


def _table() -> str:
    """12 kB that a lenient parser pads to millions of cells."""
    head = "|" + "a|" * _COLUMNS
    rule = "|" + "-|" * _COLUMNS
    return "\n".join([head, rule, *["|x"] * _ROWS])


def _nested_lists() -> str:
    return "\n".join("  " * depth + "- " + str(depth) for depth in range(300)) + "\n\n" + "- " * 2000 + "end"


def _nested_card(depth: int, label: str) -> str:
    first = f'{{"type":"Card","children":[{{"type":"Text","value":"{label}"}},'
    return first + '{"type":"Card","children":[' * (depth - 1) + "]}" * depth


HUGE: tuple[tuple[str, Make], ...] = (
    ("A line of 100 kB without a space, from the user", lambda label: user(f"{label}: {'x' * 100_000}")),
    ("A line of 100 kB without a space", _says(lambda: "y" * 100_000)),
    ("A table of 12 kB with 2,000 columns and 1,300 short rows", _says(_table)),
    ("1,000 nested quotes", _says(lambda: ">" * 1000 + " the innermost")),
    ("2,000 nested lists", _says(_nested_lists)),
    ("2,000 nested brackets", _says(lambda: "[" * 2000 + "x" + "](y)" * 2000)),
    ("2,000 brackets that nothing closes", _says(lambda: "![" * 1000 + "[" * 1000 + "(" * 1000)),
    ("11,000 stars and underscores", _says(lambda: "*_" * 2500 + "x" + "**a" * 2000)),
    ("Backticks in 99 lengths", _says(lambda: " ".join("`" * length for length in range(1, 100)))),
    ("10,000 angle brackets", _says(lambda: "<" * 10_000 + "a" + "<!--" * 500)),
    ("3,000 links", _says(lambda: "[a](https://tracker.example/) " * 3000)),
    ("3,000 headings and rules", _says(lambda: "# a\n\n---\n\n" * 1500)),
    ("20,000 empty lines", _says(lambda: "\n" * 20_000 + "the end")),
    (
        "Arguments 20,000 brackets deep",
        lambda label: tool_call(label, "[" * _DEEP + "]" * _DEEP, '{"a":' * _DEEP + "1" + "}" * _DEEP),
    ),
    (
        "Arguments with 5,000 keys",
        lambda label: tool_call(
            label, {f"key {number}": {"value": number} for number in range(5000)}, None, done=False
        ),
    ),
    ("A widget 3,000 cards deep", lambda label: widget(_nested_card(3000, label))),
    (
        "A widget of 2,000 buttons",
        lambda label: widget({"type": "Card", "children": [{"type": "Button", "label": label}] * 2000}),
    ),
    ("A task with a heading of 20 kB", lambda label: task(f"{label}: {'heading ' * 2500}", None)),
)
