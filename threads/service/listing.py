"""What a page may ask for, and who answers it: the live API where it can, the archive where only that can."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from threads.archive import database_guard
from threads.archive import thread_info as about
from threads.archive.deletions import Evidence, Verdict
from threads.archive.models import Person
from threads.archive.search.source import ArchiveSource
from threads.archive.statement_timeout import TooSlow, for_a_page
from threads.archive.thread_info import About, Lacking, searched_for
from threads.audit.record import Action, Outcome, record
from threads.chatkit import (
    MAX_LIMIT,
    ChatKitError,
    CursorGone,
    NotFound,
    Retired,
    Thread,
    ThreadItem,
    TooLarge,
    is_cursor,
    pages,
)
from threads.sources import upstream
from threads.sources.live import LiveSource
from threads.sources.query import DEFAULT_LIMIT, ItemQuery, ThreadQuery
from threads.sources.window import ThreadSource, Window

from .outage import Outage, is_outage, watch

AnswerT = TypeVar("AnswerT")

_log = logging.getLogger(__name__)


class NeedsArchiveError(Exception):
    """What is asked for only the archive could answer, and it is switched off."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of threads. `archived` is whether it came from the archive, `outage` why, where the live API should have
    answered; `about` is what the archive knows of each row; `counts` how many threads have each status, None where that
    is not counted. `query` is the one that was answered."""

    query: ThreadQuery
    window: Window[Thread]
    archived: bool = False
    outage: Outage | None = None
    about: dict[str, About] = field(default_factory=dict)
    counts: dict[str, int] | None = None
    lacking: Lacking | None = None
    """What the archive does not have yet, where it answered or counted; None for nothing."""
    doubt: str = ""
    """Why the live list is not believed, and the archive answered in its place."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread and a page of its items, or why they could not be had. `archived` is whether they are the archive's,
    `outage` why, where the upstream failed; `doubt` says why the upstream is not believed that it has no such
    thread."""

    thread: Thread
    items: Window[ThreadItem] | None
    fault: ChatKitError | None = None
    outage: Outage | None = None
    about: About | None = None
    archived: bool = False
    doubt: str = ""


def list_threads(query: ThreadQuery, zone: tzinfo = UTC) -> Listing:
    """One page of threads; of a user's, those alone that are theirs for sure. `zone` is where days begin. The trail
    tells of it where it was somebody's, or searched for. Raises `ChatKitError`, and `NeedsArchiveError`."""
    with for_a_page(), _recorded_where_too_slow(query):
        found = _theirs(_listed(query, zone))
    _record_list(found.query, found)
    return found


def others(thread_id: str) -> Listing | None:
    """The newest threads of the user of this one, itself among them; None where it is nobody's. The trail tells of it.
    Raises `ChatKitError`."""
    kept = about.owner(thread_id) if about.is_on() else None
    user = kept or owner(thread_id)
    if not user:
        return None
    query = ThreadQuery(user=user)
    with for_a_page(), _recorded_where_too_slow(query, beside=thread_id):
        found = _theirs(_listed(query, UTC))
    _record_list(found.query, found, beside=thread_id)
    return found


def handed_over(query: ThreadQuery, zone: tzinfo = UTC) -> Listing:
    """One page of a list that is exported, as `list_threads` gives it, but with all rows that came. Only the first is
    counted; the trail has the export. Raises as `list_threads`."""
    return _listed(query, zone, counted=not query.cursor)


def kept_alone(query: ThreadQuery, zone: tzinfo = UTC) -> Listing:
    """Of one page of the archive's, the threads that only the archive has any more. Raises `NotFound`."""
    found = _archived(query, zone, counted=False)
    rows = tuple(row for row in found.window.rows if (kept := found.about.get(row.id or "")) and kept.only_here)
    return replace(found, window=replace(found.window, rows=rows), lacking=None)


def is_theirs(row: Thread, query: ThreadQuery) -> bool:
    """Whether a row may stand in this list: in a user's, one that says that it is theirs. What could not be read at all
    says only that it is there."""
    return query.exact_user is None or row.raw is None or row.is_of(query.exact_user)


def _left_out(rows: int) -> str:
    """What is said of so many rows of a user's list that are not shown as theirs."""
    many = rows != 1
    return (
        f"{rows:,} row{'s' if many else ''} of this user's list {'are' if many else 'is'} left out: the API does not "
        f"say that {'they are' if many else 'it is'} this user's."
    )


def _theirs(found: Listing) -> Listing:
    """Whatever the upstream makes of the filter, what is not this user's is not shown as theirs."""
    window = found.window
    rows = tuple(row for row in window.rows if is_theirs(row, found.query))
    if len(rows) == len(window.rows):
        return found
    notes = (*window.notes, _left_out(len(window.rows) - len(rows)))
    return replace(found, window=replace(window, rows=rows, notes=notes))


@contextmanager
def _recorded_where_too_slow(query: ThreadQuery, **about: str) -> Iterator[None]:
    """What was looked for is on record too where the search was ended, which shows nothing of it."""
    try:
        yield
    except TooSlow:
        _record_list(query, None, outcome=Outcome.FAILED, reason="it took too long", **about)
        raise


def _record_list(
    query: ThreadQuery,
    found: Listing | None,
    *,
    beside: str = "",
    outcome: Outcome = Outcome.DONE,
    **about: object,
) -> None:
    """Each list that singles somebody out is recorded here, with all that was asked for."""
    if not query.user and not query.filters:
        return
    detail: dict[str, object] = {"list": query.encoded(), **about}
    if query.q is not None:
        detail["words"] = list(searched_for(query.q))
    if found is not None:
        detail |= {"threads": len(found.window.rows), **_source(found.archived)}
    detail |= {"beside": True} if beside else {}
    record(Action.SEARCH, outcome, thread=beside, customer=query.user or "", detail=detail)


def _listed(query: ThreadQuery, zone: tzinfo, *, counted: bool = True) -> Listing:
    if query.filters or settings.ARCHIVE_ONLY:
        if settings.ARCHIVE == "off":
            raise NeedsArchiveError
        return _archived(_guessed(query), zone, _outage_of_filling(), counted=counted)
    try:
        window, outage = _page(query, zone)
    except (CursorGone, TooLarge) as error:
        if not about.is_on() or not about.is_kept(query.cursor):
            raise
        return replace(_archived(query, zone, counted=counted), doubt=_DOUBTS[type(error)])
    if outage is not None:
        return _archived(_guessed(query), zone, outage, counted=counted)
    if query.limit and not query.cursor and not window.rows and about.is_on():
        instead = _instead_of_nothing(query, zone, counted=counted)
        if instead is not None:
            return instead
    counts = _counts(query, zone) if counted else None
    lacking = about.lacking() if counts is not None else None
    return Listing(query, window, about=_about(window), counts=counts, lacking=lacking)


def _outage_of_filling() -> Outage | None:
    """Why an archive that has nothing yet is not being filled, as far as that is the upstream's doing: what is looked
    for in it is not asked of the upstream, so nobody else would notice."""
    if settings.ARCHIVE_ONLY or about.has_threads():
        return None
    outage = watch.known()
    if outage is not None:
        return outage
    try:
        LiveSource(upstream.client()).list_threads(ThreadQuery(limit=1))
    except ChatKitError as error:
        return watch.failed(error) if is_outage(error) else None
    watch.answered()
    return None


_DOUBTS: dict[type[ChatKitError], str] = {
    CursorGone: "OpenAI refuses this place in its list",
    TooLarge: "OpenAI's answer is too large to be read",
}


def _instead_of_nothing(query: ThreadQuery, zone: tzinfo, *, counted: bool) -> Listing | None:
    """What the archive has where the live list is empty: the same threads, or those of users with a part of this id."""
    kept = _archived(query, zone, counted=counted)
    if any(not known.only_here for known in kept.about.values()):
        return replace(kept, doubt="OpenAI's list shows none of these threads")
    guessed = _guessed(query)
    return _archived(guessed, zone) if guessed != query else None


_MOST_STEPS = 4


def _page(query: ThreadQuery, zone: tzinfo) -> tuple[Window[Thread], Outage | None]:
    """A page of the live list, or of the archive's. Where the thread that it begins behind was deleted, the page goes
    on from the kept thread before that."""
    for step in range(_MOST_STEPS):
        asked = query if step == 0 else about.stepped_back(query, step)
        if asked is None:
            break
        try:
            return _first_of(partial(_list, query=asked), zone)
        except CursorGone as error:
            gone = error
    raise gone


def _list(source: ThreadSource, query: ThreadQuery) -> Window[Thread]:
    return source.list_threads(query)


def offered(typed: str) -> list[Person]:
    """Users to choose from while one is typed. The trail tells of it where there were any."""
    found = about.offered(typed)
    if found:
        record(Action.SEARCH, detail={"typed": typed, "users": len(found)})
    return found


def owner(thread_id: str) -> str | None:
    """The user of a thread. Raises `ChatKitError`."""
    try:
        return _first_of(lambda source: source.thread(thread_id))[0].user
    except NotFound:
        if not about.is_on():
            raise
        return ArchiveSource().thread(thread_id).user


def is_thread(thread_id: str) -> bool:
    """Whether there is a thread with exactly this id. Raises `ChatKitError`."""
    try:
        return _first_of(lambda source: source.thread(thread_id))[0].id == thread_id
    except NotFound:
        return False
    except ChatKitError as error:
        # The archive, which answers meanwhile, has none.
        if not is_outage(error) or not about.is_on():
            raise
        return False


def conversation(thread_id: str, query: ItemQuery) -> Conversation:
    """A thread and a page of its items, asked for side by side. The trail tells of it. Raises `ChatKitError` where the
    thread can't be had."""
    found = _read(thread_id, query)
    record(
        Action.READ,
        thread=thread_id,
        customer=found.thread.user or "",
        detail=_place(query) | _source(found.archived),
    )
    return found


def _read(thread_id: str, query: ItemQuery) -> Conversation:
    try:
        found, outage = _first_of(lambda source: _conversation(source, thread_id, query))
    except NotFound:
        if not about.is_on():
            raise
        return _from_archive(thread_id, query)
    fault, archived = found.fault, settings.ARCHIVE_ONLY or outage is not None
    if fault is not None and (is_outage(fault) or isinstance(fault, TooLarge)) and about.is_on():
        # The thread came and its items did not: those that are kept are better than none.
        with suppress(NotFound):
            items = ArchiveSource().list_items(thread_id, query)
            found, outage, archived = Conversation(found.thread, items), Outage(timezone.now(), fault), True
    known = about.of([thread_id]).get(thread_id) if about.is_on() else None
    if not archived and found.items is not None and known is not None and known.gone_at is None:
        try:
            about.seen(found.thread, found.items)
        except DatabaseError:  # locked by the copying, or both have just met the same new status: it will see this too
            _log.warning("The copy of a thread that was read could not be refreshed", exc_info=True)
    return replace(found, outage=outage, about=known, archived=archived)


def _from_archive(thread_id: str, query: ItemQuery) -> Conversation:
    """A thread that the upstream says it does not have, as it is kept. Whether that is so is decided here, where nobody
    has yet. Raises `NotFound` where it is not kept."""
    found = _conversation(ArchiveSource(), thread_id, query)
    known = about.of([thread_id])[thread_id]
    outage, doubt = None, ""
    if not known.only_here:
        finding = Evidence(upstream.client()).of(thread_id)
        if finding.error is not None and is_outage(finding.error):
            outage = watch.failed(finding.error)
        elif finding.verdict is not Verdict.DELETED:
            doubt = finding.why or "a second call found it"
        else:
            about.deleted(thread_id)
            known = about.of([thread_id]).get(thread_id, known)
    return replace(found, outage=outage, about=known, archived=True, doubt=doubt)


def list_items(thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
    """One page of a conversation. The trail tells of it. Raises `ChatKitError`."""
    window = _items(thread_id, query)
    record(Action.READ, thread=thread_id, detail=_place(query))
    return window


def _items(thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
    try:
        return _first_of(lambda source: source.list_items(thread_id, query))[0]
    except NotFound:
        if not about.is_on():
            raise
        return ArchiveSource().list_items(thread_id, query)


def whole(thread_id: str) -> tuple[Thread, Iterator[Window[ThreadItem]]]:
    """A thread, and all its items, page by page. The first page is there when this returns; each further one may raise
    `ChatKitError`, as this does."""
    first = _read(thread_id, ItemQuery(limit=MAX_LIMIT))
    if first.items is None:
        raise first.fault or NotFound("the thread has no items")
    return first.thread, _pages(thread_id, first.items)


def neighbour(query: ThreadQuery, zone: tzinfo = UTC) -> str | None:
    """The id of the first thread of this list beyond its cursor, None where there is none. The trail tells of it as of
    the list. Raises as `list_threads`."""
    with _recorded_where_too_slow(query, step=""):
        found = _neighbour(query, zone)
    _record_list(query, None, step=found or "")
    return found


def _neighbour(query: ThreadQuery, zone: tzinfo) -> str | None:
    # Of a user's list the first may be one that is not theirs.
    query = replace(query, limit=1 if query.exact_user is None else DEFAULT_LIMIT)
    if query.cursor and not is_cursor(query.cursor):
        return None
    if query.filters:
        if settings.ARCHIVE == "off":
            raise NeedsArchiveError
        with for_a_page():
            rows = ArchiveSource(zone).list_threads(query).rows
    else:
        try:
            rows = _page(query, zone)[0].rows
        except CursorGone:
            if not about.is_on():
                raise
            with for_a_page():
                rows = ArchiveSource(zone).list_threads(query).rows
    ids = [row.id for row in rows if row.id and is_theirs(row, query)]
    return (ids[-1] if query.before else ids[0]) if ids else None


def is_live_again() -> bool:
    """Whether the upstream answers: asked for its newest thread, where it failed the last time."""
    if settings.ARCHIVE_ONLY or not watch.may_look():
        return False
    try:
        if about.is_on():
            database_guard.confirm()
        LiveSource(upstream.client()).list_threads(ThreadQuery(limit=1))
    except ChatKitError as error:
        if is_outage(error):
            watch.failed(error)
            return False
    watch.answered(looked=True)
    return True


def _first_of(ask: Callable[[ThreadSource], AnswerT], zone: tzinfo = UTC) -> tuple[AnswerT, Outage | None]:
    """The live API's answer, or, where that fails and there is an archive, the archive's and why."""
    if settings.ARCHIVE_ONLY:
        return ask(ArchiveSource(zone)), None
    outage = watch.known()
    if outage is not None and about.is_on():
        return _instead(ask, zone, outage), outage
    try:
        answer = _live(ask)
    except ChatKitError as error:
        if not is_outage(error) or not about.is_on():
            raise
        outage = watch.failed(error)
        return _instead(ask, zone, outage), outage
    watch.answered()
    return answer, None


def _live(ask: Callable[[ThreadSource], AnswerT]) -> AnswerT:
    """The live API's answer, once it is known to be the one whose threads are kept."""
    if about.is_on():
        database_guard.confirm()
    source = LiveSource(upstream.client())
    try:
        return ask(source)
    except CursorGone:
        # An endpoint that is no more refuses every cursor. This raises what says so.
        source.list_threads(ThreadQuery(limit=1))
        raise


def _instead(ask: Callable[[ThreadSource], AnswerT], zone: tzinfo, outage: Outage) -> AnswerT:
    """The archive's answer where the live API has none. What is not kept may well be there, only nobody can say now."""
    try:
        return ask(ArchiveSource(zone))
    except NotFound:
        if isinstance(outage.error, Retired):
            raise
        raise outage.error from None


def _guessed(query: ThreadQuery) -> ThreadQuery:
    """The same for all users with what was typed in their ids, where nobody has exactly that id."""
    typed = query.exact_user if query.guess else None
    return query.of_part() if typed and not about.is_user(typed) and about.is_part(typed) else query


def _archived(query: ThreadQuery, zone: tzinfo, outage: Outage | None = None, *, counted: bool = True) -> Listing:
    source = ArchiveSource(zone)
    window = source.list_threads(query)
    known = about.of([row.id for row in window.rows if row.id], query.q)
    if any(each.unlooked for each in known.values()):
        window = replace(window, notes=(*window.notes, _UNLOOKED))
    return Listing(
        query,
        window,
        archived=True,
        outage=outage,
        about=known,
        counts=source.counts(query) if counted else None,
        lacking=about.lacking(),
    )


_UNLOOKED = "Some matches are shown without the text around them, because looking for it took too long."


def _source(archived: bool) -> dict[str, str]:
    return {"from": "archive"} if archived else {}


def _place(query: ItemQuery) -> dict[str, str]:
    """Which items were shown, where it was not the first ones."""
    return {"items": query.encoded()} if query.cursor else {}


def _about(window: Window[Thread]) -> dict[str, About]:
    return about.of([row.id for row in window.rows if row.id]) if about.is_on() else {}


def _counts(query: ThreadQuery, zone: tzinfo) -> dict[str, int] | None:
    return ArchiveSource(zone).counts(query) if about.is_on() else None


def _conversation(source: ThreadSource, thread_id: str, query: ItemQuery) -> Conversation:
    if isinstance(source, ArchiveSource):  # one connection answers both
        return Conversation(source.thread(thread_id), source.list_items(thread_id, query))
    with ThreadPoolExecutor(1) as beside:
        items: Future[Window[ThreadItem]] = beside.submit(copy_context().run, source.list_items, thread_id, query)
        thread = source.thread(thread_id)
        try:
            return Conversation(thread, items.result())
        except ChatKitError as error:
            return Conversation(thread, None, error)


def _pages(thread_id: str, first: Window[ThreadItem]) -> Iterator[Window[ThreadItem]]:
    yield first
    if first.has_more and first.last_id is not None:
        yield from pages(lambda after: _items(thread_id, ItemQuery(limit=MAX_LIMIT, after=after)), first.last_id)
