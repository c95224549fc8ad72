"""What a fault's test tells the report, beside whether it was as expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dashboard.accounts import backends, sessions
from threads.archive import thread_info
from threads.service import outage

Seen = Callable[[str], None]


@pytest.fixture
def seen(record_property: Callable[[str, object], None]) -> Seen:
    """Says what was seen, for the report of `make faults`."""
    return lambda words: record_property("seen", words)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """What this process has learnt of another test's sessions, archive and upstream."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    sessions._sessions.clear()
    backends._accounts.clear()
    thread_info.forget()
    outage.watch.forget()
