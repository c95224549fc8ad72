"""The archive as a source of threads: the interface of the live API, plus filters, search and counts."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from heapq import merge
from itertools import islice
from typing import ClassVar, NamedTuple

from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from threads.archive import user_ids
from threads.archive.models import ArchivedItem, ArchivedThread, OversizedItem, QuarterCount, Reason, ThreadState
from threads.archive.statement_timeout import QueryTimeout, statement_timeout
from threads.archive.store import word_index
from threads.archive.store.counters import QUARTER_SECONDS, digest
from threads.chatkit import LeftOut, NotFound, Thread, ThreadItem
from threads.chatkit.decode import thread as read_thread
from threads.chatkit.items import item as read_item
from threads.lib.times import day_bounds, day_start
from threads.sources.query import WITHIN_DAYS, ItemQuery, ThreadQuery
from threads.sources.window import Window

from . import users
from .activity import MOST_SORTED, ActivityRanges, Direction, Place, beyond, read_place, sorted_places
from .ranges import Span, created_between, day_spans
from .ranking import MOST_RANKED, Candidates, Ranking, candidates
from .users import UserMatches
from .words import Candidate, CandidateFilter, Groups, Search, find_threads, parse

_ALL = (-(2**62), 2**62)
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

MOST_COUNTED, MOST_MATCHES_COUNTED = 10_000, 1_000
"""Threads up to which a list is counted, and a list with a search."""

_FEWEST_RANKED = 100
"""Threads that are worth ranking where the search has to give up early."""

_MOST_IN_RANGE = 5 * MOST_RANKED
"""Threads that are looked up to tell which of the ranked ones have whole words."""

_TOO_MANY = (
    "Best match of the newest {:,} threads that match, with those that have the whole words before others. There are "
    "more: sort by newest or oldest to see all of them."
)

_GAVE_UP = "Newest first: the search has to look through too many threads to tell which match best."

_WITHOUT_TEXTS = "Best match by words alone, because comparing the messages took too long."

_RANGES_PER_QUERY = 64
"""Ranges in one SQL statement."""

_NEWEST_SORTED = (
    f"The newest {MOST_SORTED:,} threads that match are in this list, sorted by their last activity. For older ones, "
    "sort by creation or narrow the search."
)


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a query as primary keys, None for no filter. A `cause` of -1 matches nothing. `active_since` is
    the earliest time of the last activity; `few_active` tells whether there are so few such threads that they are
    collected and sorted."""

    states: tuple[int, ...] | None
    users: UserMatches | None
    cause: int | None
    active_since: datetime | None = None
    few_active: bool = False

    @property
    def match_nothing(self) -> bool:
        """Whether no thread can match."""
        return self.states == () or self.cause == -1 or (self.users is not None and self.users.nobody)


@dataclass(frozen=True, slots=True)
class StateCount:
    """The number of threads of a status with a reason, or of those without one."""

    status: str
    has_reason: bool
    threads: int

    def fits(self, status: str | None, has_reason: bool | None) -> bool:
        """Whether these threads pass the filters, of which None is none."""
        return status in (None, self.status) and has_reason in (None, self.has_reason)


class BoundedCount(NamedTuple):
    """A number of threads; with `more` there are more, or may be."""

    number: int
    more: bool = False


class ArchiveSource:
    """Threads from the archive. `zone` is the reader's time zone, in which days begin."""

    can_read_in_parallel: ClassVar[bool] = False
    """Both reads share one database connection."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone

    def list_threads(self, query: ThreadQuery) -> Window[Thread]:
        """One page of threads. Raises `NotFound` for an unknown cursor, and in a ranking for one that is no more in it;
        `QueryTimeout` by the statement timeout.

        Where the search gives up before it has found enough threads to rank, it returns the page by creation."""
        with statement_timeout():
            search = parse(query.q) if query.q is not None else None
            if query.sort == "latest":
                return self._page_by_activity(query, search)
            if search is None or query.sorted_by != "best":
                return self._page(query, search)
            found = self._candidates(query, search)
            if found is None:
                window = self._page(query, search)
                return replace(window, notes=(_GAVE_UP, *window.notes))
            ranking = Ranking(search, found)
        notes = list(search.notes)
        if found.more:
            notes.append(_TOO_MANY.format(len(found.numbers)))
        try:
            with statement_timeout():
                ranking.compare_texts()
        except QueryTimeout:
            notes.append(_WITHOUT_TEXTS)
        with statement_timeout():
            window = _ranked_page(query, ranking.numbers())
        return replace(window, notes=tuple(notes), gaps=search.gaps)

    def _page(self, query: ThreadQuery, search: Search | None) -> Window[Thread]:
        # The page before a thread is the page after it in the opposite order, reversed.
        descending = (query.order == "desc") != (query.before is not None)
        cursor = _number(query.cursor) if query.cursor else None
        beyond = _ALL if cursor is None else (_ALL[0], cursor) if descending else (cursor + 1, _ALL[1])
        numbers, stopped_at = self._numbers(query, search, beyond, descending)
        more = len(numbers) > query.limit
        kept = ArchivedThread.objects.in_bulk(numbers[: query.limit])
        rows = [to_thread(kept[number]) for number in numbers[: query.limit] if number in kept]
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

    def _page_by_activity(self, query: ThreadQuery, search: Search | None) -> Window[Thread]:
        direction = Direction(query.order == "desc", backwards=query.before is not None)
        place, wanted = _activity_place(query.cursor) if query.cursor else None, query.limit + 1
        notes, gaps = list(search.notes) if search else [], search.gaps if search else ()
        if _is_sorted_afterwards(query):
            places, more = self._sorted_matches(query, search)
            found = beyond(places, place, direction)[:wanted]
            if more:
                gaps = (*gaps, _NEWEST_SORTED)
                notes.append(_NEWEST_SORTED)
        else:
            found = self._by_activity(query, _resolved(query, self._zone)).after(place, direction, wanted)
        shown = found[: query.limit]
        kept = ArchivedThread.objects.in_bulk([each.number for each in shown])
        shown = [each for each in shown if each.number in kept]
        rows = [to_thread(kept[each.number]) for each in shown]
        first, last = (str(shown[0]), str(shown[-1])) if shown else (None, None)
        more = len(found) > query.limit
        if direction.backwards:
            return Window(tuple(rows[::-1]), last, first, more, bool(shown), tuple(notes), gaps=gaps)
        return Window(tuple(rows), first, last, place is not None and bool(shown), more, tuple(notes), gaps=gaps)

    def _sorted_matches(self, query: ThreadQuery, search: Search | None) -> tuple[list[Place], bool]:
        """The places of the newest threads that match, by activity; and whether there may be more that match."""
        numbers, stopped_at = self._numbers(replace(query, limit=MOST_SORTED), search, _ALL, descending=True)
        places = sorted_places(numbers[:MOST_SORTED], descending=query.order == "desc")
        return places, len(numbers) > MOST_SORTED or stopped_at is not None

    def _by_activity(self, query: ThreadQuery, filters: Filters) -> ActivityRanges:
        """The threads that match, for a list by activity. A search and an hour are not looked at."""
        if filters.match_nothing:
            return ActivityRanges((), gathered=False)
        threads, matches = ArchivedThread.objects.all(), filters.users
        gathered = filters.cause is not None
        if query.begin or query.end:
            spans = list(day_spans(query.begin, query.end, None, self._zone, _ALL, descending=True))
            if not spans:
                return ActivityRanges((), gathered=False)
            (span,), (whole,) = spans, day_spans(None, None, None, self._zone, _ALL, descending=True)
            threads = span.threads()
            gathered = gathered or 2 * (span.high - span.low) < whole.high - whole.low
        if filters.active_since is not None:
            threads = threads.filter(last_activity_at__gte=filters.active_since)
        if filters.cause is not None:
            threads = threads.filter(cause=filters.cause)
        if matches is not None and matches.keys is not None:
            threads, gathered = threads.filter(archived_user__in=matches.keys), True
        elif matches is not None:
            threads = matches.gathered(threads) if matches.few else matches.filtered(threads)
            gathered = gathered or matches.few
        if filters.states is None:
            return ActivityRanges((threads,), gathered)
        if gathered:
            return ActivityRanges((threads.filter(state__in=filters.states),), gathered)
        return ActivityRanges([threads.filter(state=each) for each in filters.states], gathered)

    def thread(self, thread_id: str) -> Thread:
        """One thread. Raises `NotFound`."""
        return to_thread(_archived(thread_id))

    def list_items(self, thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
        """One page of a thread's items, oldest first. Raises `NotFound` for the thread or the cursor."""
        thread = _archived(thread_id)
        found = ArchivedItem.objects.filter(thread=thread).order_by("place")
        if query.before is not None:
            until = _place(found, query.before)
            found = found.filter(place__lt=until, place__gte=until - query.limit)
        elif query.at is not None:
            found = found.filter(place__gte=_place(found, query.at) - query.context)
        elif query.after is not None:
            found = found.filter(place__gt=_place(found, query.after))
        elif query.is_latest:
            found = found.filter(place__gte=thread.items - query.limit)
        items = list(found[: query.limit])
        ids = [each.item_id for each in items if each.item_id]
        lacks = thread.read_at is None and thread.deleted_upstream_at is None
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
        """Threads per status under the other filters; None where the stored counters can't answer."""
        if query.q or query.hour or query.reason or query.match == "part":
            return None
        states = (
            ThreadState.objects.all()
            if query.has_reason is None
            else ThreadState.objects.filter(has_reason=query.has_reason)
        )
        begin, end = day_bounds(query.begin, query.end, self._zone)
        since = _active_since(query, self._zone)
        if query.user is not None:
            person = users.find_user(query.user)
            theirs = created_between(ArchivedThread.objects.filter(archived_user=person), begin, end)
            theirs = theirs if since is None else theirs.filter(last_activity_at__gte=since)
            sums = {each.pk: theirs.filter(state=each).count() if person else 0 for each in states}
        elif since is not None:
            if begin or end:
                return None
            active = ArchivedThread.objects.filter(last_activity_at__gte=since)
            sums = {each.pk: active.filter(state=each)[: MOST_COUNTED + 1].count() for each in states}
            if max(sums.values(), default=0) > MOST_COUNTED:
                return None
        elif begin or end:
            # UTC offsets are multiples of 15 minutes.
            quarters = QuarterCount.objects.all()
            if begin is not None:
                quarters = quarters.filter(quarter__gte=int(begin.timestamp() // QUARTER_SECONDS))
            if end is not None:
                quarters = quarters.filter(quarter__lt=int(end.timestamp() // QUARTER_SECONDS))
            sums = dict(quarters.values_list("state").annotate(sum=Sum("threads")))
        else:
            sums = {each.pk: each.threads for each in states}
        found: dict[str, int] = {}
        for each in states:
            found[each.status] = found.get(each.status, 0) + sums.get(each.pk, 0)
        return found

    def count(self, query: ThreadQuery) -> BoundedCount:
        """The threads of a list on all its pages, counted up to `MOST_COUNTED`, or with a search up to
        `MOST_MATCHES_COUNTED`. Raises `QueryTimeout` by the statement timeout."""
        with statement_timeout():
            return self._count(query, _ALL)

    def count_before(self, query: ThreadQuery, window: Window[Thread]) -> int | None:
        """The number of threads of the list before the first row of this page; None where it is not known, or above
        the limits of `count`. Raises as `count`."""
        if query.cursor is None:
            return 0
        if not window.rows or not window.first_id or not window.rows[0].id:
            return None
        with statement_timeout():
            if query.sort == "latest":
                return self._count_more_active(query, _activity_place(window.first_id))
            number = _number(window.rows[0].id)
            newer = (number + 1, _ALL[1]) if query.order == "desc" else (_ALL[0], number)
            found = self._count(query, newer)
            return None if found.more else found.number

    def _count(self, query: ThreadQuery, beyond: tuple[int, int]) -> BoundedCount:
        search = parse(query.q) if query.q is not None else None
        if query.sort == "latest" and _is_sorted_afterwards(query):
            places, more = self._sorted_matches(query, search)
            return BoundedCount(len(places), more)
        if search is not None:
            most = replace(query, limit=MOST_MATCHES_COUNTED)
            numbers, stopped_at = self._numbers(most, search, beyond, descending=True)
            more = len(numbers) > MOST_MATCHES_COUNTED or stopped_at is not None or bool(search.gaps)
            return BoundedCount(min(len(numbers), MOST_MATCHES_COUNTED), more)
        filters = _resolved(query, self._zone)
        if filters.match_nothing:
            return BoundedCount(0)
        where = day_spans(query.begin, query.end, query.hour, self._zone, beyond, descending=True)
        count = sum(1 for _ in islice(_listed(filters, where, True, MOST_COUNTED + 1), MOST_COUNTED + 1))
        return BoundedCount(min(count, MOST_COUNTED), count > MOST_COUNTED)

    def _count_more_active(self, query: ThreadQuery, place: Place) -> int | None:
        direction = Direction(query.order == "desc")
        if _is_sorted_afterwards(query):
            places, _ = self._sorted_matches(query, parse(query.q) if query.q is not None else None)
            return len(beyond(places, place, replace(direction, backwards=True)))
        ranges = self._by_activity(query, _resolved(query, self._zone))
        count = ranges.count_before(place, direction, MOST_COUNTED + 1)
        return None if count > MOST_COUNTED else count

    def _numbers(
        self, query: ThreadQuery, search: Search | None, beyond: tuple[int, int], descending: bool
    ) -> tuple[list[int], int | None]:
        """Up to one number more than the page has rows; and the number at which the search gave up, if it did."""
        filters = _resolved(query, self._zone)
        if filters.match_nothing:
            return [], None
        wanted = query.limit + 1
        where = day_spans(query.begin, query.end, query.hour, self._zone, beyond, descending=descending)
        if search is None:
            return list(islice(_listed(filters, where, descending, wanted), wanted)), None
        within = list(where)
        fits = _time_check(within, _activity_check(filters, _user_check(filters)))
        found = find_threads(search, _facets(filters), within, fits, descending=descending, wanted=wanted)
        return list(found.numbers), found.stopped_at

    def _candidates(self, query: ThreadQuery, search: Search) -> Candidates | None:
        """The threads to rank; None where the search has to give up before it has found enough of them."""
        filters = _resolved(query, self._zone)
        if filters.match_nothing:
            return Candidates([])
        spans = list(day_spans(query.begin, query.end, query.hour, self._zone, _ALL, descending=True))
        fits, facets = _time_check(spans, _activity_check(filters, _user_check(filters))), _facets(filters)
        wanted = MOST_RANKED + 1

        def find(groups: Groups, known: tuple[int, int] | None) -> Sequence[int]:
            some = replace(search, groups=groups)
            if known is None:
                return find_threads(some, facets, spans, fits, descending=True, wanted=wanted).numbers
            some = replace(some, phrases=())
            within = [each.cut(*known) for each in spans if each.low < known[1] and each.high > known[0]]
            return find_threads(some, facets, within, None, descending=True, wanted=_MOST_IN_RANGE).numbers

        found = find_threads(search, facets, spans, fits, descending=True, wanted=wanted)
        gave_up = found.stopped_at is not None
        if gave_up and len(found.numbers) < _FEWEST_RANKED:
            return None
        return candidates(search, found.numbers, find, more=gave_up)


def state_counts() -> list[StateCount]:
    """The numbers of archived threads by status and by whether they have a reason, in one small query."""
    rows = ThreadState.objects.values_list("status", "has_reason", "threads")
    return [StateCount(*row) for row in rows]


def to_thread(kept: ArchivedThread) -> Thread:
    """An archived thread as the API returned it."""
    return read_thread(json.loads(kept.raw))


def _ranked_page(query: ThreadQuery, numbers: Sequence[int]) -> Window[Thread]:
    """The page of a ranking. Raises `NotFound` for a cursor that is not in it."""
    begin, end = 0, query.limit
    if query.cursor:
        try:
            place = numbers.index(_number(query.cursor))
        except ValueError:
            raise NotFound("this thread is not among the best matches any more") from None
        begin, end = (place + 1, place + 1 + query.limit) if query.after else (max(0, place - query.limit), place)
    kept = ArchivedThread.objects.in_bulk(numbers[begin:end])
    rows = tuple(to_thread(kept[number]) for number in numbers[begin:end] if number in kept)
    ends = [row.id for row in rows if row.id]
    first, last = (ends[0], ends[-1]) if ends else (None, None)
    return Window(rows, first, last, begin > 0 and bool(ends), end < len(numbers), ranked=True)


def _is_sorted_afterwards(query: ThreadQuery) -> bool:
    """Whether a list by activity is made by sorting the newest matches: no index has both orders."""
    return query.q is not None or query.hour is not None


def _active_since(query: ThreadQuery, zone: tzinfo) -> datetime | None:
    return None if query.within is None else day_start(WITHIN_DAYS[query.within], timezone.now(), zone)


def _resolved(query: ThreadQuery, zone: tzinfo) -> Filters:
    states = None
    if query.status is not None or query.has_reason is not None:
        found = ThreadState.objects.all()
        if query.status is not None:
            found = found.filter(status=query.status)
        if query.has_reason is not None:
            found = found.filter(has_reason=query.has_reason)
        states = tuple(found.values_list("pk", flat=True))
    matches = None if query.user is None else users.find_users(query.user, part=query.match == "part")
    cause = None
    if query.reason is not None:
        # A form sends a line break as CR LF, and a page may have normalised it to LF before.
        plain = query.reason.replace("\r\n", "\n")
        spellings = {digest(each) for each in (query.reason, plain, plain.replace("\n", "\r\n"))}
        found_causes = dict(Reason.objects.filter(digest__in=spellings).values_list("digest", "pk"))
        cause = found_causes.get(digest(query.reason)) or next(iter(found_causes.values()), -1)
    since, few_active = _active_since(query, zone), False
    if since is not None:
        few_active = ArchivedThread.objects.filter(last_activity_at__gte=since)[: users.FEW + 1].count() <= users.FEW
    return Filters(states, matches, cause, since, few_active)


def _facets(filters: Filters) -> list[list[str]]:
    """The filters as words of the index, one group per filter."""
    found = []
    if filters.states is not None:
        found.append([word_index.state_word(each) for each in filters.states])
    if filters.users is not None and filters.users.keys is not None:
        found.append([word_index.person_word(each) for each in filters.users.keys])
    if filters.cause is not None:
        found.append([word_index.cause_word(filters.cause)])
    return found


def _user_check(filters: Filters) -> CandidateFilter | None:
    """A check of each thread's user, where too many users match to look them up."""
    matches = filters.users
    if matches is None or matches.keys is not None:
        return None
    return lambda thread: matches.part in user_ids.folded_user_id(thread.user or "")


def _activity_check(filters: Filters, fits: CandidateFilter | None) -> CandidateFilter | None:
    """`fits` and a check of each thread's last activity."""
    since = filters.active_since
    if since is None:
        return fits
    return lambda thread: (
        thread.last_activity_at is not None and thread.last_activity_at >= since and (fits is None or fits(thread))
    )


def _time_check(where: Sequence[Span], fits: CandidateFilter | None) -> CandidateFilter | None:
    """`fits` and a check of each thread's time: a span of numbers may hold threads outside of its times."""
    if all(each.begin is None and each.end is None for each in where):
        return fits
    ordered = sorted((each.begin or _EARLIEST, each.end or _LATEST) for each in where)
    begins = [begin for begin, _ in ordered]

    def timed(thread: Candidate) -> bool:
        at = thread.created_at
        place = -1 if at is None else bisect_right(begins, at) - 1
        if at is None or place < 0 or at >= ordered[place][1]:
            return False
        return fits is None or fits(thread)

    return timed


def _listed(filters: Filters, where: Iterator[Span], descending: bool, wanted: int) -> Iterator[int]:
    """The numbers of the threads that match the filters, in order, without a search."""
    size = 1
    while some := list(islice(where, size)):
        runs = [
            each.values_list("number", flat=True)
            for span in some
            for each in _active_ranges(filters, span, one=size == 1)
        ]
        # A range is cheap and a query is not, so each query covers more ranges than the one before.
        found = [
            _together(runs[start : start + _RANGES_PER_QUERY], filters, descending, wanted)
            for start in range(0, len(runs), _RANGES_PER_QUERY)
        ]
        yield from merge(*found, reverse=descending)
        size = min(2 * size, _RANGES_PER_QUERY)


def _together(
    runs: Sequence[QuerySet[ArchivedThread, int]], filters: Filters, descending: bool, wanted: int
) -> QuerySet[ArchivedThread, int]:
    """The first `wanted` numbers of several ranges, in one SQL statement."""
    order = "-number" if descending else "number"
    first, *others = runs
    if others:
        if connection.features.supports_slicing_ordering_in_compound:
            # Without a limit of its own PostgreSQL would read each range to its end.
            first, *others = (each.order_by(order)[:wanted] for each in runs)
        return first.union(*others, all=True).order_by(order)[:wanted]
    if filters.few_active or (filters.users is not None and filters.users.keys is None and filters.users.few):
        # The `+ 0` keeps the planner from scanning all threads in order.
        place = F("number") + 0
        return first.order_by(place.desc() if descending else place)[:wanted]
    return first.order_by(order)[:wanted]


def _active_ranges(filters: Filters, span: Span, *, one: bool) -> Sequence[QuerySet[ArchivedThread]]:
    """The threads as ranges of an index, those with recent activity if the filters ask for that."""
    if filters.active_since is None:
        return _ranges(filters, span, one=one)
    if filters.few_active and one:
        return [_active(filters, span)]
    return [each.filter(last_activity_at__gte=filters.active_since) for each in _ranges(filters, span, one=one)]


def _ranges(filters: Filters, span: Span, *, one: bool) -> Sequence[QuerySet[ArchivedThread]]:
    """The threads as ranges of an index, each ordered by number, so that a query reads no more rows of a range than a
    page has."""
    matches, states, threads = filters.users, filters.states, span.threads()
    if filters.cause is not None:
        threads = threads.filter(cause=filters.cause)
        if matches is not None:
            threads = (
                threads.filter(archived_user__in=matches.keys)
                if matches.keys is not None
                else matches.filtered(threads)
            )
        return [threads if states is None else threads.filter(state__in=states)]
    if matches is not None and (matches.keys is None or (len(matches.keys) > 1 and not one)):
        if matches.few and one:
            return [matches.gathered(threads if states is None else threads.filter(state__in=states))]
        if states is None:
            return [matches.filtered(threads)]
        return [matches.filtered(threads.filter(state=each)) for each in states]
    if matches is not None and matches.keys is not None:
        if states is None:
            return [threads.filter(archived_user=each) for each in matches.keys]
        if len(matches.keys) == 1:
            return [threads.filter(archived_user=matches.keys[0], state=each) for each in states]
        return [threads.filter(archived_user=each, state__in=states) for each in matches.keys]
    return [threads] if states is None else [threads.filter(state=each) for each in states]


def _active(filters: Filters, span: Span) -> QuerySet[ArchivedThread]:
    """The threads of a span, for a query that collects those with recent activity and then sorts. The `+ 0` keeps the
    planner from scanning all threads in order."""
    numbered = ArchivedThread.objects.alias(place=F("number") + 0).filter(place__gte=span.low, place__lt=span.high)
    threads = created_between(numbered, span.begin, span.end).filter(last_activity_at__gte=filters.active_since)
    if filters.cause is not None:
        threads = threads.filter(cause=filters.cause)
    if filters.states is not None:
        threads = threads.filter(state__in=filters.states)
    if filters.users is None:
        return threads
    if filters.users.keys is not None:
        return threads.filter(archived_user__in=filters.users.keys)
    return filters.users.filtered(threads)


def _with_oversized(thread: ArchivedThread, items: Sequence[ArchivedItem], *, last: bool) -> Iterator[ThreadItem]:
    """Items as the API returned them, with placeholders for those that were too large to archive."""
    noted = OversizedItem.objects.filter(thread=thread, place__gte=items[0].place if items else 0)
    placeholders = list(noted.order_by("place", "pk"))
    for each in items:
        while placeholders and placeholders[0].place <= each.place:
            yield _placeholder(placeholders.pop(0))
        yield read_item(json.loads(each.raw))
    yield from map(_placeholder, placeholders if last else ())


def _placeholder(noted: OversizedItem) -> ThreadItem:
    return ThreadItem(noted.item_id or None, None, None, LeftOut(noted.detail))


def _archived(thread_id: str) -> ArchivedThread:
    found = ArchivedThread.objects.filter(thread_id=thread_id).first()
    if found is None:
        raise NotFound("the archive has no thread with this id")
    return found


def _activity_place(cursor: str) -> Place:
    """The place of a cursor in a list by activity: that of the thread with this id, or one from an earlier page. Raises
    `NotFound`."""
    there = ArchivedThread.objects.filter(thread_id=cursor).values_list("last_activity_at", "number").first()
    place = read_place(cursor) if there is None else Place(*there)
    if place is None:
        raise NotFound("the archive has no thread with this id")
    return place


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
