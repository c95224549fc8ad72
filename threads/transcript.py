"""A whole conversation as a file: as Markdown for a person, as JSON with the upstream's own objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from . import when
from .chatkit import ChatKitError, Thread, ThreadItem
from .chatkit.types import AssistantMessage, ClientToolCall, Source, Task, TaskGroup, UserMessage, Widget
from .pretty import indented
from .sources import Window

Pages = Iterator[Window[ThreadItem]]


def as_json(thread: Thread, pages: Pages) -> Iterator[str]:
    """One JSON object: `thread`, `items` in order, `count`, and `complete`, which is false, with the `error`, where the
    upstream failed on the way. It is valid JSON either way."""
    yield f'{{"thread": {_dumped(thread.raw)},\n"items": ['
    count = 0
    error: ChatKitError | None = None
    try:
        for window in pages:
            for item in window.rows:
                yield (",\n" if count else "\n") + _dumped(item.raw)
                count += 1
    except ChatKitError as failed:
        error = failed
    end: dict[str, object] = {"count": count, "complete": error is None}
    if error:
        end["error"] = error.detail
    yield f"\n],\n{_dumped(end)[1:]}\n"


def as_markdown(thread: Thread, pages: Pages, now: datetime, zone: tzinfo) -> Iterator[str]:
    """A heading with what is known of the thread, then each item under its time; the last line tells whether it is
    all."""
    yield from _head(thread, now, zone)
    count = 0
    try:
        for window in pages:
            for item in window.rows:
                yield from _item(item, zone)
                count += 1
    except ChatKitError as error:
        yield f"---\n\n**This transcript is partial: {count} items, then the API failed ({error.detail}).**\n"
        return
    yield f"---\n\nEnd of the conversation: all {count} items.\n"


def _dumped(value: object) -> str:
    """Lone surrogates stay as escapes: no file could hold them otherwise."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, default=str)
    return text


def _head(thread: Thread, now: datetime, zone: tzinfo) -> Iterator[str]:
    status = thread.status
    yield f"# {_line(thread.title or 'No title')}\n\n"
    facts = [
        ("Thread", thread.id),
        ("User", thread.user),
        ("Status", status.label if status else None),
        ("Reason", status.reason if status else None),
        ("Created", when.exact_to_seconds(thread.created_at, zone) if thread.created_at else None),
        ("Read", f"{when.exact_to_seconds(now, zone)}, times in {zone}"),
    ]
    yield "".join(f"- {name}: {_line(value)}\n" for name, value in facts if value) + "\n"


def _item(item: ThreadItem, zone: tzinfo) -> Iterator[str]:
    time = when.exact_to_seconds(item.created_at, zone) if item.created_at else "no time given"
    who, parts = _said(item)
    yield f"## {who}, {time}\n\n"
    for part in parts:
        yield part.rstrip("\n") + "\n\n"


def _said(item: ThreadItem) -> tuple[str, Iterable[str]]:
    body = item.body
    if isinstance(body, UserMessage):
        return "Customer", _customer(body)
    if isinstance(body, AssistantMessage):
        texts = [part.text for part in body.content]
        cited = [_cited(source) for part in body.content for source in part.sources]
        return "Assistant", [*texts, *(["Sources:\n\n" + "".join(cited)] if cited else [])]
    if isinstance(body, ClientToolCall):
        sent = [("Arguments", body.arguments), ("Output", body.output)]
        return f"Tool call {_line(body.name or 'without a name')} ({_line(body.status)})", [
            f"{name}:\n\n{_fenced(text)}" for name, text in sent if text is not None
        ]
    if isinstance(body, Task):
        return "Task", [_task(body)]
    if isinstance(body, TaskGroup):
        return "Tasks", [_task(each) for each in body.tasks]
    if isinstance(body, Widget):
        return "Widget", [_fenced(body.json)]
    return f"Unknown item ({_line(body.type or 'without a type')})", [_fenced(_dumped(body.raw))]


def _customer(body: UserMessage) -> Iterator[str]:
    for part in body.content:
        yield "".join(f"> {line}\n" for line in part.text.split("\n")) if part.type == "quoted_text" else part.text
    for each in body.attachments:
        address = f", preview at {_line(each.preview_url)}" if each.preview_url else ""
        name, kind = each.name or each.id or "without a name", each.mime_type or each.type
        yield f"Attached: {_line(name)} ({_line(kind)}{address})"
    for name, value in (("Model", body.model), ("Tool", body.tool_choice)):
        if value:
            yield f"{name}: {_line(value)}"


def _task(task: Task) -> str:
    heading = _line(task.heading or ("Thought" if task.task_type == "thought" else "Step without a heading"))
    return f"- {heading}" + (f"\n\n{task.summary}" if task.summary else "")


def _cited(source: Source) -> str:
    return f"- {_line(source.value)}\n"


def _fenced(text: str) -> str:
    """As code, in a fence longer than any that the text could close it with."""
    shown = indented(text) or text
    fence = "```"
    while fence in shown:
        fence += "`"
    return f"{fence}\n{shown}\n{fence}"


def _line(text: str) -> str:
    return " ".join(text.split())
