"""Threads that are hidden, or show another time, and cursors that name no row."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.calls import NOW, call, error, get, ids, items_of, walk
from threads.emulator import Emulator
from threads.emulator.world.state import WorldState
from threads.emulator.world.world import World


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(60, now=NOW)


def replies_for(emulator: Emulator, one: str) -> list[tuple[int, Any]]:
    """Status and body of each call that names the thread `one`; the last one deletes it."""
    replies = [
        call(emulator, f"/{one}"),
        call(emulator, items_of(one)),
        call(emulator, after=one),
        call(emulator, before=one, order="asc"),
        call(emulator, f"/{one}", method="DELETE"),
    ]
    return [(reply.status, json.loads(reply.body)) for reply in replies]


@pytest.mark.parametrize("gone_cursor_status", [404, 400])
def test_a_hidden_thread_is_answered_as_a_deleted_one(gone_cursor_status: int) -> None:
    hidden, deleted = (Emulator(60, now=NOW, gone_cursor_status=gone_cursor_status) for _ in range(2))
    one = list(hidden.thread_ids())[10]
    user = get(hidden, f"/{one}")["user"]
    hidden.hide(one)
    deleted.delete(one)
    assert walk(hidden, limit=7) == walk(deleted, limit=7) == list(hidden.thread_ids())
    assert walk(hidden, user=user) == list(hidden.thread_ids(user=user))
    assert one not in hidden.thread_ids("asc")
    assert replies_for(hidden, one) == replies_for(deleted, one)
    assert {status for status, _ in replies_for(hidden, one)} == {404, gone_cursor_status}


def test_a_revealed_thread_is_back_at_its_place_with_its_items(emulator: Emulator) -> None:
    every = list(emulator.thread_ids())
    computed, given = every[10], every[20]
    emulator.set_items(given, [{"type": "chatkit.task", "heading": "kept"}])
    before = [get(emulator, tail) for one in (computed, given) for tail in (f"/{one}", items_of(one))]
    for one in (computed, given):
        emulator.hide(one)
        emulator.hide(one)
    assert walk(emulator, limit=7) == [one for one in every if one not in (computed, given)]
    for one in (computed, given):
        emulator.reveal(one)
        emulator.reveal(one)
    assert walk(emulator, limit=7) == every == list(emulator.thread_ids())
    assert [get(emulator, tail) for one in (computed, given) for tail in (f"/{one}", items_of(one))] == before
    assert ids(get(emulator, limit=1, after=computed)) == [every[11]]
    assert call(emulator, f"/{given}", method="DELETE").status == 200


def test_an_arrival_can_become_visible_late(emulator: Emulator) -> None:
    [late] = emulator.arrive()
    emulator.hide(late)
    [listed] = emulator.arrive()
    assert walk(emulator, limit=100)[0] == listed
    emulator.reveal(late)
    assert walk(emulator, limit=100)[:2] == [listed, late]


def test_a_hidden_thread_can_be_changed_and_deleted(emulator: Emulator) -> None:
    one, other = list(emulator.thread_ids())[:2]
    for hidden in (one, other):
        emulator.hide(hidden)
    emulator.set_title(one, "changed")
    emulator.set_created_at(one, 12)
    emulator.add_items(one, [{"type": "chatkit.task", "heading": "added"}])
    emulator.delete(other)
    assert call(emulator, f"/{one}").status == 404
    emulator.reveal(one)
    row = get(emulator, f"/{one}")
    assert (row["title"], row["created_at"]) == ("changed", 12)
    assert get(emulator, items_of(one))["data"][0]["heading"] == "added"
    with pytest.raises(KeyError):
        emulator.reveal(other)
    assert call(emulator, f"/{other}").status == 404


def test_a_thread_that_is_deleted_while_it_is_revealed_stays_deleted() -> None:
    state = WorldState(World(5, 7, NOW), {})
    state.hide(3)
    state.delete(3)
    state.reveal(3)
    assert state.invisible == {3}


def test_another_created_at_shows_in_the_row_alone(emulator: Emulator) -> None:
    every = list(emulator.thread_ids())
    one = every[10]
    row, items = get(emulator, f"/{one}"), get(emulator, items_of(one))
    emulator.set_created_at(one, 1_500_000_000)
    changed = row | {"created_at": 1_500_000_000}
    assert get(emulator, f"/{one}") == get(emulator)["data"][10] == changed != row
    assert get(emulator, items_of(one)) == items
    assert walk(emulator, limit=7) == every


@pytest.mark.parametrize(
    "happen",
    [Emulator.hide, Emulator.reveal, lambda emulator, one: emulator.set_created_at(one, 0)],
    ids=["hide", "reveal", "set_created_at"],
)
def test_an_unknown_or_deleted_thread_is_a_key_error(
    emulator: Emulator, happen: Callable[[Emulator, str], None]
) -> None:
    one = next(emulator.thread_ids())
    emulator.delete(one)
    for unknown in (one, "cthr_invented", Emulator(61, now=NOW).arrive(2)[1]):
        with pytest.raises(KeyError):
            happen(emulator, unknown)
    assert call(emulator, f"/{one}").status == 404


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [(404, "No row found with id '{}'.", "not_found"), (400, "Invalid cursor.", "invalid_cursor")],
)
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_cursor_without_a_row_has_the_chosen_status(status: int, message: str, code: str, name: str) -> None:
    emulator = Emulator(60, now=NOW, gone_cursor_status=status)
    deleted, hidden, one = list(emulator.thread_ids())[:3]
    item = get(emulator, items_of(one))["first_id"]
    emulator.delete(deleted)
    emulator.hide(hidden)
    emulator.set_items(one, [{"type": "chatkit.task", "id": "other"}])
    for tail, cursor in (("", deleted), ("", hidden), ("", "invented"), (items_of(one), item)):
        reply = call(emulator, tail, **{name: cursor})
        assert reply.status == status
        expected = {"message": message.format(cursor), "type": "invalid_request_error", "param": name, "code": code}
        assert error(reply) == expected
    assert call(emulator, **{name: one}).status == 200
    assert call(emulator, f"/{deleted}").status == 404, "a thread is no cursor"


def test_an_unknown_cursor_is_404_unless_chosen_otherwise(emulator: Emulator) -> None:
    assert call(emulator, after="invented").status == 404


@pytest.mark.parametrize("arguments", [{"gone_cursor_status": 410}, {"ties": 0}])
def test_wrong_arguments_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Emulator(5, now=NOW, **arguments)  # type: ignore[arg-type]
