"""The start and the result of an act are found by ids that both have, and by nothing less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.audit import acts
from threads.audit.models import AuditEvent

_NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
_numbers = count(1)


def event(outcome: str, action: str = "delete", detail: Any = None, **more: Any) -> AuditEvent:
    number = next(_numbers)
    values = {"account": "ada", "thread_id": "thr_1", "at": _NOON + timedelta(seconds=number)} | more
    return AuditEvent(pk=number, action=action, outcome=outcome, detail={} if detail is None else detail, **values)


@pytest.mark.parametrize(
    "ids",
    [
        {"detail": {"erasure": "e1"}},
        {"action": "export", "detail": {"export": "x1"}},
        {"action": "audit", "detail": {"last_hash": "h"}},
        {"action": "export", "request_id": "r1"},
        {"action": "audit", "request_id": "r1"},
    ],
)
@pytest.mark.parametrize("outcome", ["done", "failed", "refused", "partial", "already gone"])
def test_a_start_and_its_result_are_one_act(ids: dict[str, Any], outcome: str) -> None:
    start, result = event("intent", **ids), event(outcome, **ids)
    for order in ([start, result], [result, event("done", thread_id="other"), start]):
        assert acts.starts(order) == {result.pk: start}


@pytest.mark.parametrize(
    "other",
    [
        {"account": "grace"},
        {"thread_id": "thr_2"},
        {"user_id": "u"},
        {"detail": {"erasure": "e2"}},
        {"detail": {}},
        {"detail": ["no mapping"]},
        {"action": "purge"},
        {"outcome": "intent"},
    ],
)
def test_what_differs_in_an_id_stands_alone(other: dict[str, Any]) -> None:
    start = event("intent", detail={"erasure": "e1"})
    assert acts.starts([start, event(**({"outcome": "done", "detail": {"erasure": "e1"}} | other))]) == {}


def test_two_results_or_a_result_before_its_start_stand_alone() -> None:
    detail = {"erasure": "e1"}
    start, *results = event("intent", detail=detail), event("unknown", detail=detail), event("done", detail=detail)
    assert acts.starts([start, *results]) == {}
    early = event("done", detail=detail, at=_NOON - timedelta(hours=1))
    assert acts.starts([start, early]) == {}


def test_a_later_download_of_an_export_is_no_part_of_it() -> None:
    start, result = (event(outcome, "export", {"export": "x"}) for outcome in ("intent", "done"))
    again = event("done", "export", {"export": "x", "download": True})
    assert acts.starts([start, result, again]) == {result.pk: start}


def test_a_request_alone_joins_no_reading() -> None:
    assert acts.starts([event("intent", "read", request_id="r"), event("done", "read", request_id="r")]) == {}


_EVENTS = st.lists(
    st.builds(
        event,
        outcome=st.sampled_from(["intent", "done", "failed"]),
        action=st.sampled_from(["delete", "export", "audit"]),
        detail=st.sampled_from([{}, {"erasure": "a"}, {"erasure": "b"}, {"export": "a"}]),
        request_id=st.sampled_from(["", "r1", "r2"]),
        thread_id=st.sampled_from(["", "t"]),
    ),
    max_size=8,
)


@given(_EVENTS)
def test_no_event_is_lost_or_used_twice(events: list[AuditEvent]) -> None:
    found = acts.starts(events)
    starts = [start.pk for start in found.values()]
    assert len(set(starts)) == len(starts)
    assert not set(starts) & found.keys()
    by_number = {each.pk: each for each in events}
    for number, start in found.items():
        assert start.outcome == "intent"
        assert by_number[number].outcome != "intent"
        assert start.at <= by_number[number].at
