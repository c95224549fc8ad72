"""Conversations that tests give to threads."""

import threading
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.calls import NOW, call, get, ids, items_of, walk
from threads.emulator import Emulator

AWKWARD_IDS = ("a/b?c=d&e#f", "łucja 100 %", "cti_" + "0" * 48, "1", "")


def said(number: int, **own: Any) -> dict[str, Any]:
    """A message of the user."""
    content = [{"type": "input_text", "text": f"message {number}"}]
    return {"type": "chatkit.user_message", "content": content, "attachments": [], "inference_options": None, **own}


def texts(page: Any) -> list[str]:
    """The words of a page's messages."""
    return [item["content"][0]["text"] for item in page["data"]]


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(60, now=NOW)


@pytest.fixture
def thread_id(emulator: Emulator) -> str:
    return list(emulator.thread_ids())[7]


def test_a_thread_gets_another_conversation(emulator: Emulator, thread_id: str) -> None:
    thread = get(emulator, f"/{thread_id}")
    emulator.set_items(thread_id, [said(number) for number in range(5)])
    page = get(emulator, items_of(thread_id), order="asc")
    assert texts(page) == [f"message {number}" for number in range(5)]
    assert {(item["object"], item["thread_id"]) for item in page["data"]} == {("chatkit.thread_item", thread_id)}
    times = [item["created_at"] for item in page["data"]]
    assert times == sorted(set(times))
    assert thread["created_at"] <= times[0] < times[-1] <= NOW
    assert get(emulator, f"/{thread_id}") == thread
    emulator.set_items(thread_id, [])
    assert get(emulator, items_of(thread_id)) == get(emulator, user="nobody")


def test_a_thread_without_items_can_be_written_to(emulator: Emulator, thread_id: str) -> None:
    emulator.set_items(thread_id, [])
    emulator.add_items(thread_id, [said(1)])
    assert texts(get(emulator, items_of(thread_id))) == ["message 1"]


def test_a_thread_that_has_just_arrived_hurries(emulator: Emulator) -> None:
    [arrived] = emulator.arrive()
    emulator.set_items(arrived, [said(number) for number in range(9)])
    times = [item["created_at"] for item in get(emulator, items_of(arrived), order="asc")["data"]]
    assert times == sorted(times)
    assert times[-1] - NOW < 5


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_cursors_of_given_items(emulator: Emulator, thread_id: str, order: str, limit: int) -> None:
    emulator.set_items(thread_id, [said(0), *(said(1, id=own) for own in AWKWARD_IDS), said(9)])
    tail = items_of(thread_id)
    whole = ids(get(emulator, tail, order=order))
    assert set(whole) > set(AWKWARD_IDS)
    assert walk(emulator, tail, order=order, limit=limit) == whole
    for place, cursor in enumerate(whole):
        assert ids(get(emulator, tail, order=order, after=cursor)) == whole[place + 1 :]
        assert ids(get(emulator, tail, order=order, before=cursor)) == whole[:place]


def test_a_cursor_that_was_replaced_is_gone(emulator: Emulator, thread_id: str) -> None:
    emulator.set_items(thread_id, [said(1, id="one"), said(2, id="two")])
    emulator.set_items(thread_id, [said(1, id="one")])
    assert call(emulator, items_of(thread_id), after="two").status == 404
    assert call(emulator, items_of(thread_id), after="one").status == 200


def test_what_an_item_brings_stands(emulator: Emulator, thread_id: str) -> None:
    emulator.set_items(thread_id, [said(1, created_at=5, thread_id="other", object="thing", id="x"), said(2)])
    one, other = get(emulator, items_of(thread_id), order="asc")["data"]
    assert (one["created_at"], one["thread_id"], one["object"], one["id"]) == (5, "other", "thing", "x")
    assert other["created_at"] > 5


def test_somebody_writes_on(emulator: Emulator, thread_id: str) -> None:
    tail = items_of(thread_id)
    before = get(emulator, tail, limit=100, order="asc")
    emulator.add_items(thread_id, [said(1), said(2, id="mine")])
    emulator.add_items(thread_id, [said(3)])
    after = get(emulator, tail, limit=100, order="asc")
    assert after["data"][:-3] == before["data"]
    assert get(emulator, tail, order="asc", after=before["last_id"])["data"] == after["data"][-3:]
    assert texts(get(emulator, tail, order="asc", after="mine")) == ["message 3"]
    assert all(NOW <= item["created_at"] < NOW + 60 for item in after["data"][-3:])
    assert len(set(ids(after))) == len(after["data"])


def test_a_reader_in_the_middle_is_not_disturbed(emulator: Emulator, thread_id: str) -> None:
    index = emulator._find(thread_id)
    read = emulator._state.items(index)
    length = len(read)
    emulator.add_items(thread_id, [said(1)])
    assert (len(read), len(emulator._state.items(index))) == (length, length + 1)


def test_what_is_added_is_never_older_than_what_there_is(emulator: Emulator, thread_id: str) -> None:
    emulator.set_items(thread_id, [said(1, created_at=int(NOW) + 5000)])
    emulator.add_items(thread_id, [said(2)])
    assert get(emulator, items_of(thread_id))["data"][0]["created_at"] == NOW + 5000


def test_a_deleted_thread_forgets_its_items(emulator: Emulator, thread_id: str) -> None:
    emulator.set_items(thread_id, [said(1, id="mine")])
    emulator.delete(thread_id)
    assert call(emulator, items_of(thread_id)).status == 404
    assert not emulator._state._scripted
    for change in (emulator.set_items, emulator.add_items):
        with pytest.raises(KeyError):
            change(thread_id, [said(1)])
        with pytest.raises(KeyError):
            change("cthr_invented", [said(1)])
    assert not emulator._state._scripted


def test_other_threads_are_as_they_were(emulator: Emulator, thread_id: str) -> None:
    other = next(emulator.thread_ids())
    before = get(emulator, items_of(other))
    emulator.set_items(thread_id, [said(1, id="mine")])
    assert get(emulator, items_of(other)) == before
    assert call(emulator, items_of(other), after="mine").status == 404


def test_many_may_write_at_once(emulator: Emulator, thread_id: str) -> None:
    emulator.set_items(thread_id, [])

    def write(writer: int) -> None:
        for number in range(50):
            emulator.add_items(thread_id, [said(number, id=f"{writer}-{number}")])
            walk(emulator, f"/{quote(thread_id)}/items", limit=100, order="asc")

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = walk(emulator, items_of(thread_id), limit=100, order="asc")
    assert sorted(found) == sorted(f"{writer}-{number}" for writer in range(4) for number in range(50))
