"""A conversation, item by item, as everything that a template needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from threads import masking
from threads.chatkit import MAX_LIMIT, ThreadItem
from threads.chatkit.dump import dumped
from threads.chatkit.types import (
    AssistantMessage,
    Attachment,
    ClientToolCall,
    LeftOut,
    Task,
    TaskGroup,
    Unknown,
    UserMessage,
    Widget,
)
from threads.lib import times as when
from threads.rendering import widgets
from threads.rendering.json_indent import indented
from threads.rendering.page_budget import CHARACTERS, Allowance
from threads.rendering.safe_links import Link, link
from threads.sources.query import ItemQuery
from threads.sources.window import Window
from threads.web.links import at, place

_PAUSE = timedelta(hours=1)
_SHORT = 600
"""Characters of JSON that are shown unfolded."""


@dataclass(frozen=True, slots=True)
class Fold:
    """JSON, or text where it is none, under a name; `open` where it is short, `cut` where a part is left out."""

    name: str
    text: str
    open: bool
    cut: bool


@dataclass(frozen=True, slots=True)
class File:
    """An attachment. `link` leads to its preview, None where there is none that may be followed."""

    kind: str
    name: str
    mime_type: str | None
    link: Link | None
    unsafe: str | None


@dataclass(frozen=True, slots=True)
class Cited:
    """What an answer cites: an address that may be followed, or a name."""

    name: str
    link: Link | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One item. `kind` names the template of its body, which gets `body`; `before` is what divides it from the item
    before: a day, or a pause."""

    kind: str
    who: str
    anchor: str | None
    url: str | None
    time: str | None
    exact: str | None
    iso: str | None
    before: tuple[str, ...]
    problems: tuple[str, ...]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class More:
    """What stands at the end of the entries. `next_url` is None at the end of the conversation; `count` is how many
    items have been loaded up to here, None where nobody counted from the beginning. `lost`: there is more, which can't
    be reached."""

    next_url: str | None
    first_url: str | None
    previous_url: str | None
    count: int | None
    shown: int
    lost: bool = False


def entries(
    window: Window[ThreadItem], query: ItemQuery, address: str, zone: tzinfo, mask: Sequence[str] | None = None
) -> list[Entry]:
    """The items of a window. `address` is the conversation's own, without a query: what is copied is for others. With a
    `mask`, e-mail addresses in them are shortened, and the user ids that it holds."""
    allowance, budget = Allowance(), masking.Budget(CHARACTERS)
    made: list[Entry] = []
    last = _time(query.since)
    rows = window.rows if mask is None else [_masked(item, mask, budget) for item in window.rows]
    for item in rows:
        made.append(_entry(item, last, address, zone, allowance))
        last = item.created_at or last
    return made


def _masked(item: ThreadItem, known: Sequence[str], budget: masking.Budget) -> ThreadItem:
    """Its id stays: its address would lead nowhere."""
    body, problems = masking.deep((item.body, item.problems), known, budget)
    return replace(item, body=body, problems=problems, raw=None)


def more(window: Window[ThreadItem], query: ItemQuery, address: str, here: str = "") -> More:
    """The way on, and what has been seen so far. `here` is the list that the thread was opened from, as in `place`."""
    shown = len(window.rows)
    # What has no id may stand for several.
    uncounted = any(isinstance(item.body, LeftOut) and item.id is None for item in window.rows)
    count = None if query.count is None or query.before or query.at or uncounted else query.count + shown
    times = [item.created_at for item in window.rows if item.created_at]
    since = int(times[-1].timestamp()) if times else query.since
    onward = ItemQuery(limit=MAX_LIMIT, after=window.last_id, count=count, since=since)
    back = ItemQuery(before=window.first_id)
    return More(
        next_url=place(onward, address, here) if window.has_next and window.last_id else None,
        first_url=place(ItemQuery(), address, here) if query.cursor else None,
        previous_url=place(back, address, here) if window.has_previous and window.first_id else None,
        count=count,
        shown=shown,
        lost=window.lost,
    )


def _entry(item: ThreadItem, last: datetime | None, address: str, zone: tzinfo, allowance: Allowance) -> Entry:
    kind, who, present = _KINDS[type(item.body)]
    anchor, url = at(item.id, address) if item.id else (None, None)
    time = item.created_at
    return Entry(
        kind=kind,
        who=who,
        anchor=anchor,
        url=url,
        time=when.clock(time, zone) if time else None,
        exact=when.exact_to_seconds(time, zone) if time else None,
        iso=time.isoformat() if time else None,
        before=tuple(_dividers(last, time, zone)) if time else (),
        problems=item.problems,
        body=present(item.body, allowance),
    )


def _dividers(last: datetime | None, time: datetime, zone: tzinfo) -> Iterable[str]:
    """A pause of more than an hour, and a new day. The first item has its day."""
    if last is not None and time - last > _PAUSE:
        yield f"{when.about((time - last).total_seconds())} later"
    if last is None or when.day(last, zone) != when.day(time, zone):
        yield when.day(time, zone)


def _time(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _user_message(body: UserMessage, allowance: Allowance) -> Presented:
    parts, more_parts = allowance.some(body.content)
    files, more_files = allowance.some(body.attachments)
    said = [("Model", body.model), ("Tool", body.tool_choice)]
    return {
        "parts": [(part.type == "quoted_text", allowance.plain(part.text)) for part in parts],
        "files": [_file(each) for each in files],
        "options": [(name, value) for name, value in said if value],
        "left_out": more_parts + more_files,
    }


def _assistant_message(body: AssistantMessage, allowance: Allowance) -> Presented:
    parts, more_parts = allowance.some(body.content)
    sources, more_sources = allowance.some(list(dict.fromkeys(each for part in parts for each in part.sources)))
    return {
        "parts": [allowance.markdown(part.text) for part in parts],
        "sources": [Cited(each.value, link(each.value) if each.type == "url" else None) for each in sources],
        "left_out": more_parts + more_sources,
    }


def _file(attachment: Attachment) -> File:
    preview = attachment.preview_url
    known = link(preview) if preview else None
    return File(
        kind="Image" if attachment.type == "image" else "File",
        name=attachment.name or attachment.id or "without a name",
        mime_type=attachment.mime_type,
        link=known,
        unsafe=preview if preview and not known else None,
    )


def _tool_call(body: ClientToolCall, allowance: Allowance) -> Presented:
    folds = [_fold("Arguments", body.arguments, allowance), _fold("Output", body.output, allowance)]
    status = {"in_progress": "In progress", "completed": "Completed"}.get(body.status, body.status)
    return {"name": body.name, "status": status, "call_id": body.call_id, "folds": [each for each in folds if each]}


def _fold(name: str, text: str | None, allowance: Allowance) -> Fold | None:
    if text is None:
        return None
    whole = indented(text) or text
    shown = allowance.cut(whole)
    return Fold(name, shown, open=len(shown) <= _SHORT, cut=shown != whole)


def _task(body: Task, allowance: Allowance) -> Presented:
    return {"tasks": [_step(body, allowance)], "left_out": 0}


def _task_group(body: TaskGroup, allowance: Allowance) -> Presented:
    tasks, left_out = allowance.some(body.tasks)
    return {"tasks": [_step(each, allowance) for each in tasks], "left_out": left_out}


def _step(task: Task, allowance: Allowance) -> Presented:
    heading = task.heading or ("Thought" if task.task_type == "thought" else "Step without a heading")
    return {
        "heading": heading,
        "thought": task.task_type == "thought",
        "summary": allowance.markdown(task.summary) if task.summary else None,
    }


def _widget(body: Widget, allowance: Allowance) -> Presented:
    drawing = widgets.draw(body.json, allowance)
    fold = _fold("The widget's JSON", body.json, allowance)
    return {"drawing": drawing, "fold": replace(fold, open=False) if drawing and fold else fold}


def _unknown(body: Unknown, allowance: Allowance) -> Presented:
    return {"type": body.type, "fold": _fold("What the API sent", dumped(body.raw), allowance)}


def _left_out(body: LeftOut, _allowance: Allowance) -> Presented:
    return {"why": body.detail}


Presented = dict[str, Any]

_KINDS: dict[type, tuple[str, str, Callable[[Any, Allowance], Presented]]] = {
    UserMessage: ("user_message", "Customer", _user_message),
    AssistantMessage: ("assistant_message", "Assistant", _assistant_message),
    ClientToolCall: ("tool_call", "Tool call", _tool_call),
    Task: ("tasks", "Task", _task),
    TaskGroup: ("tasks", "Tasks", _task_group),
    Widget: ("drawn", "Widget", _widget),
    Unknown: ("unknown", "Unknown item", _unknown),
    LeftOut: ("left_out", "Left out", _left_out),
}
