"""Generators for the six item types. Each returns the type-specific fields of one item."""

import json
from typing import Any

from .placeholders import Facts, fill
from .seeded_random import SeededRandom
from .subject import Subject

Json = dict[str, Any]

_MODELS = ("gpt-5", "gpt-5-mini", None)
_TOOLS = ("web_search", "file_search", "order_lookup")


def _as_json(template: object, facts: Facts) -> str:
    return json.dumps(fill(template, facts), ensure_ascii=False)


def _attachment(about: Subject, rng: SeededRandom) -> Json:
    name, mime_type = rng.pick(about.topic.files)
    image = mime_type.startswith("image/")
    ident = f"cfile_{rng.bits():016x}"
    preview = f"https://files.example/preview/{ident}?size=256" if image and rng.odds(70) else None
    return {
        "type": "image" if image else "file",
        "id": ident,
        "name": name.format_map(about.facts).replace(" ", "-"),
        "mime_type": mime_type,
        "preview_url": preview,
    }


def _inference_options(rng: SeededRandom) -> Json | None:
    if rng.odds(80):
        return None
    choice = {"id": rng.pick(_TOOLS)} if rng.odds(50) else None
    return {"tool_choice": choice, "model": rng.pick(_MODELS)}


def question(text: str, about: Subject, rng: SeededRandom | None) -> Json:
    """A user message. Without `rng` it has text only."""
    content = [{"type": "input_text", "text": text.format_map(about.facts)}]
    attachments, options = [], None
    if rng:
        if rng.odds(10):
            quoted = about.opening.answer.format_map(about.facts).partition("\n")[0]
            content.insert(0, {"type": "quoted_text", "text": quoted})
        if rng.odds(14):
            attachments = [_attachment(about, rng) for _ in range(rng.between(1, 2))]
        options = _inference_options(rng)
    return {
        "type": "user_message",
        "content": content,
        "attachments": attachments,
        "inference_options": options,
    }


def _annotations(about: Subject, rng: SeededRandom) -> list[Json]:
    notes: list[Json] = []
    if rng.odds(30):
        notes.append({"type": "url", "source": {"type": "url", "url": about.topic.link}})
    if rng.odds(15):
        filename = about.topic.link.rpartition("/")[2] + "-handbook.pdf"
        notes.append({"type": "file", "source": {"type": "file", "filename": filename}})
    return notes


def answer(text: str, about: Subject, rng: SeededRandom | None) -> Json:
    """An assistant message in Markdown. Without `rng` it has no annotations."""
    part = {
        "type": "output_text",
        "text": text.format_map(about.facts),
        "annotations": _annotations(about, rng) if rng else [],
    }
    return {"type": "assistant_message", "content": [part]}


def tool_call(about: Subject, rng: SeededRandom) -> Json:
    """A completed client tool call."""
    name, arguments, output = about.topic.call
    return {
        "type": "client_tool_call",
        "status": "completed",
        "call_id": f"call_{rng.bits():016x}{rng.below(2**32):08x}",
        "name": name,
        "arguments": _as_json(arguments, about.facts),
        "output": _as_json(output, about.facts),
    }


def _step(about: Subject, rng: SeededRandom) -> tuple[str | None, str | None]:
    heading, summary = rng.pick(about.topic.steps)
    text = summary.format_map(about.facts) if rng.odds(80) else None
    return heading.format_map(about.facts) if rng.odds(92) else None, text


def task(about: Subject, rng: SeededRandom) -> Json:
    """A task: a workflow step or a thought."""
    heading, summary = _step(about, rng)
    kind = "thought" if rng.odds(35) else "custom"
    return {"type": "task", "task_type": kind, "heading": heading, "summary": summary}


def task_group(about: Subject, rng: SeededRandom) -> Json:
    """A task group."""
    tasks = []
    for heading, summary in about.topic.steps:
        filled = fill({"heading": heading, "summary": summary}, about.facts)
        tasks.append({"type": rng.pick(("custom", "custom", "thought")), **dict(filled)})  # type: ignore[call-overload]
    return {"type": "task_group", "tasks": tasks}


def widget(about: Subject, rng: SeededRandom) -> Json:
    """A widget: a card with details and buttons."""
    heading, line, badge, foot = about.topic.card
    buttons = [
        {"type": "Button", "label": label, "onClickAction": {"type": f"card.{label.lower()}"}}
        for label in ("Confirm", "Cancel", "Details")[: rng.between(1, 3)]
    ]
    title = {"type": "Title", "value": heading, "size": "sm"}
    tag = {"type": "Badge", "label": badge, "color": rng.pick(("info", "success", "warning"))}
    head = {"type": "Row", "children": [title, tag]}
    body = {"type": "Col", "gap": 2, "children": [{"type": "Text", "value": text} for text in (line, foot)]}
    rule = {"type": "Divider"}
    card = {"type": "Card", "size": "md", "children": [head, body, rule, {"type": "Row", "children": buttons}]}
    return {"type": "widget", "widget": _as_json(card, about.facts)}
