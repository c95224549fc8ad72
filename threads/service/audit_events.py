"""Audit events for the lists and conversations that an account reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threads.archive.statement_timeout import QueryTimeout
from threads.archive.thread_info import search_units
from threads.audit.record import Action, Outcome, record
from threads.sources.query import ItemQuery, ThreadQuery

from .results import Listing


def record_list(
    query: ThreadQuery,
    listing: Listing | None,
    *,
    beside: str = "",
    outcome: Outcome = Outcome.DONE,
    **detail: object,
) -> None:
    """Records a list that is filtered by user or otherwise, with the whole query. A plain list of all threads is not
    recorded. `beside` is the id of the thread whose page shows the list; `detail` is added to the event."""
    if not query.user and not query.filters:
        return
    detail = {"list": query.encoded(), **detail}
    if query.q is not None:
        detail["words"] = list(search_units(query.q))
    if listing is not None:
        detail |= {"threads": len(listing.window.rows), **_source(archived=listing.archived)}
    if beside:
        detail["beside"] = True
    elif listing is not None and any(each.last and not each.hit for each in listing.about.values()):
        detail["previews"] = True
    record(Action.SEARCH, outcome, thread_id=beside, user_id=query.user or "", detail=detail)


@contextmanager
def failure_recorded(query: ThreadQuery, **detail: str) -> Iterator[None]:
    """Records a search that the statement timeout ends: it shows no rows, but what was searched for is on record."""
    try:
        yield
    except QueryTimeout:
        record_list(query, None, outcome=Outcome.FAILED, reason="it took too long", **detail)
        raise


def record_conversation(thread_id: str, query: ItemQuery, *, user: str = "", archived: bool = False) -> None:
    """Records that one page of a conversation was read. `user` is the thread's user."""
    place = {} if query.is_latest else {"items": query.encoded()}
    record(Action.READ, thread_id=thread_id, user_id=user, detail=place | _source(archived=archived))


def record_suggestions(typed: str, users: int) -> None:
    """Records that `users` user ids were suggested for what an account typed."""
    record(Action.SEARCH, detail={"typed": typed, "users": users})


def _source(*, archived: bool) -> dict[str, str]:
    return {"from": "archive"} if archived else {}
