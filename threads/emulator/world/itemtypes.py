"""The six types of item, each as its own fields; conversation.py strings them together."""

import json
from typing import Any

from .chance import Draw
from .facts import Facts, fill
from .subjects import Subject

Json = dict[str, Any]

_MODELS = ("gpt-5", "gpt-5-mini", None)
_TOOLS = ("web_search", "file_search", "order_lookup")


def _as_json(template: object, facts: Facts) -> str:
    return json.dumps(fill(template, facts), ensure_ascii=False)


def _attachment(about: Subject, draw: Draw) -> Json:
    name, mime_type = draw.pick(about.topic.files)
    image = mime_type.startswith("image/")
    ident = f"cfile_{draw.bits():016x}"
    preview = f"https://files.example/preview/{ident}?size=256" if image and draw.odds(70) else None
    return {
        "type": "image" if image else "file",
        "id": ident,
        "name": name.format_map(about.facts).replace(" ", "-"),
        "mime_type": mime_type,
        "preview_url": preview,
    }


def _inference_options(draw: Draw) -> Json | None:
    if draw.odds(80):
        return None
    choice = {"id": draw.pick(_TOOLS)} if draw.odds(50) else None
    return {"tool_choice": choice, "model": draw.pick(_MODELS)}


def question(text: str, about: Subject, draw: Draw | None) -> Json:
    """A message of the user; without a `draw` it is bare text."""
    content = [{"type": "input_text", "text": text.format_map(about.facts)}]
    attachments, options = [], None
    if draw:
        if draw.odds(10):
            quoted = about.opening.answer.format_map(about.facts).partition("\n")[0]
            content.insert(0, {"type": "quoted_text", "text": quoted})
        if draw.odds(14):
            attachments = [_attachment(about, draw) for _ in range(draw.between(1, 2))]
        options = _inference_options(draw)
    return {
        "type": "user_message",
        "content": content,
        "attachments": attachments,
        "inference_options": options,
    }


def _annotations(about: Subject, draw: Draw) -> list[Json]:
    notes: list[Json] = []
    if draw.odds(30):
        notes.append({"type": "url", "source": {"type": "url", "url": about.topic.link}})
    if draw.odds(15):
        filename = about.topic.link.rpartition("/")[2] + "-handbook.pdf"
        notes.append({"type": "file", "source": {"type": "file", "filename": filename}})
    return notes


def answer(text: str, about: Subject, draw: Draw | None) -> Json:
    """A message of the assistant, in Markdown; without a `draw` it cites nothing."""
    part = {
        "type": "output_text",
        "text": text.format_map(about.facts),
        "annotations": _annotations(about, draw) if draw else [],
    }
    return {"type": "assistant_message", "content": [part]}


def tool_call(about: Subject, draw: Draw) -> Json:
    """A call of a tool in the customer's browser, done."""
    name, arguments, output = about.topic.call
    return {
        "type": "client_tool_call",
        "status": "completed",
        "call_id": f"call_{draw.bits():016x}{draw.below(2**32):08x}",
        "name": name,
        "arguments": _as_json(arguments, about.facts),
        "output": _as_json(output, about.facts),
    }


def _step(about: Subject, draw: Draw) -> tuple[str | None, str | None]:
    heading, summary = draw.pick(about.topic.steps)
    told = summary.format_map(about.facts) if draw.odds(80) else None
    return heading.format_map(about.facts) if draw.odds(92) else None, told


def task(about: Subject, draw: Draw) -> Json:
    """A step of the workflow, or a thought."""
    heading, summary = _step(about, draw)
    kind = "thought" if draw.odds(35) else "custom"
    return {"type": "task", "task_type": kind, "heading": heading, "summary": summary}


def task_group(about: Subject, draw: Draw) -> Json:
    """Several steps together."""
    tasks = []
    for heading, summary in about.topic.steps:
        filled = fill({"heading": heading, "summary": summary}, about.facts)
        tasks.append({"type": draw.pick(("custom", "custom", "thought")), **dict(filled)})  # type: ignore[call-overload]
    return {"type": "task_group", "tasks": tasks}


def widget(about: Subject, draw: Draw) -> Json:
    """A card with the state of things and what can be done about it."""
    heading, line, badge, foot = about.topic.card
    buttons = [
        {"type": "Button", "label": label, "onClickAction": {"type": f"card.{label.lower()}"}}
        for label in ("Confirm", "Cancel", "Details")[: draw.between(1, 3)]
    ]
    title = {"type": "Title", "value": heading, "size": "sm"}
    tag = {"type": "Badge", "label": badge, "color": draw.pick(("info", "success", "warning"))}
    head = {"type": "Row", "children": [title, tag]}
    body = {"type": "Col", "gap": 2, "children": [{"type": "Text", "value": text} for text in (line, foot)]}
    rule = {"type": "Divider"}
    card = {"type": "Card", "size": "md", "children": [head, body, rule, {"type": "Row", "children": buttons}]}
    return {"type": "widget", "widget": _as_json(card, about.facts)}
