"""A conversation, item by item, within the budget of one page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from threads import masking
from threads.chatkit import MAX_LIMIT, ThreadItem
from threads.chatkit.dump import to_json
from threads.chatkit.types import (
    AssistantMessage,
    Attachment,
    ClientToolCall,
    LeftOut,
    Task,
    TaskGroup,
    Unknown,
    UserMessage,
    WidgetItem,
)
from threads.lib import times
from threads.rendering import widgets
from threads.rendering.json_indent import indented
from threads.rendering.page_budget import MAX_CHARACTERS, PageBudget
from threads.rendering.safe_links import Link, link
from threads.sources.query import ItemQuery
from threads.sources.window import Window
from threads.web.links import item_anchor, item_url, items_url

_PAUSE = timedelta(hours=1)
"""A longer gap between two items gets a divider."""

Body = dict[str, Any]
"""The context of an item's template."""

_UNFOLDED = 600
"""Characters of JSON that are shown unfolded."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A foldable block of JSON, or of text that is not JSON. `open` if it is short, `cut` if a part is left out."""

    name: str
    text: str
    open: bool
    cut: bool


@dataclass(frozen=True, slots=True)
class AttachmentLine:
    """An attachment. `link` is its preview if that may be followed; `unsafe` is the preview's address if not."""

    kind: str
    name: str
    mime_type: str | None
    link: Link | None
    unsafe: str | None


@dataclass(frozen=True, slots=True)
class CitedSource:
    """A source that an answer cites; `link` is None if it is no address that may be followed."""

    name: str
    link: Link | None


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """One item. `kind` selects the template of its body, whose context is `body`; `before` are the dividers between it
    and the previous item: a new day, a long pause."""

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
class ReadingProgress:
    """What follows the entries of one page. `next_url` is None at the end of the conversation. `count` is the number of
    items loaded so far, None if the page is from the middle. `lost` says that further items exist but can't be
    reached."""

    next_url: str | None
    first_url: str | None
    previous_url: str | None
    count: int | None
    shown: int
    lost: bool = False


def entries(
    window: Window[ThreadItem], query: ItemQuery, address: str, zone: tzinfo, mask: Sequence[str] | None = None
) -> list[ItemEntry]:
    """The items of a page. `address` is the conversation's, without a query, so that links to items can be passed on.
    With a `mask`, the user ids in it and all e-mail addresses are shortened."""
    page, masking_budget = PageBudget(), masking.MaskingBudget(MAX_CHARACTERS)
    found: list[ItemEntry] = []
    last = _time(query.since)
    rows = window.rows if mask is None else [_masked(item, mask, masking_budget) for item in window.rows]
    for item in rows:
        found.append(_entry(item, last, address, zone, page))
        last = item.created_at or last
    return found


def _masked(item: ThreadItem, known: Sequence[str], budget: masking.MaskingBudget) -> ThreadItem:
    # The id stays: without it, the item's address would lead nowhere.
    body, problems = masking.deep((item.body, item.problems), known, budget)
    return replace(item, body=body, problems=problems, raw=None)


def progress(window: Window[ThreadItem], query: ItemQuery, address: str, encoded_list: str = "") -> ReadingProgress:
    """The links to further items, and how many have been loaded. `encoded_list` as in `links.items_url`."""
    shown = len(window.rows)
    # One that was left out and has no id may stand for several.
    uncounted = any(isinstance(item.body, LeftOut) and item.id is None for item in window.rows)
    count = None if query.count is None or query.before or query.at or uncounted else query.count + shown
    created = [item.created_at for item in window.rows if item.created_at]
    since = int(created[-1].timestamp()) if created else query.since
    onward = ItemQuery(limit=MAX_LIMIT, after=window.last_id, count=count, since=since)
    back = ItemQuery(before=window.first_id)
    return ReadingProgress(
        next_url=items_url(onward, address, encoded_list) if window.has_next and window.last_id else None,
        first_url=items_url(ItemQuery(), address, encoded_list) if query.cursor else None,
        previous_url=items_url(back, address, encoded_list) if window.has_previous and window.first_id else None,
        count=count,
        shown=shown,
        lost=window.lost,
    )


def _entry(item: ThreadItem, last: datetime | None, address: str, zone: tzinfo, page: PageBudget) -> ItemEntry:
    kind, who, present = _KINDS[type(item.body)]
    time = item.created_at
    return ItemEntry(
        kind=kind,
        who=who,
        anchor=item_anchor(item.id) if item.id else None,
        url=item_url(item.id, address) if item.id else None,
        time=times.clock(time, zone) if time else None,
        exact=times.exact_to_seconds(time, zone) if time else None,
        iso=time.isoformat() if time else None,
        before=tuple(_dividers(last, time, zone)) if time else (),
        problems=item.problems,
        body=present(item.body, page),
    )


def _dividers(last: datetime | None, time: datetime, zone: tzinfo) -> Iterable[str]:
    """A pause of more than an hour, and a new day; the first item always has its day."""
    if last is not None and time - last > _PAUSE:
        yield f"{times.rough_duration((time - last).total_seconds())} later"
    if last is None or times.day(last, zone) != times.day(time, zone):
        yield times.day(time, zone)


def _time(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _user_message(body: UserMessage, page: PageBudget) -> Body:
    parts, more_parts = page.fit(body.content)
    files, more_files = page.fit(body.attachments)
    options = [("Model", body.model), ("Tool", body.tool_choice)]
    return {
        "parts": [(part.type == "quoted_text", page.plain(part.text)) for part in parts],
        "files": [_file(each) for each in files],
        "options": [(name, value) for name, value in options if value],
        "left_out": more_parts + more_files,
    }


def _assistant_message(body: AssistantMessage, page: PageBudget) -> Body:
    parts, more_parts = page.fit(body.content)
    sources, more_sources = page.fit(list(dict.fromkeys(each for part in parts for each in part.sources)))
    return {
        "parts": [page.markdown(part.text) for part in parts],
        "sources": [CitedSource(each.value, link(each.value) if each.type == "url" else None) for each in sources],
        "left_out": more_parts + more_sources,
    }


def _file(attachment: Attachment) -> AttachmentLine:
    preview = attachment.preview_url
    known = link(preview) if preview else None
    return AttachmentLine(
        kind="Image" if attachment.type == "image" else "File",
        name=attachment.name or attachment.id or "without a name",
        mime_type=attachment.mime_type,
        link=known,
        unsafe=preview if preview and not known else None,
    )


def _tool_call(body: ClientToolCall, page: PageBudget) -> Body:
    folds = [_fold("Arguments", body.arguments, page), _fold("Output", body.output, page)]
    status = {"in_progress": "In progress", "completed": "Completed"}.get(body.status, body.status)
    return {"name": body.name, "status": status, "call_id": body.call_id, "folds": [each for each in folds if each]}


def _fold(name: str, text: str | None, page: PageBudget) -> Fold | None:
    if text is None:
        return None
    whole = indented(text) or text
    shown = page.cut(whole)
    return Fold(name, shown, open=len(shown) <= _UNFOLDED, cut=shown != whole)


def _task(body: Task, page: PageBudget) -> Body:
    return {"tasks": [_step(body, page)], "left_out": 0}


def _task_group(body: TaskGroup, page: PageBudget) -> Body:
    tasks, left_out = page.fit(body.tasks)
    return {"tasks": [_step(each, page) for each in tasks], "left_out": left_out}


def _step(task: Task, page: PageBudget) -> Body:
    heading = task.heading or ("Thought" if task.task_type == "thought" else "Step without a heading")
    return {
        "heading": heading,
        "thought": task.task_type == "thought",
        "summary": page.markdown(task.summary) if task.summary else None,
    }


def _widget(body: WidgetItem, page: PageBudget) -> Body:
    drawing = widgets.draw(body.json, page)
    fold = _fold("The widget's JSON", body.json, page)
    return {"drawing": drawing, "fold": replace(fold, open=False) if drawing and fold else fold}


def _unknown(body: Unknown, page: PageBudget) -> Body:
    return {"type": body.type, "fold": _fold("What the API sent", to_json(body.raw), page)}


def _left_out(body: LeftOut, _page: PageBudget) -> Body:
    return {"why": body.detail}


_KINDS: dict[type, tuple[str, str, Callable[[Any, PageBudget], Body]]] = {
    UserMessage: ("user_message", "Customer", _user_message),
    AssistantMessage: ("assistant_message", "Assistant", _assistant_message),
    ClientToolCall: ("tool_call", "Tool call", _tool_call),
    Task: ("tasks", "Task", _task),
    TaskGroup: ("tasks", "Tasks", _task_group),
    WidgetItem: ("drawn", "Widget", _widget),
    Unknown: ("unknown", "Unknown item", _unknown),
    LeftOut: ("left_out", "Left out", _left_out),
}
