"""The items of the showcase in few words: each function gives an item's own fields."""

import json
from typing import Any

Json = dict[str, Any]


def quoted(text: str) -> Json:
    """A part of a user message that repeats what was said before."""
    return {"type": "quoted_text", "text": text}


def user(*parts: str | Json, attachments: tuple[Json, ...] = (), options: Json | None = None) -> Json:
    """A message of the user; a part that is a string is what they typed."""
    content = [{"type": "input_text", "text": part} if isinstance(part, str) else part for part in parts]
    return {
        "type": "chatkit.user_message",
        "content": content,
        "attachments": list(attachments),
        "inference_options": options,
    }


def options(tool: str | None, model: str | None) -> Json:
    """What the user chose for the answer."""
    return {"tool_choice": None if tool is None else {"id": tool}, "model": model}


def attachment(name: str, mime_type: str, preview_url: str | None = None) -> Json:
    """A file or an image; only images have previews."""
    kind = "image" if mime_type.startswith("image/") else "file"
    ident = "cfile_" + name.encode().hex()[:24]
    return {"type": kind, "id": ident, "name": name, "mime_type": mime_type, "preview_url": preview_url}


def url(address: str) -> Json:
    """An annotation that cites a page."""
    return {"type": "url", "source": {"type": "url", "url": address}}


def file(name: str) -> Json:
    """An annotation that cites a file."""
    return {"type": "file", "source": {"type": "file", "filename": name}}


def output(text: str, *annotations: Json) -> Json:
    """A part of an assistant message."""
    return {"type": "output_text", "text": text, "annotations": list(annotations)}


def assistant(*parts: str | Json) -> Json:
    """A message of the assistant; a part that is a string cites nothing."""
    content = [output(part) if isinstance(part, str) else part for part in parts]
    return {"type": "chatkit.assistant_message", "content": content}


def tool_call(name: str, arguments: object, result: object, *, done: bool = True) -> Json:
    """A call of a tool. Strings go as they are, all else as JSON; None as a result is no output."""
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
    """A step of the workflow, or a thought."""
    return {"type": "chatkit.task", "task_type": kind, "heading": heading, "summary": summary}


def task_group(*tasks: tuple[str, str | None, str | None]) -> Json:
    """Steps together, each as (kind, heading, summary)."""
    rows = [{"type": kind, "heading": heading, "summary": summary} for kind, heading, summary in tasks]
    return {"type": "chatkit.task_group", "tasks": rows}


def widget(root: object) -> Json:
    """A widget; a string goes as it is, JSON or not."""
    return {"type": "chatkit.widget", "widget": _text(root)}
