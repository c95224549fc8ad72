"""Generates the items of one thread: messages, tasks, tool calls and widgets."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice

from .item_types import Json, answer, question, task, task_group, tool_call, widget
from .placeholders import Facts
from .seeded_random import SeededRandom, mix
from .subject import Subject

__all__ = ["Json", "conversation", "endless_items"]

_MAX_ITEMS = 40
# Cumulative percentage of conversations, with the highest number of items each: most are short.
_LENGTHS = ((12, 2), (40, 6), (75, 12), (93, 20), (100, _MAX_ITEMS))


def _length(rng: SeededRandom) -> int:
    roll, low = rng.below(100), 1
    for below, high in _LENGTHS:
        if roll < below:
            return rng.between(low, high)
        low = high
    raise AssertionError("unreachable")


def _assistant_steps(about: Subject, rng: SeededRandom) -> Iterator[Json]:
    """Tasks and tool calls before an answer; often none."""
    if rng.odds(22):
        yield task(about, rng)
    elif rng.odds(18):
        yield task_group(about, rng)
    if rng.odds(34):
        yield tool_call(about, rng)


def _exchanges(about: Subject, seed: int, index: int, rng: SeededRandom) -> Iterator[tuple[str, str, Subject]]:
    """Yields (question, answer, subject) without end, with a new topic whenever one is exhausted."""
    also = ""
    for round_ in count(1):
        yield f"{also}{about.opening.ask}", about.opening.answer, about
        for question_text, answer_text in about.topic.more:
            yield question_text, answer_text, about
        also = about.topic.also + " "
        topic = rng.pick(about.product)
        facts = Facts(seed, 35, index, round_)
        about = replace(about, topic=topic, opening=rng.pick(topic.openings), facts=facts)


def _turns(exchanges: Iterator[tuple[str, str, Subject]], rng: SeededRandom) -> Iterator[Json]:
    """The items of the exchanges."""
    for question_text, answer_text, about in exchanges:
        yield question(question_text, about, rng)
        yield from _assistant_steps(about, rng)
        yield answer(answer_text, about, rng)
        if rng.odds(28):
            yield widget(about, rng)
        if rng.odds(15):
            yield question(about.topic.thanks[0], about, None)
            yield answer(about.topic.thanks[1], about, None)


def endless_items(about: Subject, seed: int, index: int) -> Iterator[Json]:
    """Yields the type-specific fields of items, without end. Types have no `chatkit.` prefix."""
    rng = SeededRandom(seed, 36, index)
    return _turns(_exchanges(about, seed, index, rng), rng)


def _items(about: Subject, turns: Iterator[Json], length: int) -> list[Json]:
    items = list(islice(turns, length))
    if about.last_words:
        items[-1] = answer(about.last_words, about, None)
    if items[-1]["type"] == "client_tool_call":
        items[-1] |= {"status": "in_progress", "output": None}
    return items


def _moments(rng: SeededRandom, items: int, seconds: int) -> list[int]:
    """Each item's offset from the start of the thread, in seconds. All fit into `seconds` where possible."""
    after, moments = 1, []
    for _ in range(items):
        moments.append(after)
        after += rng.between(1, 90) if rng.odds(94) else rng.between(600, 90_000)
    if moments[-1] <= seconds:
        return moments
    # A young thread: spread the items over its age.
    return [1 + max(seconds - 1, 0) * place // items for place in range(items)]


def conversation(about: Subject, seed: int, index: int, seconds: int) -> list[tuple[int, Json]]:
    """The 1 to 40 items of a thread as (seconds after its start, type-specific fields), in order.

    `seconds` is the age of the thread. A new one (0) has a question and perhaps an answer. In one of nine threads
    the item types have no `chatkit.` prefix, as in the documentation.
    """
    rng = SeededRandom(seed, 33, index)
    length = _length(rng) if seconds > 0 else rng.between(1, 2)
    items = _items(about, _turns(_exchanges(about, seed, index, rng), rng), length)
    if mix(seed, 34, index) % 9:
        for item in items:
            item["type"] = "chatkit." + item["type"]
    return list(zip(_moments(rng, length, seconds), items, strict=True))
