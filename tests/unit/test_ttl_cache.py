"""What is remembered, and for how long."""

import time

import pytest

from threads.lib.ttl_cache import TTLCache


def test_a_value_lasts_its_time_and_one_caller_is_sent_to_renew_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    kept: TTLCache[str] = TTLCache(10)
    assert kept.get("k") is None
    kept.put("k", "v")
    now = 109.9
    assert kept.get("k") == "v"
    now = 110.0
    assert [kept.get("k"), kept.get("k"), kept.get("k")] == [None, "v", "v"]
    now = 111.5
    assert kept.get("k") is None, "nobody renewed it"
    kept.put("k", "w")
    assert kept.get("k") == "w"
    kept.forget("k")
    assert kept.get("k") is None


def test_what_is_kept_is_bounded() -> None:
    kept: TTLCache[int] = TTLCache(10, most=3)
    for number in range(100):
        kept.put(str(number), number)
    assert kept.get("99") == 99
    assert kept.get("0") is None


def test_nothing_is_kept_for_no_time() -> None:
    kept: TTLCache[int] = TTLCache(0)
    kept.put("k", 1)
    assert kept.get("k") is None
