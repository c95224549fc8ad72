"""The archive as a source of threads: the same questions and the same answers as the live API, and more of them."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from heapq import merge
from itertools import islice
from typing import ClassVar

from django.db import connection
from django.db.models import F, QuerySet, Sum

from threads.archive import user_ids
from threads.archive.models import ArchivedItem, ArchivedThread, OversizedItem, Reason, State, Tally
from threads.archive.statement_timeout import bounded
from threads.archive.store import word_index
from threads.archive.store.counters import QUARTER, digest
from threads.chatkit import LeftOut, NotFound, Thread, ThreadItem
from threads.chatkit.decode import thread as read_thread
from threads.chatkit.items import item as read_item
from threads.lib.times import bounds
from threads.sources.query import ItemQuery, ThreadQuery
from threads.sources.window import Window

from . import users as people
from .ranges import Span, began, spans
from .words import Fits, Looked, Search, find, parse

_ALL = (-(2**62), 2**62)
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

_AT_ONCE = 64
"""Ranges in one statement."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the filters come to: states and people by their keys, None where any will do."""

    states: tuple[int, ...] | None
    people: people.Matching | None
    cause: int | None

    @property
    def nobody(self) -> bool:
        return self.states == () or self.cause == -1 or (self.people is not None and self.people.nobody)


class ArchiveSource:
    """Threads from the archive. `zone` is the reader's time zone, in which days begin."""

    can_read_in_parallel: ClassVar[bool] = False
    """Both reads share one database connection."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone

    def list_threads(self, query: ThreadQuery) -> Window[Thread]:
        """Raises `NotFound` where the cursor's thread is not kept, `TooSlow` where a page would wait too long."""
        with bounded():
            return self._page(query)

    def _page(self, query: ThreadQuery) -> Window[Thread]:
        search = parse(query.q) if query.q is not None else None
        # A page before a thread is the page after it in the opposite order, turned round.
        descending = (query.order == "desc") != (query.before is not None)
        cursor = _number(query.cursor) if query.cursor else None
        beyond = _ALL if cursor is None else (_ALL[0], cursor) if descending else (cursor + 1, _ALL[1])
        numbers, stopped_at = self._numbers(query, search, beyond, descending)
        more = len(numbers) > query.limit
        kept = ArchivedThread.objects.in_bulk(numbers[: query.limit])
        rows = [shown(kept[number]) for number in numbers[: query.limit] if number in kept]
        ends = [row.id for row in rows if row.id]
        edge = _id(stopped_at) if stopped_at is not None and not more else None
        first, last = (ends[0], edge or ends[-1]) if ends else (edge, edge)
        onward, notes = more or edge is not None, list(search.notes) if search else []
        gaps = search.gaps if search else ()
        if edge is not None:
            notes.append("There may be more: the search has looked through as many threads as it does for one page.")
        if query.before is None:
            return Window(tuple(rows), first, last, cursor is not None and bool(ends), onward, tuple(notes), gaps=gaps)
        return Window(tuple(rows[::-1]), last, first, onward, bool(ends), tuple(notes), gaps=gaps)

    def thread(self, thread_id: str) -> Thread:
        return shown(_kept(thread_id))

    def list_items(self, thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
        thread = _kept(thread_id)
        found = ArchivedItem.objects.filter(thread=thread).order_by("place")
        if query.before is not None:
            until = _place(found, query.before)
            found = found.filter(place__lt=until, place__gte=until - query.limit)
        elif query.cursor is not None:
            since = _place(found, query.cursor) + (query.after is not None)
            found = found.filter(place__gte=since)
        items = list(found[: query.limit])
        ids = [each.item_id for each in items if each.item_id]
        lacks = thread.read_at is None and thread.gone_at is None
        last = not items or items[-1].place + 1 >= thread.items
        rows = tuple(_with_oversized(thread, items, last=last))
        return Window(
            rows=rows,
            first_id=ids[0] if ids else None,
            last_id=ids[-1] if ids else None,
            has_previous=bool(items) and items[0].place > 0,
            has_next=bool(items) and not last,
            notes=("The archive has not read this conversation to its end yet.",) if lacks and last else (),
            lost=lacks and last,
        )

    def counts(self, query: ThreadQuery) -> dict[str, int] | None:
        """How many threads have each status, under the other filters; None where that would have to be counted."""
        if query.q or query.hour or query.reason or query.match == "part":
            return None
        states = State.objects.all() if query.has_reason is None else State.objects.filter(has_reason=query.has_reason)
        begin, end = bounds(query.begin, query.end, self._zone)
        if query.user is not None:
            person = people.exactly(query.user)
            theirs = began(ArchivedThread.objects.filter(person=person), begin, end)
            sums = {each.pk: theirs.filter(state=each).count() if person else 0 for each in states}
        elif begin or end:
            # Every zone is whole quarters of an hour away from UTC.
            quarters = Tally.objects.all()
            if begin is not None:
                quarters = quarters.filter(quarter__gte=int(begin.timestamp() // QUARTER))
            if end is not None:
                quarters = quarters.filter(quarter__lt=int(end.timestamp() // QUARTER))
            sums = dict(quarters.values_list("state").annotate(sum=Sum("threads")))
        else:
            sums = {each.pk: each.threads for each in states}
        found: dict[str, int] = {}
        for each in states:
            found[each.status] = found.get(each.status, 0) + sums.get(each.pk, 0)
        return found

    def _numbers(
        self, query: ThreadQuery, search: Search | None, beyond: tuple[int, int], descending: bool
    ) -> tuple[list[int], int | None]:
        """One number more than the page has room for, if there are so many; and where the looking stopped."""
        chosen = _chosen(query)
        if chosen.nobody:
            return [], None
        wanted = query.limit + 1
        where = spans(query.begin, query.end, query.hour, self._zone, beyond, descending=descending)
        if search is None:
            return list(islice(_listed(chosen, where, descending, wanted), wanted)), None
        within = list(where)
        fits = _timed(within, _fitting(chosen))
        found = find(search, _facets(chosen), within, fits, descending=descending, wanted=wanted)
        return list(found.numbers), found.stopped_at


def shown(kept: ArchivedThread) -> Thread:
    """A kept thread as the API showed it."""
    return read_thread(json.loads(kept.raw))


def _chosen(query: ThreadQuery) -> Chosen:
    states = None
    if query.status is not None or query.has_reason is not None:
        found = State.objects.all()
        if query.status is not None:
            found = found.filter(status=query.status)
        if query.has_reason is not None:
            found = found.filter(has_reason=query.has_reason)
        states = tuple(found.values_list("pk", flat=True))
    who = None if query.user is None else people.matching(query.user, part=query.match == "part")
    cause = None
    if query.reason is not None:
        # A form sends every line break as two characters, and a page has made one of those before.
        plain = query.reason.replace("\r\n", "\n")
        spellings = {digest(each) for each in (query.reason, plain, plain.replace("\n", "\r\n"))}
        spelt = dict(Reason.objects.filter(digest__in=spellings).values_list("digest", "pk"))
        cause = spelt.get(digest(query.reason)) or next(iter(spelt.values()), -1)
    return Chosen(states, who, cause)


def _facets(chosen: Chosen) -> list[list[str]]:
    found = []
    if chosen.states is not None:
        found.append([word_index.state_word(each) for each in chosen.states])
    if chosen.people is not None and chosen.people.keys is not None:
        found.append([word_index.person_word(each) for each in chosen.people.keys])
    if chosen.cause is not None:
        found.append([word_index.cause_word(chosen.cause)])
    return found


def _fitting(chosen: Chosen) -> Fits | None:
    """Where so many people match that they are not looked up one by one, each thread is asked whose it is."""
    who = chosen.people
    if who is None or who.keys is not None:
        return None
    return lambda thread: who.part in user_ids.fold(thread.user or "")


def _timed(where: Sequence[Span], fits: Fits | None) -> Fits | None:
    """Spans of numbers are wider than the times that are meant, so each thread is asked when it began."""
    if all(each.begin is None and each.end is None for each in where):
        return fits
    ordered = sorted((each.begin or _EARLIEST, each.end or _LATEST) for each in where)
    begins = [begin for begin, _ in ordered]

    def timed(thread: Looked) -> bool:
        at = thread.created_at
        place = -1 if at is None else bisect_right(begins, at) - 1
        if at is None or place < 0 or at >= ordered[place][1]:
            return False
        return fits is None or fits(thread)

    return timed


def _listed(chosen: Chosen, where: Iterator[Span], descending: bool, wanted: int) -> Iterator[int]:
    """The numbers of the threads that were chosen, without a search, in order."""
    size = 1
    while some := list(islice(where, size)):
        runs = [
            each.values_list("number", flat=True)
            for span in some
            for each in _ranges(chosen, span.threads(), one=size == 1)
        ]
        # One after another each range is cheap and the asking is not: so more are asked for at once, and more again.
        found = [
            _together(runs[start : start + _AT_ONCE], chosen, descending, wanted)
            for start in range(0, len(runs), _AT_ONCE)
        ]
        yield from merge(*found, reverse=descending)
        size = min(2 * size, _AT_ONCE)


def _together(
    runs: Sequence[QuerySet[ArchivedThread, int]], chosen: Chosen, descending: bool, wanted: int
) -> QuerySet[ArchivedThread, int]:
    """The first of several ranges, in one statement."""
    order = "-number" if descending else "number"
    first, *others = runs
    if others:
        if connection.features.supports_slicing_ordering_in_compound:
            # PostgreSQL would read each range to its end.
            first, *others = (each.order_by(order)[:wanted] for each in runs)
        return first.union(*others, all=True).order_by(order)[:wanted]
    if chosen.people is not None and chosen.people.keys is None and chosen.people.few:
        # The sum keeps the planner from going through all threads in their order.
        place = F("number") + 0
        return first.order_by(place.desc() if descending else place)[:wanted]
    return first.order_by(order)[:wanted]


def _ranges(chosen: Chosen, threads: QuerySet[ArchivedThread], *, one: bool) -> Sequence[QuerySet[ArchivedThread]]:
    """The threads as ranges of indexes, each of which is in order by itself: what is asked of each is as many rows as a
    page has, however many it holds."""
    who, states = chosen.people, chosen.states
    if chosen.cause is not None:
        threads = threads.filter(cause=chosen.cause)
        if who is not None:
            threads = threads.filter(person__in=who.keys) if who.keys is not None else who.filtered(threads)
        return [threads if states is None else threads.filter(state__in=states)]
    if who is not None and (who.keys is None or (len(who.keys) > 1 and not one)):
        if who.few and one:
            return [who.gathered(threads if states is None else threads.filter(state__in=states))]
        if states is None:
            return [who.filtered(threads)]
        return [who.filtered(threads.filter(state=each)) for each in states]
    if who is not None and who.keys is not None:
        if states is None:
            return [threads.filter(person=each) for each in who.keys]
        if len(who.keys) == 1:
            return [threads.filter(person=who.keys[0], state=each) for each in states]
        return [threads.filter(person=each, state__in=states) for each in who.keys]
    return [threads] if states is None else [threads.filter(state=each) for each in states]


def _with_oversized(thread: ArchivedThread, items: Sequence[ArchivedItem], *, last: bool) -> Iterator[ThreadItem]:
    """Items as the API showed them, and in their places the stand-ins of those that are too large to be kept."""
    noted = OversizedItem.objects.filter(thread=thread, place__gte=items[0].place if items else 0)
    stand_ins = list(noted.order_by("place", "pk"))
    for each in items:
        while stand_ins and stand_ins[0].place <= each.place:
            yield _stand_in(stand_ins.pop(0))
        yield read_item(json.loads(each.raw))
    yield from map(_stand_in, stand_ins if last else ())


def _stand_in(noted: OversizedItem) -> ThreadItem:
    return ThreadItem(noted.item_id or None, None, None, LeftOut(noted.detail))


def _kept(thread_id: str) -> ArchivedThread:
    found = ArchivedThread.objects.filter(thread_id=thread_id).first()
    if found is None:
        raise NotFound("the archive has no thread with this id")
    return found


def _number(thread_id: str) -> int:
    number = ArchivedThread.objects.filter(thread_id=thread_id).values_list("number", flat=True).first()
    if number is None:
        raise NotFound("the archive has no thread with this id")
    return number


def _id(number: int) -> str | None:
    return ArchivedThread.objects.filter(number=number).values_list("thread_id", flat=True).first()


def _place(items: QuerySet[ArchivedItem], item_id: str) -> int:
    place = items.filter(item_id=item_id).values_list("place", flat=True).first()
    if place is None:
        raise NotFound("the archive has no item with this id in this thread")
    return place
