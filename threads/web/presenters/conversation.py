"""A conversation, item by item, within the budget of one page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

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

_CONTINUES = timedelta(minutes=5)
"""A message within this time of the one before it, by the same side, stands under the same name and time."""

Body = dict[str, Any]
"""The context of an item's template."""

Part = Literal["page", "earlier", "later"]
"""A whole page of a conversation, or the items that htmx puts above or below one."""

_UNFOLDED = 600
"""Characters of JSON that are shown unfolded."""

_STEPS_NAMED = 4
"""Steps that the line of a group names. It counts the others."""

_NAME_LENGTH = 80
"""Characters of a step's name in that line. The whole name is in the group."""

_FAILURES = {"failed", "failure", "error", "errored", "incomplete", "cancelled", "canceled", "expired", "timed_out"}
"""Statuses of tool calls that are failures. The OpenAPI document has "in_progress" and "completed" alone."""


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
class Step:
    """A tool call or a task as the line of its group names it. `outcome` is "" for a task, which has none."""

    name: str
    is_call: bool
    outcome: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """One item. `kind` selects the template of its body, whose context is `body`; `before` are the dividers between it
    and the previous item: a new day, a long pause.

    `side` is "customer" or "assistant" for what one of them says, else "". `same` tells whether the item goes on under
    the name and time of the one before it. `steps` are what it is in a group of steps; empty for an item that is none.
    """

    kind: str
    who: str
    side: str
    same: bool
    steps: tuple[Step, ...]
    anchor: str | None
    url: str | None
    time: str | None
    exact: str | None
    iso: str | None
    before: tuple[str, ...]
    problems: tuple[str, ...]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Block:
    """One item, or consecutive steps between two messages, folded to one line.

    The line counts the steps and names the first; `unnamed` and `unnamed_failed` count the others and the failed ones
    among them. `unread` tells whether a part of a step could not be read. `open` is for a group that holds the item
    which the address names.
    """

    entries: tuple[ItemEntry, ...]
    before: tuple[str, ...] = ()
    count: int = 0
    steps: tuple[Step, ...] = ()
    unnamed: int = 0
    unnamed_failed: int = 0
    unread: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class ItemPage:
    """The items of one page. `above` and `below` are the dividers at its ends: a page that is put above this one takes
    the place of `above`, and brings what then divides the two as its own `below`."""

    blocks: list[Block] = field(default_factory=list)
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    @property
    def has_widget(self) -> bool:
        """Whether the page needs the styles of widgets."""
        return any(entry.kind == "drawn" for block in self.blocks for entry in block.entries)

    @property
    def last_anchor(self) -> str | None:
        """The anchor of the last item, if it has one."""
        return self.blocks[-1].entries[-1].anchor if self.blocks else None


@dataclass(frozen=True, slots=True)
class ReadingProgress:
    """What stands above and below the items of one page. `previous_url` and `next_url` are None at the ends of the
    conversation, `beginning_url` and `latest_url` where the page has them.

    `count` is the number of items from the beginning to the end of this page, `count_to_end` from its first item to the
    end of the conversation; each None where it is not known. `lost_before` and `lost` say that further items exist but
    can't be reached.
    """

    next_url: str | None
    previous_url: str | None
    beginning_url: str | None
    latest_url: str | None
    count: int | None
    count_to_end: int | None
    shown: int
    lost_before: bool = False
    lost: bool = False


def item_page(
    window: Window[ThreadItem],
    query: ItemQuery,
    address: str,
    zone: tzinfo,
    mask: Sequence[str] | None = None,
    part: Part = "page",
) -> ItemPage:
    """The items of a page, steps folded, with the parameters of `entries`."""
    if part == "later":
        return ItemPage(_blocks(entries(window, query, address, zone, mask), query.at))
    # The first day of the page stands above it, until earlier items take that place.
    found = entries(window, replace(query, since=None), address, zone, mask)
    first = next((place for place, entry in enumerate(found) if entry.iso), None)
    beyond = _time(query.since) if part == "earlier" else None
    if first is None:
        return ItemPage(_blocks(found, query.at), above=tuple(_dividers(None, beyond, zone)) if beyond else ())
    above = found[first].before
    found[first] = replace(found[first], before=())
    last = next(item.created_at for item in reversed(window.rows) if item.created_at)
    return ItemPage(_blocks(found, query.at), above, tuple(_dividers(last, beyond, zone)) if beyond else ())


def entries(
    window: Window[ThreadItem], query: ItemQuery, address: str, zone: tzinfo, mask: Sequence[str] | None = None
) -> list[ItemEntry]:
    """The items of a page. `address` is the conversation's, without a query, so that links to items can be passed on.
    With a `mask`, the user ids in it and all e-mail addresses are shortened."""
    page, masking_budget = PageBudget(), masking.MaskingBudget(MAX_CHARACTERS)
    found: list[ItemEntry] = []
    last = _time(query.since)
    rows = window.rows if mask is None else [_masked(item, mask, masking_budget) for item in window.rows]
    former: ThreadItem | None = None
    for item in rows:
        entry = _entry(item, last, address, zone, page)
        found.append(replace(entry, same=not entry.before and former is not None and _continues(former, item)))
        last = item.created_at or last
        former = item
    return found


def _continues(former: ThreadItem, item: ThreadItem) -> bool:
    """Whether an item is by the same side as the one before it, and follows it within `_CONTINUES`."""
    if type(former.body) is not type(item.body) or not isinstance(item.body, UserMessage | AssistantMessage):
        return False
    if former.created_at is None or item.created_at is None:
        return False
    return timedelta(0) <= item.created_at - former.created_at <= _CONTINUES


def _blocks(entries: Sequence[ItemEntry], at: str | None) -> list[Block]:
    """The entries, with consecutive steps as one block. A divider ends a group, since it would be folded with it."""
    groups: list[list[ItemEntry]] = []
    for entry in entries:
        if groups and entry.steps and groups[-1][0].steps and not entry.before:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return [_folded(tuple(each), at) if each[0].steps else Block((each[0],), each[0].before) for each in groups]


def _folded(entries: tuple[ItemEntry, ...], at: str | None) -> Block:
    steps = [step for entry in entries for step in entry.steps]
    unnamed = steps[_STEPS_NAMED:]
    return Block(
        entries=entries,
        before=entries[0].before,
        count=len(steps),
        steps=tuple(steps[:_STEPS_NAMED]),
        unnamed=len(unnamed),
        unnamed_failed=sum(step.failed for step in unnamed),
        unread=any(entry.problems for entry in entries),
        open=at is not None and any(entry.anchor == item_anchor(at) for entry in entries),
    )


def _masked(item: ThreadItem, known: Sequence[str], budget: masking.MaskingBudget) -> ThreadItem:
    # The id stays: without it, the item's address would lead nowhere.
    body, problems = masking.deep((item.body, item.problems), known, budget)
    return replace(item, body=body, problems=problems, raw=None)


def progress(window: Window[ThreadItem], query: ItemQuery, address: str, encoded_list: str = "") -> ReadingProgress:
    """The links to further items, and how many have been loaded. `encoded_list` as in `links.items_url`."""
    shown = len(window.rows)
    earlier, later = window.has_previous or window.lost_before, window.has_next or window.lost
    # Items before and after the page: a page at an end of the conversation has none there.
    before = query.count if query.after else None if earlier or (query.before and not shown) else 0
    after = query.count if query.before else None if later else 0
    # One that was left out and has no id may stand for several.
    uncounted = any(isinstance(item.body, LeftOut) and item.id is None for item in window.rows)
    count = None if before is None or uncounted else before + shown
    count_to_end = None if after is None or uncounted else after + shown
    created = [int(item.created_at.timestamp()) for item in window.rows if item.created_at]
    onward = ItemQuery(
        limit=MAX_LIMIT, after=window.last_id, count=count, since=created[-1] if created else query.since
    )
    back = ItemQuery(
        limit=MAX_LIMIT, before=window.first_id, count=count_to_end, since=created[0] if created else query.since
    )
    return ReadingProgress(
        next_url=items_url(onward, address, encoded_list) if window.has_next and window.last_id else None,
        previous_url=items_url(back, address, encoded_list) if window.has_previous and window.first_id else None,
        beginning_url=items_url(ItemQuery(from_beginning=True), address, encoded_list) if earlier else None,
        latest_url=items_url(ItemQuery(), address, encoded_list) if later else None,
        count=count,
        count_to_end=count_to_end,
        shown=shown,
        lost_before=window.lost_before,
        lost=window.lost,
    )


def _entry(item: ThreadItem, last: datetime | None, address: str, zone: tzinfo, page: PageBudget) -> ItemEntry:
    kind, who, side, present = _KINDS[type(item.body)]
    time = item.created_at
    return ItemEntry(
        kind=kind,
        who=who,
        side=side,
        same=False,
        steps=tuple(_steps(item.body)),
        anchor=item_anchor(item.id) if item.id else None,
        url=item_url(item.id, address) if item.id else None,
        time=times.clock(time, zone) if time else None,
        exact=times.exact_to_seconds(time, zone) if time else None,
        iso=time.isoformat() if time else None,
        before=tuple(_dividers(last, time, zone)) if time else (),
        problems=item.problems,
        body=present(item.body, page),
    )


def _steps(body: Any) -> Iterable[Step]:
    """What the line of a group says about an item: one for a tool call, one for each task."""
    if isinstance(body, ClientToolCall):
        words = {"in_progress": "in progress", "completed": "done"}.get(body.status, body.status)
        yield Step(_shortened(body.name or "without a name"), True, _shortened(words), body.status.lower() in _FAILURES)
    tasks = (body,) if isinstance(body, Task) else body.tasks if isinstance(body, TaskGroup) else ()
    for task in tasks:
        yield Step(_shortened(_heading(task)), False)
    if isinstance(body, TaskGroup) and not tasks:
        yield Step("Tasks", False)


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"{name[:_NAME_LENGTH]}…"


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


def _heading(task: Task) -> str:
    return task.heading or ("Thought" if task.task_type == "thought" else "Step without a heading")


def _step(task: Task, page: PageBudget) -> Body:
    return {
        "heading": _heading(task),
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


_KINDS: dict[type, tuple[str, str, str, Callable[[Any, PageBudget], Body]]] = {
    UserMessage: ("user_message", "Customer", "customer", _user_message),
    AssistantMessage: ("assistant_message", "Assistant", "assistant", _assistant_message),
    ClientToolCall: ("tool_call", "Tool call", "", _tool_call),
    Task: ("tasks", "Task", "", _task),
    TaskGroup: ("tasks", "Tasks", "", _task_group),
    WidgetItem: ("drawn", "Widget", "assistant", _widget),
    Unknown: ("unknown", "Unknown item", "", _unknown),
    LeftOut: ("left_out", "Left out", "", _left_out),
}
"""By type of body: the template, the name, the side, and the function that makes the template's context."""
