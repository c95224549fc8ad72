"""Whatever strangers write, twice as much of it takes about twice as long, in every function that reads it."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest

from dashboard.monitoring.logs import LineFormatter
from threads import masking
from threads.chatkit import Status, Thread, dump
from threads.chatkit.errors import ChatKitError
from threads.chatkit.items import item
from threads.chatkit.parse import first_row_id, parse
from threads.chatkit.values import replace_surrogates
from threads.exports import filenames, transcript
from threads.lib import safe_csv
from threads.rendering import json_indent, markdown, widgets
from threads.rendering.escape import attribute_text, visible
from threads.rendering.page_budget import PageBudget
from threads.rendering.safe_links import link
from threads.sources.query import ItemQuery
from threads.sources.window import Window
from threads.web import pasted_address
from threads.web.presenters.conversation import entries
from threads.web.presenters.thread_rows import mask, row

NOW = datetime(2026, 11, 25, tzinfo=UTC)

REPEATED = [
    *"a.@%&-`[<|/\\\"'=; \n\té\u0301\u202e\U0001f600\ud800",
    "a@", "a.", "@ ", "%40", "a%40!", "%4", "&#0", "&#64;", "\\u0040", "\\u", "\\/", "\\\"", "user_12", "user_1",
    "USER%2F1", "[a](", "![", "*_", "- ", "> ", "|a", "a?b ", "/a", "http://a.", "1-", "\r\n", '{"a":', '["',
    "\"\\\"", "a\n", "`` ` ", "<!--", "\u0130", ";\t",
]  # fmt: skip
"""What a text is made of, over and over: each sign that a pattern knows, and what nearly fits one."""

KNOWN = ("user_12", "user/1", "a b")


def _of_a_message(text: str) -> dict[str, object]:
    return {"id": "i", "type": "chatkit.assistant_message", "content": [{"type": "output_text", "text": text}]}


def _of_a_customer(text: str) -> dict[str, object]:
    part = {"type": "input_text", "text": text}
    file = {"type": "file", "id": "f", "name": text, "mime_type": text, "preview_url": text}
    return {
        "id": "i",
        "type": "chatkit.user_message",
        "content": [part],
        "attachments": [file],
        "inference_options": None,
    }


def _window(*sent: Mapping[str, object]) -> Window:  # type: ignore[type-arg]
    return Window(tuple(item(each) for each in sent), "i", "i", has_previous=False, has_next=False)


def _page(text: str, known: tuple[str, ...] | None) -> None:
    call = {
        "id": "i",
        "type": "chatkit.client_tool_call",
        "status": text,
        "call_id": "c",
        "name": text,
        "arguments": text,
    }
    entries(_window(_of_a_message(text), _of_a_customer(text), call), ItemQuery(), "/threads/t/", UTC, known)


def _row(text: str) -> Thread:
    text = replace_surrogates(text)
    return Thread(
        id="t", title=text, user=text[:512], status=Status(text, text), problems=(text,), created_at=NOW, raw={}
    )


def _written(text: str) -> None:
    window = _window(_of_a_message(text), _of_a_customer(text), {"id": "i", "type": "x", "y": text})
    list(transcript.as_markdown(_row(text), iter([window]), NOW, UTC))
    list(transcript.as_json(_row(text), iter([window])))


def _drawn(text: str) -> None:
    parts = [{"type": kind, "value": text} for kind in ("Text", "Markdown", "Title", text[:100])]
    chart = {
        "type": "Chart",
        "data": [{"x": text, "y": 1}],
        "xAxis": "x",
        "series": [{"type": "bar", "dataKey": "y", "label": text}],
    }
    image = {"type": "Image", "src": text, "alt": text}
    widgets.draw(json.dumps({"type": "Card", "children": [*parts, chart, image]}), PageBudget())
    widgets.draw(text)


def _read(text: str) -> None:
    body = text.encode("utf-8", "replace")
    for sent in (body, b'{"data":[{"id":"' + body, b"[" + b"," * 250_001 + b'"' + body):
        first_row_id(sent)
        try:
            parse(sent)
        except ChatKitError:
            continue


def _logged(text: str) -> None:
    LineFormatter().format(logging.LogRecord("desk", logging.WARNING, "", 0, "%s", (text,), None))


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "masking.text": lambda text: masking.text(text, KNOWN),
    "masking.deep": lambda text: masking.deep({"a": [text, json.dumps(text) + "\\u", text + "\\u"]}, KNOWN),
    "masking.deep, cut": lambda text: masking.deep(text, KNOWN, masking.MaskingBudget(len(text) - 9)),
    "masking.has_email": masking.has_email,
    "visible": lambda text: (visible(text), visible(text, len(text)), attribute_text(text), attribute_text(text, None)),
    "markdown": markdown.markdown,
    "pretty": lambda text: (json_indent.indented(text), json_indent.indented(json.dumps([text, {text: text}]))),
    "raw": lambda text: (dump.to_json(text), dump.to_json([text, float("nan")])),
    "link": lambda text: [link(before + text[:4000]) for before in ("", "http://", "https://a/", "mailto:")],
    "csv": lambda text: safe_csv.csv_line([text, "=" + text]),
    "finding": lambda text: (pasted_address.thread_in(text), pasted_address.thread_in(f"https://a/threads/{text}")),
    "names": lambda text: (
        filenames.safe_part(text, "x"),
        filenames.content_disposition(filenames.safe_part(text, "x")),
    ),
    "a page": lambda text: _page(text, None),
    "a page, masked": lambda text: _page(text, KNOWN),
    "a row": lambda text: mask(row(_row(text), None, "", "", NOW, UTC)),
    "a transcript": _written,
    "a widget": _drawn,
    "a reply": _read,
    "a line of the log": _logged,
}

QUICK = {"a line of the log", "csv", "finding", "masking.text"}
"""These get more, so that the square of it is seen."""

LENGTH = 8_000
"""What takes the square of this is seen at four times of it; what doesn't takes some milliseconds."""


def _seconds(act: Callable[[str], object], text: str) -> float:
    """Of this thread alone: others may be at work on the machine."""
    began = time.thread_time()
    act(text)
    return time.thread_time() - began


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_four_times_as_much_takes_about_four_times_as_long(name: str) -> None:
    act = FUNCTIONS[name]
    size = 4 * LENGTH if name in QUICK else LENGTH
    act("a" * size)
    slow = Counter[str]()
    for part in REPEATED:
        short, long = (((part * length)[:length] + "@") for length in (size, 4 * size))
        if _seconds(act, long) < 0.05:
            continue
        few = min(_seconds(act, short) for _ in range(3))
        many = min(_seconds(act, long) for _ in range(3))
        if many > 8 * few + 0.05:
            slow[part] = round(1000 * many)
    assert not slow, f"milliseconds: {slow}"


@pytest.mark.slow
def test_a_message_of_five_megabytes_is_masked_as_far_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Counter[str]()
    text = masking.text

    def counted(said: str, known: tuple[str, ...] = ()) -> str:
        seen["characters"] += len(said)
        return text(said, known)

    monkeypatch.setattr(masking, "text", counted)
    shown = entries(_window(_of_a_message("a" * 5_000_000 + "@b")), ItemQuery(), "/", UTC, KNOWN)
    assert seen["characters"] < 2_100_000
    assert "3,000,002 more characters are left out" in str(shown[0].body["parts"][0])
