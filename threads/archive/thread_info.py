"""Information from the archive that the API lacks, for lists and conversations: opening, snippets, users, gaps."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from threads.chatkit import Page, Thread, ThreadItem
from threads.lib.ttl_cache import TTLCache
from threads.sources.query import ThreadQuery
from threads.sources.window import Window

from . import removal, user_ids
from .models import ArchivedThread, Progress, StaleIndex, ThreadState, current
from .report import MAX_CUT_THREADS
from .search import engines, users
from .search.ranking import sought
from .search.snippets import NOTHING_SOUGHT, ItemMatch, Sought, best_item
from .search.source import MOST_COUNTED, BoundedCount, to_thread
from .search.users import SuggestedUser
from .search.words import folded_units
from .statement_timeout import QueryTimeout, statement_timeout
from .store import tombstones, word_index, write

_MIN_REFRESH = timedelta(minutes=1)
"""An unchanged thread that is shown again within this time is not written again."""

_filled: TTLCache[bool] = TTLCache(5)
"""Whether anything is archived, for 5 seconds."""

_not_current: TTLCache[int] = TTLCache(5)
"""The number of archived threads that are not in the live list, for 5 seconds."""

_lacking: TTLCache[SearchGaps] = TTLCache(3)
"""The result of `search_gaps`, for 3 seconds."""


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """What the archive knows of a thread.

    `opening` is the beginning of the user's first message. `messages` is None until the items are read.
    `deleted_upstream_at` is the time when the thread was found to be deleted upstream, `checked_at` when it was last
    seen there. `only_here` tells whether only the archive has it. `sought` are the words searched for, `hit` the
    item that contains them; `unlooked` tells whether the search for the item timed out. `last` is the beginning of the
    last message, `last_by` its author ("customer" or "assistant"); both are None until the items are read, and with
    `LIST_PREVIEWS` off.
    """

    opening: str | None
    messages: int | None
    last_activity_at: datetime | None
    checked_at: datetime
    deleted_upstream_at: datetime | None
    only_here: bool = False
    sought: Sought = NOTHING_SOUGHT
    hit: ItemMatch | None = None
    unlooked: bool = False
    last: str | None = None
    last_by: str | None = None


def by_id(thread_ids: Sequence[str], searched: str | None = None) -> dict[str, ThreadInfo]:
    """Archived threads by id; with `searched`, each with the item that contains that text."""
    looked_for = NOTHING_SOUGHT
    kept = list(ArchivedThread.objects.filter(thread_id__in=thread_ids).defer("raw"))
    hits: dict[int, ItemMatch | None] = {}
    if searched and kept:
        with suppress(QueryTimeout), statement_timeout():
            looked_for = sought(search_units(searched))
            for thread in kept:
                hits[thread.number] = best_item(thread.number, looked_for)
    return {
        thread.thread_id: ThreadInfo(
            opening=thread.opening,
            messages=thread.messages if thread.read_at else None,
            last_activity_at=thread.last_activity_at,
            checked_at=thread.checked_at,
            deleted_upstream_at=thread.deleted_upstream_at,
            only_here=any((thread.deleted_upstream_at, thread.withheld_at, thread.former_at)),
            sought=looked_for,
            hit=hits.get(thread.number),
            unlooked=bool(searched) and thread.number not in hits,
            last=thread.last_message if _has_preview(thread) else None,
            last_by=thread.last_by or None if _has_preview(thread) else None,
        )
        for thread in kept
    }


def _has_preview(thread: ArchivedThread) -> bool:
    return settings.LIST_PREVIEWS and thread.read_at is not None


def search_units(typed: str) -> tuple[str, ...]:
    """The folded words and phrases of a search text."""
    return tuple(folded_units(typed))


def has_threads() -> bool:
    """Whether anything is archived. Cached for 5 seconds."""
    known = _filled.get("")
    if known is None:
        known = ThreadState.objects.exists() or ArchivedThread.objects.exists()
        _filled.put("", known)
    return known


def is_whole_list() -> bool:
    """Whether the archive has read the list of threads to its end."""
    gaps = search_gaps()
    return gaps is None or gaps.kept is None


def count_current(user: str | None) -> BoundedCount:
    """The number of threads in the live list, as far as the archive knows: of all users, or of one, counted up to
    `MOST_COUNTED`."""
    if user is not None:
        count = _of_user(user)[: MOST_COUNTED + 1].count()
        return BoundedCount(min(count, MOST_COUNTED), count > MOST_COUNTED)
    other = _not_current.get("")
    if other is None:
        # Each condition has an index of its own.
        deleted = ArchivedThread.objects.filter(deleted_upstream_at__isnull=False)
        withheld = ArchivedThread.objects.filter(withheld_at__isnull=False, deleted_upstream_at=None)
        former = ArchivedThread.objects.filter(former_at__isnull=False, deleted_upstream_at=None, withheld_at=None)
        other = deleted.count() + withheld.count() + former.count()
        _not_current.put("", other)
    stored = ThreadState.objects.aggregate(sum=Sum("threads"))["sum"] or 0
    return BoundedCount(max(0, stored - other))


def count_current_before(thread_id: str, query: ThreadQuery) -> int | None:
    """The number of threads before this one in the live list, as far as the archive knows; None where it has not this
    thread, or above `MOST_COUNTED`."""
    number = ArchivedThread.objects.filter(thread_id=thread_id).values_list("number", flat=True).first()
    if number is None:
        return None
    there = current() if query.user is None else _of_user(query.user)
    there = there.filter(number__gt=number) if query.order == "desc" else there.filter(number__lt=number)
    count = there[: MOST_COUNTED + 1].count()
    return None if count > MOST_COUNTED else count


def _of_user(user: str) -> QuerySet[ArchivedThread]:
    return current().filter(archived_user=users.find_user(user) or 0)


def is_available() -> bool:
    """Whether the archive is on and has threads."""
    return settings.ARCHIVE != "off" and has_threads()


def clear_cache() -> None:
    """Clears the caches of this module."""
    _filled.clear()
    _lacking.clear()
    _not_current.clear()


def owner(thread_id: str) -> str | None:
    """The user id of an archived thread; None if it is not archived or has no user."""
    kept = ArchivedThread.objects.filter(thread_id=thread_id).first()
    return None if kept is None else to_thread(kept).user


def is_user(name: str) -> bool:
    """Whether any archived thread has a user with exactly this id."""
    return users.find_user(name) is not None


def only_user_with(typed: str) -> tuple[str | None, bool]:
    """The user id that contains this text, where it is the only one, and whether it begins with it."""
    found = users.only_user_with(typed)
    return found, found is not None and user_ids.folded_user_id(found).startswith(user_ids.folded_user_id(typed))


@dataclass(frozen=True, slots=True)
class SearchGaps:
    """Numbers of threads that a search in the archive may not find yet.

    `kept` threads are archived so far, None once the list was read to its end. `unread` of all `threads` were not read
    to their last item, `stale` ones have to be reindexed, `cut` ones have more words than the index holds.
    """

    kept: int | None
    unread: int
    stale: int = 0
    cut: int = 0
    threads: int = 0

    @property
    def nothing(self) -> bool:
        """Whether a search finds all there is."""
        return self.kept is None and not (self.unread or self.stale or self.cut)

    @property
    def seconds_left(self) -> float:
        """The least time that it takes to read the `unread` threads, in seconds: a request for each."""
        return 60 * self.unread / settings.ARCHIVE_REQUESTS_PER_MINUTE

    @property
    def unindexed(self) -> str:
        """Sentences on threads that a search may not find; "" if there are none."""
        sentences = []
        if self.stale:
            are = "threads are" if self.stale != 1 else "thread is"
            sentences.append(
                f"The search index is being rebuilt: {self.stale:,} {are} still to come, and may not be found."
            )
        if self.cut:
            have = "threads have" if self.cut != 1 else "thread has"
            sentences.append(
                f"{self.cut:,} {have} more words than can be searched: the longest ids and codes are left out."
            )
        return " ".join(sentences)


def search_gaps() -> SearchGaps | None:
    """What a search may miss; None if nothing. Cached for 3 seconds."""
    known = _lacking.get("")
    if known is None:
        progress = Progress.objects.filter(pk=1).first()
        ended = progress is not None and progress.reached_end_at is not None
        threads = sum(ThreadState.objects.values_list("threads", flat=True))
        unread = current().filter(read_at__isnull=True).count() if settings.ARCHIVE == "full" else 0
        cut = len(engines.numbers_with_word(word_index.CUT_MARKER, MAX_CUT_THREADS))
        stale = StaleIndex.objects.count()
        known = SearchGaps(None if ended else threads, unread, stale, cut, max(threads, unread))
        _lacking.put("", known)
    return None if known.nothing else known


def is_cut(thread_id: str) -> bool:
    """Whether an archived thread has more words than the index holds."""
    return word_index.is_cut(thread_id)


def suggested_users(typed: str) -> list[SuggestedUser]:
    """Users to suggest for a text typed into the user field."""
    return users.suggest(typed)


def is_archived_cursor(cursor: str | None) -> bool:
    """Whether the archive can page from this cursor; True for None, the beginning of the list."""
    return cursor is None or ArchivedThread.objects.filter(thread_id=cursor).exists()


def earlier_query(query: ThreadQuery, far: int) -> ThreadQuery | None:
    """The query for the same page, but from a cursor that is `far` archived threads earlier, or from the beginning of
    the list. None if the thread at the cursor is not archived."""
    number = ArchivedThread.objects.filter(thread_id=query.cursor or "").values_list("number", flat=True).first()
    if number is None:
        return None
    there = current().filter(user=user_ids.stored_user_id(query.user)) if query.user else current()
    # A page before a thread is the page after it in the opposite order.
    if (query.order == "desc") != (query.before is not None):
        there = there.filter(number__gt=number).order_by("number")
    else:
        there = there.filter(number__lt=number).order_by("-number")
    place = there.values_list("thread_id", flat=True)[far - 1 : far].first()
    return replace(query, before=place) if query.before else replace(query, after=place)


def mark_deleted(thread_id: str) -> None:
    """Marks an archived thread that a page has found to be deleted upstream, unless it is marked already."""
    with transaction.atomic():
        tombstones.lock_for_storing()
        kept = ArchivedThread.objects.select_for_update().filter(thread_id=thread_id, deleted_upstream_at=None).first()
        if kept is not None:
            removal.mark_deleted(kept, timezone.now())


def refresh(thread: Thread, window: Window[ThreadItem]) -> None:
    """Refreshes an archived thread that a page has read from the upstream, with some of its items. New items are stored
    at once if they follow the archived ones; else the thread becomes due for the next sync."""
    with transaction.atomic(), word_index.words_at_end():
        tombstones.lock_for_storing()
        kept = ArchivedThread.objects.select_for_update().filter(thread_id=thread.id or "").first()
        if kept is None:
            return
        now = timezone.now()
        if kept.raw != write.raw_json(thread) or now - kept.checked_at > _MIN_REFRESH:
            write.refresh_threads([(kept, thread)], now)
        if settings.ARCHIVE != "full":
            return
        rows = [row for row in window.rows if row.id]
        new = write.new_items(kept, rows)
        if not new:
            return
        # Items have to be stored in order, so others are left to the sync.
        before = rows[: len(rows) - len(new)]
        follows = before[-1].id == kept.last_item_id if before else kept.items == 0 and not window.has_previous
        if follows and list(window.rows[-len(new) :]) == new:
            page = Page(tuple(new), new[0].id, new[-1].id, window.has_next, lost=window.lost)
            write.store_items(kept, page, now)
        else:
            ArchivedThread.objects.filter(pk=kept.pk).update(due_at=now)
