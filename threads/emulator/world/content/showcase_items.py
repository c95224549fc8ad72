"""Builders for items of the showcase. Each returns the type-specific fields of one item, or a part of them."""

import json
from typing import Any

Json = dict[str, Any]


def quoted(text: str) -> Json:
    """A quotation in a user message."""
    return {"type": "quoted_text", "text": text}


def user(*parts: str | Json, attachments: tuple[Json, ...] = (), options: Json | None = None) -> Json:
    """A user message. Strings become text parts."""
    content = [{"type": "input_text", "text": part} if isinstance(part, str) else part for part in parts]
    return {
        "type": "chatkit.user_message",
        "content": content,
        "attachments": list(attachments),
        "inference_options": options,
    }


def options(tool: str | None, model: str | None) -> Json:
    """The inference options of a user message."""
    return {"tool_choice": None if tool is None else {"id": tool}, "model": model}


def attachment(name: str, mime_type: str, preview_url: str | None = None) -> Json:
    """An attachment: an image or a file, by MIME type."""
    kind = "image" if mime_type.startswith("image/") else "file"
    ident = "cfile_" + name.encode().hex()[:24]
    return {"type": kind, "id": ident, "name": name, "mime_type": mime_type, "preview_url": preview_url}


def url(address: str) -> Json:
    """An annotation with a URL."""
    return {"type": "url", "source": {"type": "url", "url": address}}


def file(name: str) -> Json:
    """An annotation with a file."""
    return {"type": "file", "source": {"type": "file", "filename": name}}


def output(text: str, *annotations: Json) -> Json:
    """A text part of an assistant message."""
    return {"type": "output_text", "text": text, "annotations": list(annotations)}


def assistant(*parts: str | Json) -> Json:
    """An assistant message. Strings become parts without annotations."""
    content = [output(part) if isinstance(part, str) else part for part in parts]
    return {"type": "chatkit.assistant_message", "content": content}


def tool_call(name: str, arguments: object, result: object, *, done: bool = True) -> Json:
    """A client tool call. Strings are used as they are, other values as JSON. A `result` of None is no output."""
    return {
        "type": "chatkit.client_tool_call",
        "status": "completed" if done else "in_progress",
        "call_id": "call_" + name.encode().hex()[:24],
        "name": name,
        "arguments": _text(arguments),
        "output": None if result is None else _text(result),
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def task(heading: str | None, summary: str | None, kind: str = "custom") -> Json:
    """A task: a workflow step or a thought."""
    return {"type": "chatkit.task", "task_type": kind, "heading": heading, "summary": summary}


def task_group(*tasks: tuple[str, str | None, str | None]) -> Json:
    """A task group of (kind, heading, summary)."""
    rows = [{"type": kind, "heading": heading, "summary": summary} for kind, heading, summary in tasks]
    return {"type": "chatkit.task_group", "tasks": rows}


def widget(root: object) -> Json:
    """A widget. A string is used as it is, even if it is not JSON."""
    return {"type": "chatkit.widget", "widget": _text(root)}
