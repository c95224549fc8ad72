"""Text as it is searched: what a person would call the same word is the same word here, whoever typed it and how.

Capital and small letters, accents, Arabic vowel marks, wide and narrow forms are one. Scripts that are written without
spaces are cut into pairs of characters. Both databases get the words from here, so both find the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from threads.chatkit import ThreadItem
from threads.chatkit.types import AssistantMessage, ClientToolCall, Task, TaskGroup, UserMessage

LONGEST_WORD = 64
"""Characters; what is longer is several words."""

_DROPPED = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640]")
"""Accents, points and vowel marks, and the stroke that only lengthens an Arabic word."""

_ALIKE = {"\u0649": "\u064a", "\u0629": "\u0647"}
"""Arabic letters that are typed for each other at the end of a word."""

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese and Korean characters (Korean has spaces, and words of one syllable)."""

_PLAIN = re.compile(r"[0-9a-z]+")


class _Folding(dict[int, str]):
    """What each character becomes: itself in its plainest form, nothing, or a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = _DROPPED.sub("", unicodedata.normalize("NFKD", character))
        kept = "".join(each if _is_of_a_word(each) else " " for each in unicodedata.normalize("NFC", plain).casefold())
        self[code] = folded = "".join(_ALIKE.get(each, each) for each in _DROPPED.sub("", kept))
        return folded


def _is_of_a_word(character: str) -> bool:
    """Letters, digits, marks that belong to them, and emoji."""
    category = unicodedata.category(character)
    return category[0] in "LNM" or (category in {"So", "Sk"} and character > "\x7f")


_FOLDING = _Folding()


def folded(text: str) -> str:
    """`text` as words with one space between them."""
    if text.isascii():
        return " ".join(_PLAIN.findall(text.lower()))
    return " ".join(text.translate(_FOLDING).split())


def places(text: str) -> tuple[str, list[int]]:
    """`text` folded, and for each character of that the place in `text` that it came from."""
    made: list[str] = []
    origins: list[int] = []
    for place, character in enumerate(text):
        for each in _FOLDING[ord(character)]:
            if each != " " or (made and made[-1] != " "):
                made.append(each)
                origins.append(place)
    return "".join(made), origins


def words(text: str) -> Iterator[str]:
    """The words of a folded text, as they are indexed. May repeat itself."""
    for word in text.split():
        if word.isascii() or not _UNSPACED.search(word):
            yield from _pieces(word)
            continue
        end = 0
        for run in _UNSPACED.finditer(word):
            yield from _pieces(word[end : run.start()])
            characters = run.group()
            yield from (characters[place : place + 2] for place in range(len(characters) - 1))
            yield characters[-1]
            end = run.end()
        yield from _pieces(word[end:])


def unspaced(word: str) -> bool:
    """Whether a word is of a script that is cut into pairs."""
    return _UNSPACED.fullmatch(word) is not None


def _pieces(word: str) -> Iterator[str]:
    return (word[start : start + LONGEST_WORD] for start in range(0, len(word), LONGEST_WORD))


def said(item: ThreadItem) -> list[str]:
    """What an item says that a person would look for: messages, steps, names of tools, files and sources."""
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


def opening(item: ThreadItem) -> str | None:
    """The beginning of a message of the user, to stand for a title; None where it has no words."""
    if not isinstance(item.body, UserMessage):
        return None
    text = " ".join(" ".join(part.text for part in item.body.content if part.type != "quoted_text").split())
    return text[:200] or None


def is_message(item: ThreadItem) -> bool:
    return isinstance(item.body, UserMessage | AssistantMessage)
