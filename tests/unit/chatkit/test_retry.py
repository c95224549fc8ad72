"""Whether to try again, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.chatkit import retry
from threads.chatkit.retry import JITTER_SECONDS


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2),
        ({"retry-after": "86400"}, 86400),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 40),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:10 GMT"}, 0),
        ({"retry-after": "Thu, 99 Jan 1970 00:00:10 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry.retry_after(headers, now=60) == seconds


@given(st.text())
def test_no_header_raises(text: str) -> None:
    retry.retry_after({"retry-after": text, "retry-after-ms": text})
    retry.rate_limit_reset({"x-ratelimit-reset-requests": text})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6m0s", 360), ("1h2m3.5s", 3723.5), ("20ms", 0.02), ("1d", 86400), ("", None), ("6m x", None)],
)
def test_a_reset_is_a_duration(text: str, seconds: float | None) -> None:
    assert retry.rate_limit_reset({"x-ratelimit-reset-requests": text}) == pytest.approx(seconds)


def test_a_short_wait_is_honoured_and_a_long_one_is_not_sat_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "JITTER_SECONDS", JITTER_SECONDS)
    assert retry.pause(2) == 2
    assert retry.pause(86400) is None
    waits = {retry.pause(None) for _ in range(50)}
    assert len(waits) > 25
    assert all(wait is not None and 0.25 <= wait <= 0.75 for wait in waits)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_the_upstream_has_the_last_word_on_a_second_try(status: int) -> None:
    assert retry.is_retryable(status, {})
    assert not retry.is_retryable(status, {"x-should-retry": "false"})
    assert not retry.is_retryable(400, {})
    assert retry.is_retryable(400, {"x-should-retry": "true"})
    assert not retry.is_retryable(200, {"x-should-retry": "true"})
