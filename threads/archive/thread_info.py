"""What the archive knows of threads that the API does not tell, for whoever lists or reads them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from threads.chatkit import Page, Thread, ThreadItem
from threads.lib.ttl_cache import Remembered
from threads.sources.query import ThreadQuery
from threads.sources.window import Window

from . import erase, user_ids
from .models import ArchivedThread, Person, Progress, StaleIndex, State, current
from .report import MOST_CUT
from .search import engines, users
from .search.snippets import Hit, in_items
from .search.source import shown
from .search.words import units
from .statement_timeout import TooSlow, bounded
from .store import tombstones, word_index, write

_AGAIN = timedelta(minutes=1)

_filled: Remembered[bool] = Remembered(5)
_lacking: Remembered[Lacking] = Remembered(3)


@dataclass(frozen=True, slots=True)
class About:
    """`opening` is the beginning of the first message of the user; `messages` None where its items were not read;
    `only_here` is whether the upstream is not asked for it any more; `units` are the folded words that were searched
    for, `hit` the item that has them; `unlooked` where looking for it took too long."""

    opening: str | None
    messages: int | None
    last_activity_at: datetime | None
    confirmed_at: datetime
    gone_at: datetime | None
    only_here: bool = False
    units: tuple[str, ...] = ()
    hit: Hit | None = None
    unlooked: bool = False


def of(thread_ids: Sequence[str], searched: str | None = None) -> dict[str, About]:
    """What is known of each thread that is kept; with `searched`, where that was found in it."""
    looked_for = searched_for(searched) if searched else ()
    kept = list(ArchivedThread.objects.filter(thread_id__in=thread_ids).defer("raw"))
    hits: dict[int, Hit | None] = {}
    if looked_for:
        with suppress(TooSlow), bounded():
            for each in kept:
                hits[each.number] = in_items(each.number, looked_for)
    return {
        each.thread_id: About(
            opening=each.opening,
            messages=each.messages if each.read_at else None,
            last_activity_at=each.last_activity_at,
            confirmed_at=each.confirmed_at,
            gone_at=each.gone_at,
            only_here=any((each.gone_at, each.missing_at, each.former_at)),
            units=looked_for,
            hit=hits.get(each.number),
            unlooked=bool(looked_for) and each.number not in hits,
        )
        for each in kept
    }


def searched_for(typed: str) -> tuple[str, ...]:
    """The folded words and phrases that are looked for where this is typed."""
    return tuple(units(typed))


def has_threads() -> bool:
    """Whether anything is kept. Asked anew every few seconds, until it is so."""
    known = _filled.get("")
    if known is None:
        known = State.objects.exists() or ArchivedThread.objects.exists()
        _filled.put("", known)
    return known


def is_on() -> bool:
    """Whether there is an archive to ask."""
    return settings.ARCHIVE != "off" and has_threads()


def forget() -> None:
    _filled.clear()
    _lacking.clear()


def owner(thread_id: str) -> str | None:
    """The user of a kept thread; None where it is not kept, or nobody's."""
    kept = ArchivedThread.objects.filter(thread_id=thread_id).first()
    return None if kept is None else shown(kept).user


def is_user(name: str) -> bool:
    """Whether a user with exactly this id was seen."""
    return users.exactly(name) is not None


def is_part(typed: str) -> bool:
    """Whether any user that was seen has what was typed in their id."""
    return not users.matching(typed, part=True).nobody


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a search in the archive cannot find yet. `kept` is how many threads there are so far, where the list of them
    has not been read to its end, else None; `unread` how many have not been read to their last item; `stale` how many
    are still to be indexed anew, `cut` how many have more words than the index has room for."""

    kept: int | None
    unread: int
    stale: int = 0
    cut: int = 0

    @property
    def unindexed(self) -> str:
        """Which threads a search may not find, in sentences; "" for none."""
        said = []
        if self.stale:
            are = "threads are" if self.stale != 1 else "thread is"
            said.append(f"The search index is being rebuilt: {self.stale:,} {are} still to come, and may not be found.")
        if self.cut:
            have = "threads have" if self.cut != 1 else "thread has"
            said.append(f"{self.cut:,} {have} more words than can be searched: the longest ids and codes are left out.")
        return " ".join(said)


def lacking() -> Lacking | None:
    """None where nothing is lacking. Asked anew every few seconds."""
    known = _lacking.get("")
    if known is None:
        progress = Progress.objects.filter(pk=1).first()
        ended = progress is not None and progress.reached_end_at is not None
        kept = None if ended else sum(State.objects.values_list("threads", flat=True))
        unread = current().filter(read_at__isnull=True).count() if settings.ARCHIVE == "full" else 0
        cut = len(engines.with_word(word_index.CUT, MOST_CUT))
        known = Lacking(kept, unread, StaleIndex.objects.count(), cut)
        _lacking.put("", known)
    return None if known == Lacking(None, 0) else known


def is_cut(thread_id: str) -> bool:
    """Whether a kept thread has more words than can be searched."""
    return word_index.is_cut(thread_id)


def offered(typed: str) -> list[Person]:
    return users.offered(typed)


def is_kept(cursor: str | None) -> bool:
    """Whether a place in the list is one in the archive too; the beginning is."""
    return cursor is None or ArchivedThread.objects.filter(thread_id=cursor).exists()


def stepped_back(query: ThreadQuery, far: int) -> ThreadQuery | None:
    """The same page, but from the kept thread that stands `far` threads before the one that it begins behind, or from
    the beginning of the list; None where that can't be told."""
    number = ArchivedThread.objects.filter(thread_id=query.cursor or "").values_list("number", flat=True).first()
    if number is None:
        return None
    there = current().filter(user=user_ids.column(query.user)) if query.user else current()
    # A page before a thread is asked for as the page after it in the opposite order.
    if (query.order == "desc") != (query.before is not None):
        there = there.filter(number__gt=number).order_by("number")
    else:
        there = there.filter(number__lt=number).order_by("-number")
    place = there.values_list("thread_id", flat=True)[far - 1 : far].first()
    return replace(query, before=place) if query.before else replace(query, after=place)


def deleted(thread_id: str) -> None:
    """A kept thread was found to be deleted upstream."""
    with transaction.atomic():
        tombstones.storing()
        kept = ArchivedThread.objects.select_for_update().filter(thread_id=thread_id, gone_at=None).first()
        if kept is not None:
            erase.mark_deleted(kept, timezone.now())


def seen(thread: Thread, window: Window[ThreadItem]) -> None:
    """A kept thread was just shown by the upstream, with some of its items: the copy is refreshed, and its items are
    read again soon where the upstream has more."""
    with transaction.atomic(), word_index.words_last():
        tombstones.storing()
        kept = ArchivedThread.objects.select_for_update().filter(thread_id=thread.id or "").first()
        if kept is None:
            return
        now = timezone.now()
        if kept.raw != write.as_kept(thread) or now - kept.confirmed_at > _AGAIN:
            write.refresh([(kept, thread)], now)
        if settings.ARCHIVE != "full":
            return
        rows = [row for row in window.rows if row.id]
        new = write.unknown(kept, rows)
        if not new:
            return
        # Items that follow on what is kept are kept at once; what lies elsewhere is read in its order.
        before = rows[: len(rows) - len(new)]
        follows = before[-1].id == kept.last_item_id if before else kept.items == 0 and not window.has_previous
        if follows and list(window.rows[-len(new) :]) == new:
            page = Page(tuple(new), new[0].id, new[-1].id, window.has_next, lost=window.lost)
            write.items(kept, page, now)
        else:
            ArchivedThread.objects.filter(pk=kept.pk).update(due_at=now)
