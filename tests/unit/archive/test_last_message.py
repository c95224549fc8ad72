"""Previews of last messages: right after every page, in whatever order, and after an update of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import counted
from tests.support.effort import times
from tests.support.syncing import spoken, sync
from tests.support.upstream import NOW
from threads.archive import reindex, thread_info
from threads.archive.models import ArchivedItem, ArchivedThread, Progress
from threads.archive.store import tombstones, write
from threads.archive.store.tokens import PREVIEW, preview
from threads.chatkit import Page, ThreadItem
from threads.chatkit.items import item as read_item
from threads.emulator import Emulator

pytestmark = pytest.mark.django_db


def answered(text: str) -> dict[str, Any]:
    """A message of the assistant."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "chatkit.assistant_message", "content": [part]}


def task(heading: str) -> dict[str, Any]:
    return {"type": "chatkit.task", "task_type": "custom", "heading": heading, "summary": None}


def made(raw: dict[str, Any], number: int = 0, at: int | None = 1_700_000_000) -> ThreadItem:
    return read_item({"id": f"cthi_{number}", "created_at": at, "thread_id": "t", **raw})


@pytest.fixture
def world() -> Emulator:
    return Emulator(threads=5, seed=7, now=NOW)


@pytest.fixture
def thread(world: Emulator) -> ArchivedThread:
    """An archived thread without items."""
    for each in world.thread_ids():
        world.set_items(each, [])
    sync(world)
    return ArchivedThread.objects.order_by("number")[0]


def store(thread: ArchivedThread, rows: Sequence[ThreadItem], *, more: bool = False) -> ArchivedThread:
    with transaction.atomic():
        tombstones.lock_for_storing()
        last = rows[-1].id if rows else None
        write.store_items(thread, Page(tuple(rows), rows[0].id if rows else None, last, more), timezone.now())
    return ArchivedThread.objects.get(pk=thread.pk)


KINDS = {"customer": spoken, "assistant": answered, "task": task}
items = st.lists(
    st.tuples(st.sampled_from(list(KINDS)), st.none() | st.integers(0, 6)).map(
        lambda pair: (pair[0], None if pair[1] is None else 1_700_000_000 + pair[1])
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=times(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items, st.lists(st.integers(1, 12), max_size=3), st.booleans())
def test_pages_in_whatever_order_and_restarts_keep_it_right(
    thread: ArchivedThread, said: list[tuple[str, int | None]], cuts: list[int], restarted: bool
) -> None:
    with transaction.atomic():
        rows = [made(KINDS[kind](f"{kind} {number}"), number, at) for number, (kind, at) in enumerate(said)]
        places = [0, *sorted(cuts), len(rows)]
        for begin, end in pairwise(places):
            thread = store(thread, rows[begin:end], more=True)
            if restarted:
                write.restart_items(thread)
                thread = store(thread, rows[:end], more=True)
            counted.check()
        transaction.set_rollback(True)


def test_what_it_says(thread: ArchivedThread) -> None:
    thread = store(thread, [made(spoken(" Where is\n my\torder? "), 1)])
    assert (thread.last_by, thread.last_message) == ("customer", "Where is my order?")
    thread = store(
        thread, [made(answered("## Sorry!\n\nIt is **here**: [track it](https://x.example/1).\n\n- a\n- b"), 2)]
    )
    assert (thread.last_by, thread.last_message) == ("assistant", "Sorry! It is here: track it. a b")
    thread = store(thread, [made(task("looking"), 3)])
    assert thread.last_by == "assistant", "a step is no message"
    file = {"type": "file", "id": "f", "name": "invoice.pdf", "mime_type": "application/pdf", "preview_url": None}
    thread = store(thread, [made({"type": "user_message", "content": [], "attachments": [file]}, 4)])
    assert (thread.last_by, thread.last_message) == ("customer", "invoice.pdf")
    thread = store(thread, [made(answered(""), 5)])
    assert (thread.last_by, thread.last_message) == ("assistant", None)
    counted.check()


@given(st.text(max_size=600) | st.text("*_[]()`#|>\n a", max_size=600).map(lambda text: text * 40))
def test_a_preview_is_one_short_line(text: str) -> None:
    for raw in (spoken(text), answered(text)):
        found = preview(made(raw))
        assert found is None or (0 < len(found) <= PREVIEW and "\n" not in found)


def test_a_short_preview_is_the_whole_text() -> None:
    """Else masking would take half of an id at its end for a whole one."""
    hidden = f"[]({'x' * 95})" * 39
    for more in range(0, 200, 5):
        said = f"{hidden}[]({'x' * more}) I wrote to ada@example.org"
        assert preview(made(answered(said))) == "I wrote to ada@example.org"


def test_what_an_older_version_kept_gets_it_from_the_worker(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindex, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(reindex, "_MAX_PREVIEWS", 2)
    first, second, *_ = world.thread_ids()
    world.set_items(first, [])
    world.set_items(second, [task("looking")])
    sync(world)
    assert not reindex.is_due()
    ArchivedThread.objects.update(last_by=None, last_message=None)
    assert reindex.is_due()
    assert reindex.count_due() == 3
    done: list[int] = []
    reindex.run(watch=done.append)
    assert done == [2, 1]
    counted.check()
    assert not reindex.is_due()


def test_a_new_message_in_an_older_thread_is_compared_with_what_is_there(thread: ArchivedThread) -> None:
    thread = store(thread, [made(spoken("new"), 1, 1_700_000_009)])
    ArchivedThread.objects.update(last_by=None, last_message=None)
    thread = store(thread, [made(spoken("old"), 2, 1_700_000_000)])
    assert thread.last_message == "new"


def test_a_thread_whose_messages_cannot_be_found_is_not_tried_for_ever(world: Emulator) -> None:
    sync(world)
    ArchivedItem.objects.all().delete()
    ArchivedThread.objects.update(last_by=None, last_message=None)
    reindex.run()
    assert not reindex.is_due()
    assert {each.last_by for each in thread_info.by_id(list(world.thread_ids())).values()} == {None}


def test_none_is_shown_where_a_thread_is_not_read_to_its_end_or_they_are_off(
    thread: ArchivedThread, settings: Any
) -> None:
    thread = store(thread, [made(spoken("first"), 1)], more=True)
    ArchivedThread.objects.filter(pk=thread.pk).update(read_at=None)
    name = thread.thread_id
    assert thread_info.by_id([name])[name].last is None
    store(thread, [made(spoken("last"), 2)])
    assert (thread_info.by_id([name])[name].last, thread_info.by_id([name])[name].last_by) == ("last", "customer")
    settings.LIST_PREVIEWS = False
    assert (thread_info.by_id([name])[name].last, thread_info.by_id([name])[name].last_by) == (None, None)


def test_an_erased_thread_leaves_none(world: Emulator) -> None:
    sync(world)
    thread = ArchivedThread.objects.filter(last_message__isnull=False)[0]
    words = thread.last_message
    with transaction.atomic():
        tombstones.lock_for_erasing()
        write.delete_thread(thread)
    assert not ArchivedThread.objects.filter(last_message=words).exists()
    assert Progress.objects.get().items == ArchivedItem.objects.count()
