"""Ids, permutations and seeded random numbers, from which the world is computed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from threads.emulator.world.ids import Ids, join_place, split_place
from threads.emulator.world.permutation import Permutation
from threads.emulator.world.seeded_random import SeededRandom, mix
from threads.emulator.world.usernames import username

SEEDS = st.integers(0, 2**32)


@settings(deadline=None)
@given(SEEDS, st.integers(0, 2**64 - 1))
def test_an_id_can_be_turned_back(seed: int, value: int) -> None:
    ids = Ids("cthr_", seed)
    assert ids.decode(ids.encode(value)) == value
    assert len(ids.encode(value)) == len("cthr_") + 48


@settings(deadline=None)
@given(st.text())
def test_an_invented_id_is_the_id_of_nothing(text: str) -> None:
    ids = Ids("cthr_", 7)
    assert ids.decode(text) is None
    assert ids.decode("cthr_" + text) is None


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(5, 52))
def test_an_id_with_a_changed_digit_is_the_id_of_nothing(value: int, place: int) -> None:
    ids = Ids("cthr_", 7)
    right = ids.encode(value)
    changed = right[:place] + ("0" if right[place] != "0" else "1") + right[place + 1 :]
    assert ids.decode(changed) is None
    assert ids.decode(right[:5] + right[5:].upper()) in (None, value if right[5:].isdecimal() else None)


def test_ids_of_another_kind_or_seed_name_nothing() -> None:
    assert Ids("cti_", 7).decode(Ids("cthr_", 7).encode(1)) is None
    assert Ids("cthr_", 8).decode(Ids("cthr_", 7).encode(1)) is None


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_a_place_can_be_split_again(thread: int, position: int) -> None:
    assert split_place(join_place(thread, position)) == (thread, position)


@settings(deadline=None)
@given(st.integers(1, 300), SEEDS)
def test_a_shuffle_is_a_permutation_and_can_be_undone(size: int, seed: int) -> None:
    permutation = Permutation(size, seed)
    images = [permutation.forward(position) for position in range(size)]
    assert sorted(images) == list(range(size))
    assert [permutation.inverse(position) for position in images] == list(range(size))


def test_draws_repeat_and_depend_on_every_part() -> None:
    assert mix(1, 2) == mix(1, 2) != mix(2, 1)
    rng = SeededRandom(1, 2)
    first = [rng.below(10) for _ in range(1000)]
    again = SeededRandom(1, 2)
    assert first == [again.below(10) for _ in range(1000)]
    assert set(first) == set(range(10))


def test_no_two_users_share_a_name() -> None:
    assert len({username(7, number) for number in range(22_000)}) == 22_000
