"""Checks of the upstream with the desk's client. They only read."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from django.conf import settings

from threads.chatkit import (
    BETA,
    ChatKitError,
    Exchange,
    Limits,
    NotSignedIn,
    RateLimited,
    Refused,
    Retired,
    ScopesMissing,
    Thread,
)
from threads.sources import upstream

from .check_result import CheckResult, fail, ok, warn

_SLOW_SECONDS = 2.0
"""Seconds from which a page counts as slow."""

_LATENCY_CALLS = 5

_UNREACHABLE_ADVICE = "See that OPENAI_BASE_URL and CHATKIT_PROXY are right, and that this machine reaches them."
_NOT_ASKED_ADVICE = "The upstream could not be asked: see the line of the key."


class CheckTarget:
    """The checked upstream. `key` comes first: its result decides what the others can check. `seconds` is the timeout
    of a call."""

    def __init__(self, seconds: float) -> None:
        limits = Limits(min(seconds, settings.CHATKIT_DEADLINE), settings.CHATKIT_CONNECT, settings.CHATKIT_MAX_BYTES)
        self._client = upstream.make_client(limits, self._watch)
        self._error: ChatKitError | None = None
        self._threads: list[str] | None = None
        self._offset: float | None = None

    def close(self) -> None:
        self._client.close()

    def key(self) -> CheckResult:
        try:
            self._threads = _ids(self._client.list_threads(limit=7).rows)
        except ChatKitError as fault:
            self._error = fault
        match self._error:
            case NotSignedIn():
                advice = "Set OPENAI_API_KEY to a key of the project whose threads these are, that is not revoked."
                return fail("key", "the upstream does not accept it", advice)
            case Retired():
                advice = "The archive still answers. Check OPENAI_BASE_URL if this is unexpected."
                return fail("key", "the upstream has no such endpoint, or no longer has it", advice)
            case RateLimited():
                return warn("key", "the upstream's rate limit is reached", "Look again later.")
            case ScopesMissing() | Refused() | None if not settings.EMULATOR:
                return ok("key", "set and accepted")
            case None:
                advice = "Set OPENAI_API_KEY to see your own threads."
                return warn("key", "none: these are the emulator's threads, all made up", advice)
            case error:
                return fail("key", f"the upstream can't be asked: {describe_error(error)}", _UNREACHABLE_ADVICE)

    def scopes(self) -> CheckResult:
        unasked = "whether it may delete is known only when something is deleted"
        if isinstance(self._error, ScopesMissing):
            return fail("scopes", "the key may not list threads", "Give it the right to read ChatKit threads.")
        if self._threads is None:
            return warn("scopes", "unknown", _NOT_ASKED_ADVICE)
        if not self._threads:
            return warn("scopes", f"may list threads, there are none yet; {unasked}")
        try:
            self._client.list_items(self._threads[0], limit=1)
        except ScopesMissing:
            return fail("scopes", "the key may not read items", "Give it the right to read ChatKit threads.")
        except ChatKitError as error:
            return warn("scopes", f"may list threads; the items of one could not be read: {describe_error(error)}")
        return ok("scopes", f"may list threads and read items; {unasked}")

    def beta(self) -> CheckResult:
        sent = f"OpenAI-Beta: {BETA}"
        if isinstance(self._error, Refused) and "beta" in self._error.detail.lower():
            return fail("beta header", f"{sent} is sent, and not accepted", "Update Threadkeeper; see its CHANGELOG.")
        if self._threads is None:
            return warn("beta header", f"{sent} is sent; whether it is accepted is unknown", _NOT_ASKED_ADVICE)
        return ok("beta header", f"{sent} is sent, and accepted")

    def before(self) -> CheckResult:
        """Checks what the upstream returns for `before`, and for the reversed order that the desk uses instead:
        docs/adr/0001."""
        ids = self._threads
        if ids is None:
            return warn("before", "unknown", _NOT_ASKED_ADVICE)
        if len(ids) < 7:
            return warn("before", "too few threads to tell: it takes seven")
        turned = _ids(self._client.list_threads(order="asc", after=ids[4], limit=3).rows)
        if turned != [ids[3], ids[2], ids[1]]:
            advice = "Previous may skip threads or show them twice: report it with docs/adr/0001."
            return fail("before", "the upstream's two orders are no mirrors of each other", advice)
        never = "the desk never asks for it, and pages back by the opposite order, which works"
        try:
            return ok("before", f"{self._reading(ids)}; {never}")
        except ChatKitError as error:
            return ok("before", f"the upstream refuses it ({type(error).__name__}); {never}")

    def latency(self) -> CheckResult:
        if self._threads is None:
            return warn("latency", "unknown", _NOT_ASKED_ADVICE)
        spent = [_seconds(lambda: self._client.list_threads(limit=20)) for _ in range(_LATENCY_CALLS)]
        median = statistics.median(spent)
        detail = f"{median * 1000:.0f} ms for a page of the list, the median of {_LATENCY_CALLS} calls"
        if median < _SLOW_SECONDS:
            return ok("latency", detail)
        return warn("latency", detail, "Pages wait as long. See the network, and the upstream's status page.")

    def clock(self) -> float | None:
        """This machine's clock minus the upstream's, in seconds; None if unknown."""
        return self._offset

    def _watch(self, exchange: Exchange) -> None:
        if exchange.date is not None:
            # The header has whole seconds, and the reply took time: the offset is approximate.
            self._offset = time.time() - exchange.date

    def _reading(self, ids: list[str]) -> str:
        given = _ids(self._client.list_threads(before=ids[4], limit=3).rows)
        if given == ids[1:4]:
            return "the upstream gives the page next to the cursor"
        if ids[5] in given:
            return "the upstream gives older threads"
        near = _ids(self._client.list_threads(before=ids[1], limit=3).rows)
        return "the upstream gives the start of the list" if near[-1:] == ids[:1] else "the upstream ignores it"


def _ids(rows: tuple[Thread, ...]) -> list[str]:
    return [row.id for row in rows if row.id]


def _seconds(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def describe_error(error: ChatKitError) -> str:
    """The kind of error and its status, without the upstream's text."""
    return f"{type(error).__name__}, status {error.status}" if error.status else type(error).__name__
