"""Tokeniser: the words of a text for the search index and for a query, the same for both databases.

Scripts without spaces are split into single characters and bigrams.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from threads.chatkit import ThreadItem
from threads.chatkit.types import AssistantMessage, ClientToolCall, Task, TaskGroup, UserMessage
from threads.lib.folding import fold_with_origins, folded
from threads.rendering.markdown import plain_text

__all__ = [
    "author",
    "fold_with_origins",
    "folded",
    "is_message",
    "is_unspaced",
    "is_whole",
    "opening_text",
    "preview",
    "searchable_texts",
    "terms",
    "words",
]

PREVIEW = 200
"""Characters of a message that the archive stores for the list."""

_PREVIEW_SOURCE = 4_000
"""Characters of Markdown that are parsed for a preview, unless they have less text than a preview holds."""

LONGEST_WORD = 64
"""Characters of an indexed word. A longer one is split into words that overlap by half."""

_STEP = LONGEST_WORD // 2
"""Any part of a word with up to this many characters is within one indexed word."""

SHORTEST_PART = 3
"""Characters from which on a word also matches as a part of longer words."""

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese and Korean characters (Korean has spaces, and words of one syllable)."""


class Term(NamedTuple):
    """A word to look up in the index: a whole word, or with `part` a part of words."""

    word: str
    part: bool


def words(text: str) -> Iterator[str]:
    """The indexed words of a folded text, with repetitions."""
    for word in text.split():
        for run, is_unspaced in _runs(word):
            if is_unspaced:
                yield from run
                yield from _pairs(run)
            else:
                yield run[:LONGEST_WORD]
                yield from (run[at : at + LONGEST_WORD] for at in range(_STEP, len(run) - _STEP, _STEP))


def terms(word: str) -> list[Term]:
    """The index terms of one folded word. All of them match in a thread that has the word; where there are several, a
    thread may match without having it."""
    found: list[Term] = []
    for run, is_unspaced in _runs(word):
        if is_unspaced:
            found += (Term(each, part=False) for each in (_pairs(run) if len(run) > 1 else run))
        elif len(run) < SHORTEST_PART:
            found.append(Term(run, part=False))
        else:
            found += (Term(run[at : at + _STEP], part=True) for at in range(0, len(run) - _STEP, _STEP))
            found.append(Term(run[-_STEP:], part=True))
    return found


def is_whole(unit: str) -> bool:
    """Whether a folded word matches whole words only, because it is shorter than `SHORTEST_PART`."""
    return len(unit) < SHORTEST_PART and not is_unspaced(unit)


def is_unspaced(unit: str) -> bool:
    """Whether folded text has characters of a script without spaces, so that it has no whole words."""
    return not unit.isascii() and _UNSPACED.search(unit) is not None


def _runs(word: str) -> Iterator[tuple[str, bool]]:
    """A word split into runs, each with whether its script has no spaces."""
    end = 0
    for run in () if word.isascii() else _UNSPACED.finditer(word):
        if end < run.start():
            yield word[end : run.start()], False
        yield run.group(), True
        end = run.end()
    if end < len(word):
        yield word[end:], False


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(len(run) - 1))


def searchable_texts(item: ThreadItem) -> list[str]:
    """The searchable texts of an item: messages, steps, names of tools, files and sources."""
    body = item.body
    if isinstance(body, UserMessage):
        return [part.text for part in body.content] + [each.name for each in body.attachments if each.name]
    if isinstance(body, AssistantMessage):
        return [
            each
            for part in body.content
            for each in (part.text, *(source.value for source in part.sources if source.type == "file"))
        ]
    if isinstance(body, ClientToolCall):
        return [body.name] if body.name else []
    if isinstance(body, Task):
        return [each for each in (body.heading, body.summary) if each]
    if isinstance(body, TaskGroup):
        return [each for task in body.tasks for each in (task.heading, task.summary) if each]
    return []


def opening_text(item: ThreadItem) -> str | None:
    """The beginning of a user message, as a substitute for a title; None where it has none."""
    return preview(item) if isinstance(item.body, UserMessage) and _typed(item.body).strip() else None


def preview(item: ThreadItem) -> str | None:
    """The first `PREVIEW` characters of a message as one line of plain text; of a user message without text, the names
    of its files. None where there is neither, and for items that are no messages."""
    body = item.body
    if isinstance(body, UserMessage):
        text = _typed(body)
        if not text.strip():
            text = ", ".join(each.name for each in body.attachments if each.name)
        return _one_line(text)[:PREVIEW] or None
    if not isinstance(body, AssistantMessage):
        return None
    text = " ".join(part.text for part in body.content)
    found = _one_line(plain_text(text[:_PREVIEW_SOURCE]))
    if len(found) < PREVIEW and len(text) > _PREVIEW_SOURCE:
        # A preview that is shorter than `PREVIEW` has to be whole: masking relies on it.
        found = _one_line(plain_text(text))
    return found[:PREVIEW] or None


def author(item: ThreadItem) -> str | None:
    """Who wrote a message, as in `ArchivedThread.last_by`; None for items that are no messages."""
    if isinstance(item.body, UserMessage):
        return "customer"
    return "assistant" if isinstance(item.body, AssistantMessage) else None


def _typed(message: UserMessage) -> str:
    """What the user wrote, without quotations."""
    return " ".join(part.text for part in message.content if part.type != "quoted_text")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def is_message(item: ThreadItem) -> bool:
    """Whether an item is a message of the user or of the assistant."""
    return isinstance(item.body, UserMessage | AssistantMessage)
