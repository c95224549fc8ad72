"""What is drawn stands where its number says, and covers what it is meant to cover."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.web import charts

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@given(DAYS, st.integers(0, 4000), st.sampled_from(["day", "week", "month", "year"]))
def test_bins_follow_on_each_other_from_the_first_day_to_the_last(begin: date, days: int, of: charts.Unit) -> None:
    end = begin + timedelta(days=days)
    made = charts.bins(begin, end, of)
    assert (made[0].first, made[-1].last) == (begin, end)
    for before, after in itertools.pairwise(made):
        assert after.first - before.last == timedelta(days=1)
    for each in made[1:]:
        starts = {"week": each.first.weekday() == 0, "month": each.first.day == 1}
        assert starts.get(of, True)


def test_bins_at_the_ends_of_the_calendar() -> None:
    assert charts.bins(date.max, date.max, "week")[-1].last == date.max
    assert charts.bins(date(9999, 11, 5), date.max, "month")[-1].last == date.max
    assert charts.bins(date.min, date(1, 1, 3), "day")[0].first == date.min


@pytest.mark.parametrize(("days", "unit"), [(1, "day"), (120, "day"), (121, "week"), (1098, "week"), (1099, "month")])
def test_the_longer_the_range_the_more_a_bar_stands_for(days: int, unit: str) -> None:
    assert charts.unit(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=days - 1)) == unit


@pytest.mark.slow
@given(
    st.dictionaries(DAYS, st.dictionaries(st.sampled_from("abc"), st.integers(1, 9))), st.sampled_from(["day", "week"])
)
def test_no_thread_is_lost_between_the_bins(by_day: dict[date, dict[str, int]], of: charts.Unit) -> None:
    if not by_day:
        return
    ordered = {day: by_day[day] for day in sorted(by_day)}
    into = charts.bins(min(by_day), max(by_day), of)
    for each, numbers in zip(into, charts.summed(ordered, into), strict=True):
        for name in "abc":
            meant = sum(by_day[day].get(name, 0) for day in by_day if each.first <= day <= each.last)
            assert numbers.get(name, 0) == meant


@given(st.integers(0, 10**9))
def test_a_scale_has_few_equal_steps_and_reaches_the_greatest(most: int) -> None:
    steps = charts.scale(most)
    assert steps[0] == 0
    assert steps[-1] >= most
    assert 3 <= len(steps) <= 6
    assert len({after - before for before, after in itertools.pairwise(steps)}) == 1


@given(st.lists(st.lists(st.integers(0, 5000), min_size=3, max_size=3), min_size=1, max_size=150))
def test_bars_stand_on_each_other_and_within_the_drawing(stacks: list[list[int]]) -> None:
    chart = charts.bars(stacks, ["3 Nov 2026"] * len(stacks), 340, 220)
    assert len(chart.marks) == sum(number > 0 for stack in stacks for number in stack)
    foot: dict[int, float] = {}
    for mark in chart.marks:
        assert chart.left <= mark.x
        assert mark.x + mark.width <= chart.right + 0.1
        assert mark.y >= 0
        assert mark.y + mark.height == pytest.approx(foot.get(mark.column, chart.lines[0]), abs=0.1)
        foot[mark.column] = mark.y
    below = sorted(label.x for label in chart.labels if label.y > chart.lines[0] + 5)
    assert below
    assert all(after - before > 50 for before, after in itertools.pairwise(below))


def test_a_bar_is_as_tall_as_its_number() -> None:
    small, large = charts.bars([[10], [40]], ["a", "b"], 300, 200).marks
    assert large.height == pytest.approx(4 * small.height, abs=0.1)


@pytest.mark.parametrize("turned", [False, True])
def test_a_heat_map_has_a_square_for_each_number(turned: bool) -> None:
    numbers = [[day * hour for hour in range(24)] for day in range(7)]
    rows, columns = ["Mon"] * 7, [f"{hour:02}" for hour in range(24)]
    chart = charts.heat(numbers, rows, columns, 340, 22, turned=turned)
    assert len({(mark.x, mark.y) for mark in chart.marks}) == 7 * 24
    for mark in chart.marks:
        assert mark.level == charts.level(mark.row * mark.column, 6 * 23)
        assert mark.x + mark.width <= chart.width
        assert mark.y + mark.height <= chart.height
    across = len({mark.x for mark in chart.marks})
    assert across == (7 if turned else 24)


def test_a_shade_is_for_something() -> None:
    assert [charts.level(number, 1000) for number in (0, 1, 200, 201, 999, 1000)] == [0, 1, 1, 2, 5, 5]
    assert charts.level(0, 0) == 0
