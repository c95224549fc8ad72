"""Transcript of a whole conversation: Markdown to read, or JSON with the upstream's own objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from threads.chatkit import ChatKitError, LeftOut, Thread, ThreadItem
from threads.chatkit.dump import to_json
from threads.chatkit.types import AssistantMessage, ClientToolCall, Task, TaskGroup, UserMessage, WidgetItem
from threads.lib import times
from threads.rendering.escape import attribute_text
from threads.rendering.json_indent import indented
from threads.sources.window import Window

Pages = Iterator[Window[ThreadItem]]

LOST = "there is more, but the API gives no way to reach it"


def too_large(items: int) -> str:
    """The reason for a partial transcript that leaves out so many items."""
    return f"{items:,} item{'s are' if items != 1 else ' is'} left out, too large to be read"


def as_json(thread: Thread, pages: Pages) -> Iterator[str]:
    """One JSON object: `thread`, `items` in order, `count` and `complete`; with `error`, where the upstream failed on
    the way. It is valid JSON either way."""
    yield f'{{"thread": {to_json(thread.raw)},\n"items": ['
    count, missing, lost = 0, 0, False
    error: str | None = None
    try:
        for window in pages:
            for item in window.rows:
                if isinstance(item.body, LeftOut):
                    missing += 1
                    continue
                yield (",\n" if count else "\n") + to_json(item.raw)
                count += 1
            lost = lost or window.lost
    except ChatKitError as failed:
        error = failed.detail
    error = error or (LOST if lost else None) or (too_large(missing) if missing else None)
    end: dict[str, object] = {"count": count, "complete": error is None}
    if error:
        end["error"] = error
    yield f"\n],\n{to_json(end)[1:]}\n"


def as_markdown(thread: Thread, pages: Pages, now: datetime, zone: tzinfo) -> Iterator[str]:
    """A heading with the facts about the thread, then each item under its time. The last line says whether it is
    complete."""
    yield from _head(thread, now, zone)
    count, missing, why = 0, 0, None
    try:
        for window in pages:
            for item in window.rows:
                yield from _item(item, zone)
                missing += isinstance(item.body, LeftOut)
                count += not isinstance(item.body, LeftOut)
            why = LOST if window.lost else why
        why = why or (too_large(missing) if missing else None)
    except ChatKitError as error:
        why = f"the API failed ({_line(error.detail)})"
    if why:
        yield f"---\n\n**This transcript is partial: {count} items, then {why}.**\n"
        return
    yield f"---\n\nEnd of the conversation: all {count} items.\n"


def _head(thread: Thread, now: datetime, zone: tzinfo) -> Iterator[str]:
    status = thread.status
    yield f"# {_line(thread.title or 'No title')}\n\n"
    facts = [
        ("Thread", thread.id),
        ("User", thread.user),
        ("Status", status.label if status else None),
        ("Reason", status.reason if status else None),
        ("Created", times.exact_to_seconds(thread.created_at, zone) if thread.created_at else None),
        ("Read", f"{times.exact_to_seconds(now, zone)}, times in {zone}"),
    ]
    yield "".join(f"- {name}: {_line(value)}\n" for name, value in facts if value) + "\n"


def _item(item: ThreadItem, zone: tzinfo) -> Iterator[str]:
    time = times.exact_to_seconds(item.created_at, zone) if item.created_at else "no time given"
    speaker, parts = _speaker_and_parts(item)
    yield f"## {speaker}, {time}\n\n"
    for part in parts:
        yield part.rstrip("\n") + "\n\n"


def _speaker_and_parts(item: ThreadItem) -> tuple[str, Iterable[str]]:
    body = item.body
    if isinstance(body, UserMessage):
        return "Customer", _customer(body)
    if isinstance(body, AssistantMessage):
        cited = [f"- {_line(source.value)}\n" for part in body.content for source in part.sources]
        sources = ["Sources:\n\n" + "".join(cited)] if cited else []
        return "Assistant", [*(_fenced(part.text) for part in body.content), *sources]
    if isinstance(body, ClientToolCall):
        sent = [("Arguments", body.arguments), ("Output", body.output)]
        return f"Tool call {_line(body.name or 'without a name')} ({_line(body.status)})", [
            f"{name}:\n\n{_json(text)}" for name, text in sent if text is not None
        ]
    if isinstance(body, Task):
        return "Task", _task(body)
    if isinstance(body, TaskGroup):
        return "Tasks", [part for each in body.tasks for part in _task(each)]
    if isinstance(body, WidgetItem):
        return "Widget", [_json(body.json)]
    if isinstance(body, LeftOut):
        return "Left out", [f"{_line(item.id or 'An item')} is too large to be read: {_line(body.detail)}.\n"]
    return f"Unknown item ({_line(body.type or 'without a type')})", [_json(to_json(body.raw))]


def _customer(body: UserMessage) -> Iterator[str]:
    for part in body.content:
        if part.type == "quoted_text":
            yield "Quoted:"
        yield _fenced(part.text)
    for each in body.attachments:
        address = f", preview at {_line(each.preview_url)}" if each.preview_url else ""
        name, kind = each.name or each.id or "without a name", each.mime_type or each.type
        yield f"Attached: {_line(name)} ({_line(kind)}{address})"
    for option, value in (("Model", body.model), ("Tool", body.tool_choice)):
        if value:
            yield f"{option}: {_line(value)}"


def _task(task: Task) -> Iterator[str]:
    yield f"Step: {_line(task.heading or ('Thought' if task.task_type == 'thought' else 'without a heading'))}"
    if task.summary:
        yield _fenced(task.summary)


def _json(text: str) -> str:
    return _fenced(indented(text) or text)


def _fenced(text: str) -> str:
    """Untrusted text, unchanged, in a code fence: it can't fake a heading, an image or the last line. The fence is
    longer than any in the text."""
    shown = attribute_text(text, None)
    longest = max((found.end() - found.start() for found in re.finditer("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{shown}\n{fence}"


def _line(text: str) -> str:
    """Untrusted text within one of our lines, escaped."""
    return " ".join(attribute_text(text, None).split()).translate(_ESCAPED)


_ESCAPED = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>!#|~&"})
