"""The conversation of one thread: who said what, and what was done in between."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice

from .chance import Draw, mix
from .facts import Facts
from .itemtypes import Json, answer, question, task, task_group, tool_call, widget
from .subjects import Subject

__all__ = ["Json", "conversation", "endless"]

_LONGEST = 40
# Of a hundred conversations, how many end after so many items: most are short.
_LENGTHS = ((12, 2), (40, 6), (75, 12), (93, 20), (100, _LONGEST))


def _length(draw: Draw) -> int:
    roll, low = draw.below(100), 1
    for below, high in _LENGTHS:
        if roll < below:
            return draw.between(low, high)
        low = high
    raise AssertionError("unreachable")


def _work(about: Subject, draw: Draw) -> Iterator[Json]:
    """What the assistant does before it answers: often nothing."""
    if draw.odds(22):
        yield task(about, draw)
    elif draw.odds(18):
        yield task_group(about, draw)
    if draw.odds(34):
        yield tool_call(about, draw)


def _exchanges(about: Subject, seed: int, index: int, draw: Draw) -> Iterator[tuple[str, str, Subject]]:
    """Questions and answers without end: when a topic is used up, the customer has another."""
    also = ""
    for round_ in count(1):
        yield f"{also}{about.opening.ask}", about.opening.answer, about
        for said, replied in about.topic.more:
            yield said, replied, about
        also = about.topic.also + " "
        topic = draw.pick(about.product)
        facts = Facts(seed, 35, index, round_)
        about = replace(about, topic=topic, opening=draw.pick(topic.openings), facts=facts)


def _turns(exchanges: Iterator[tuple[str, str, Subject]], draw: Draw) -> Iterator[Json]:
    """The items that the exchanges come to."""
    for said, replied, about in exchanges:
        yield question(said, about, draw)
        yield from _work(about, draw)
        yield answer(replied, about, draw)
        if draw.odds(28):
            yield widget(about, draw)
        if draw.odds(15):
            yield question(about.topic.thanks[0], about, None)
            yield answer(about.topic.thanks[1], about, None)


def endless(about: Subject, seed: int, index: int) -> Iterator[Json]:
    """The own fields of items without end; their types have no `chatkit.` prefix."""
    draw = Draw(seed, 36, index)
    return _turns(_exchanges(about, seed, index, draw), draw)


def _items(about: Subject, turns: Iterator[Json], length: int) -> list[Json]:
    items = list(islice(turns, length))
    if about.last_words:
        items[-1] = answer(about.last_words, about, None)
    if items[-1]["type"] == "client_tool_call":
        items[-1] |= {"status": "in_progress", "output": None}
    return items


def _moments(draw: Draw, items: int, seconds: int) -> list[int]:
    """How many seconds after the thread each item comes; all fit into `seconds` where they can."""
    after, moments = 1, []
    for _ in range(items):
        moments.append(after)
        after += draw.between(1, 90) if draw.odds(94) else draw.between(600, 90_000)
    if moments[-1] <= seconds:
        return moments
    # A young thread: its items are spread over the time there has been.
    return [1 + max(seconds - 1, 0) * place // items for place in range(items)]


def conversation(about: Subject, seed: int, index: int, seconds: int) -> list[tuple[int, Json]]:
    """Each item's (seconds after the thread began, own fields), in order; 1 to 40 of them.

    `seconds` is how old the thread is; one that has just arrived (0) holds a question and
    perhaps an answer. One thread in nine names its item types without the `chatkit.` prefix.
    """
    draw = Draw(seed, 33, index)
    length = _length(draw) if seconds > 0 else draw.between(1, 2)
    items = _items(about, _turns(_exchanges(about, seed, index, draw), draw), length)
    if mix(seed, 34, index) % 9:
        for item in items:
            item["type"] = "chatkit." + item["type"]
    return list(zip(_moments(draw, length, seconds), items, strict=True))
