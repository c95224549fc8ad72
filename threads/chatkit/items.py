"""Decodes the six item types, in both spellings: `chatkit.user_message` (OpenAPI schema), `user_message` (docs)."""

from __future__ import annotations

from collections.abc import Callable

from .types import (
    AssistantMessage,
    Attachment,
    Body,
    Citation,
    ClientToolCall,
    Task,
    TaskGroup,
    TextPart,
    ThreadItem,
    Unknown,
    UserMessage,
    WidgetItem,
)
from .values import Fields, json_type, replace_surrogates


def item(raw: object) -> ThreadItem:
    """One item. An unknown type, or a value that is no JSON object, becomes `Unknown` with the whole value."""
    if not isinstance(raw, dict):
        return ThreadItem(None, None, None, Unknown(None, raw), (f"it is not an object but {json_type(raw)}",), raw)
    fields = Fields(raw)
    identifier, created_at = fields.identifier("id"), fields.time("created_at")
    thread_id, type_ = fields.text("thread_id"), fields.text("type")
    read = _BODIES.get((type_ or "").removeprefix("chatkit."))
    body = read(fields) if read else Unknown(type_, raw)
    return ThreadItem(identifier, created_at, thread_id, body, tuple(fields.problems), raw)


def _user_message(fields: Fields) -> Body:
    options = _inner(fields, fields.mapping("inference_options") or {})
    tool = options.mapping("tool_choice")
    return UserMessage(
        content=_content(fields, "input_text"),
        attachments=tuple(_attachment(_inner(fields, raw)) for raw in fields.sequence("attachments")),
        tool_choice=_inner(fields, tool).text("id") if tool else None,
        model=options.text("model"),
    )


def _assistant_message(fields: Fields) -> Body:
    return AssistantMessage(_content(fields, "output_text"))


def _widget(fields: Fields) -> Body:
    return WidgetItem(fields.text("widget") or "")


def _client_tool_call(fields: Fields) -> Body:
    return ClientToolCall(
        status=fields.text("status") or "",
        call_id=fields.text("call_id"),
        name=fields.text("name"),
        arguments=fields.text("arguments"),
        output=fields.text("output"),
    )


def _task(fields: Fields) -> Body:
    return Task(fields.text("task_type") or "custom", fields.text("heading"), fields.text("summary"))


def _task_group(fields: Fields) -> Body:
    tasks = (_inner(fields, raw) for raw in fields.sequence("tasks"))
    return TaskGroup(
        tuple(Task(each.text("type") or "custom", each.text("heading"), each.text("summary")) for each in tasks)
    )


_BODIES: dict[str, Callable[[Fields], Body]] = {
    "user_message": _user_message,
    "assistant_message": _assistant_message,
    "widget": _widget,
    "client_tool_call": _client_tool_call,
    "task": _task,
    "task_group": _task_group,
}


def _content(fields: Fields, default: str) -> tuple[TextPart, ...]:
    parts = (_inner(fields, raw) for raw in fields.sequence("content"))
    return tuple(
        TextPart(
            type=part.text("type") or default,
            text=part.text("text") or "",
            sources=tuple(_source(_inner(fields, raw)) for raw in part.sequence("annotations")),
        )
        for part in parts
    )


def _source(annotation: Fields) -> Citation:
    source = Fields(annotation.mapping("source") or {})
    return Citation(annotation.text("type") or "", source.text("url") or source.text("filename") or "")


def _attachment(fields: Fields) -> Attachment:
    return Attachment(
        id=fields.text("id"),
        type=fields.text("type") or "file",
        name=fields.text("name"),
        mime_type=fields.text("mime_type"),
        preview_url=fields.text("preview_url"),
    )


def _inner(outer: Fields, raw: object) -> Fields:
    """The fields of a nested object; its problems are added to the outer one's."""
    if isinstance(raw, dict):
        inner = Fields({replace_surrogates(str(name)): value for name, value in raw.items()})
    else:
        inner = Fields({})
        outer.problems.append(f"a part of it is not an object but {json_type(raw)}")
    inner.problems = outer.problems
    return inner
