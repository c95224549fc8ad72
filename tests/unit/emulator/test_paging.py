"""Pages by every reading, against a model that lists everything and cuts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from threads.emulator import BeforeReading, HasMoreReading
from threads.emulator.api.paging import PageRequest, Readings, page

ROWS = st.lists(st.integers(0, 60), unique=True).map(sorted)
CURSORS = st.none() | st.integers(0, 60)


def place_in_order(row: int, cut: PageRequest) -> int:
    """Sorts in the order asked for."""
    return -row if cut.descending else row


def stands_between(row: int, cut: PageRequest, reading: BeforeReading) -> bool:
    place = place_in_order(row, cut)
    if cut.after is not None and place <= place_in_order(cut.after, cut):
        return False
    if cut.before is None:
        return True
    if reading is BeforeReading.OLDER:
        return row < cut.before
    return place < place_in_order(cut.before, cut)


def model(rows: list[int], gone: set[int], cut: PageRequest, readings: Readings) -> tuple[list[int], bool]:
    """The page by the plainest means."""
    whole = sorted((row for row in rows if row not in gone), key=lambda row: place_in_order(row, cut))
    between = [row for row in whole if stands_between(row, cut, readings.before)]
    if cut.before is not None and readings.before is BeforeReading.ADJACENT:
        taken = between[max(len(between) - cut.limit, 0) :]
    else:
        taken = between[: cut.limit]
    more = len(between) > len(taken)
    if cut.before is not None and readings.has_more is HasMoreReading.ORDER:
        more = bool(taken) and taken[-1] != whole[-1]
    return taken, more


@settings(max_examples=300, deadline=None)
@given(
    ROWS,
    st.sets(st.integers(0, 60), max_size=20),
    st.builds(PageRequest, st.integers(0, 12), st.booleans(), CURSORS, CURSORS),
    st.builds(Readings, st.sampled_from(BeforeReading), st.sampled_from(HasMoreReading)),
)
def test_a_page_is_what_the_model_says(rows: list[int], gone: set[int], cut: PageRequest, readings: Readings) -> None:
    assert page(rows, gone, cut, readings) == model(rows, gone, cut, readings)


def test_the_readings_of_before_differ() -> None:
    def before(reading: BeforeReading, *, descending: bool) -> list[int]:
        cut = PageRequest(2, descending, before=5)
        return page(range(10), (), cut, Readings(reading))[0]

    assert before(BeforeReading.ADJACENT, descending=True) == [7, 6]
    assert before(BeforeReading.FIRST, descending=True) == [9, 8]
    assert before(BeforeReading.OLDER, descending=True) == [4, 3]
    assert before(BeforeReading.ADJACENT, descending=False) == [3, 4]
    assert before(BeforeReading.FIRST, descending=False) == [0, 1]
    assert before(BeforeReading.OLDER, descending=False) == [0, 1]


def test_the_readings_of_has_more_differ() -> None:
    cut = PageRequest(2, descending=True, before=7)
    assert page(range(10), (), cut, Readings(has_more=HasMoreReading.DIRECTION)) == ([9, 8], False)
    assert page(range(10), (), cut, Readings(has_more=HasMoreReading.ORDER)) == ([9, 8], True)
