"""Decodes JSON values into the types of `types.py`. A bad row becomes a row with `problems`; the page is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .errors import Garbled
from .types import Deletion, Page, Status, Thread, ThreadItem
from .values import Fields, is_identifier, json_type

RowT = TypeVar("RowT", Thread, ThreadItem)


def thread(raw: object) -> Thread:
    """One thread. A value that is no JSON object becomes a thread without an id and with `problems`."""
    if not isinstance(raw, dict):
        return Thread(id=None, problems=(f"it is not an object but {json_type(raw)}",), raw=raw)
    fields = Fields(raw)
    return Thread(
        id=fields.identifier("id"),
        created_at=fields.time("created_at"),
        title=fields.text("title"),
        status=_status(fields),
        user=fields.text("user"),
        problems=tuple(fields.problems),
        raw=raw,
    )


def _status(fields: Fields) -> Status | None:
    raw = fields.mapping("status")
    if raw is None:
        return None
    inner = Fields(raw)
    label, reason = inner.text("type"), inner.text("reason")
    if not label:
        inner.problems.append("status has no type")
    fields.problems += inner.problems
    return Status(label, reason) if label else None


def page(raw: object, row: Callable[[object], RowT], *, limit: int) -> Page[RowT]:
    """One page of a list with up to `limit` rows, each decoded by `row`.

    Duplicate ids are dropped. Rows beyond `limit` are left to the next page: its cursor is the last row that was kept.
    Raises `Garbled` where `raw` is not a page, or is an empty page with `has_more`.
    """
    if not isinstance(raw, dict):
        raise Garbled(f"the reply is not a page but {json_type(raw)}")
    if isinstance(raw.get("error"), dict):
        raise Garbled("the reply says 200 and carries an error")
    data = raw.get("data")
    if not isinstance(data, list):
        raise Garbled(f"the page has no rows: its data is {json_type(data)}")
    rows = _distinct(data, row, limit + 1)
    notes: list[str] = []
    first_id, last_id, has_more = raw.get("first_id"), raw.get("last_id"), raw.get("has_more")
    if len(rows) > limit:
        rows, has_more, last_id = rows[:limit], True, None
        notes.append(f"The upstream sent more than the {limit} rows asked for. The others are on the next page.")
    ids = [each.id for each in rows if each.id is not None]
    first = first_id if isinstance(first_id, str) and is_identifier(first_id) else next(iter(ids), None)
    last = last_id if isinstance(last_id, str) and is_identifier(last_id) else next(reversed(ids), None)
    more = has_more if isinstance(has_more, bool) else len(rows) >= limit
    if limit == 0:
        # Without rows there is no cursor, and `has_more` is no contradiction.
        return Page((), None, None, more)
    if more and not rows:
        raise Garbled("the page is empty and says that there is more")
    lost = more and last is None
    if lost:
        more = False
        notes.append("There is more than this, but the upstream gives no way to reach it.")
    return Page(tuple(rows), first, last, more, tuple(notes), lost)


def _distinct(data: list[object], row: Callable[[object], RowT], most: int) -> list[RowT]:
    """The first `most` rows of `data`, each id once. The rest is not decoded."""
    rows: list[RowT] = []
    seen: set[str] = set()
    for raw in data:
        decoded = row(raw)
        if decoded.id is not None:
            if decoded.id in seen:
                continue
            seen.add(decoded.id)
        rows.append(decoded)
        if len(rows) == most:
            break
    return rows


def check_progress(page: Page[RowT], *, cursor: str | None) -> Page[RowT]:
    """`page`, if it moves on from `cursor`. Raises `Garbled` where it holds the cursor's row, which would loop."""
    if cursor is not None and (page.last_id == cursor or any(row.id == cursor for row in page.rows)):
        raise Garbled("the page after a thread holds that thread again")
    return page


def check_thread(page: Page[ThreadItem], thread_id: str) -> Page[ThreadItem]:
    """`page`, if its items belong to this thread. Raises `Garbled` where one names another thread: one user's messages
    must never be shown or stored as another's."""
    if any(row.thread_id not in {None, thread_id} for row in page.rows):
        raise Garbled("the reply has items of another thread")
    return page


def single_thread(raw: object, thread_id: str) -> Thread:
    """The thread in the reply to a request for it. Raises `Garbled` where the reply is not that thread."""
    decoded = thread(raw)
    if decoded.id is None:
        raise Garbled("the reply is not a thread")
    if decoded.id != thread_id:
        raise Garbled("the reply is about another thread")
    return decoded


def deletion(raw: object) -> Deletion:
    """The reply to a delete. Raises `Garbled` where it lacks the id or `deleted`."""
    if isinstance(raw, dict):
        fields = Fields(raw)
        identifier, deleted = fields.identifier("id"), raw.get("deleted")
        if identifier is not None and isinstance(deleted, bool):
            return Deletion(identifier, deleted)
    raise Garbled("the reply does not say whether the thread is deleted")
