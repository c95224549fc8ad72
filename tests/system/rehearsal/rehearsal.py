"""Dress rehearsal for the end of the API: a desk fills its archive from the emulator, the emulator is retired in four
ways, one after another, and after each of them all data is checked."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import requests

from benchmarks.serving import free_port
from tests.support.desk import Browser
from tests.support.serving import NAME, PASSWORD
from tests.support.working import ROOT, ask, environment, manage, started
from tests.system.rehearsal.checks import FAILURES, CheckFailedError, Checks, Show, require, wait_for
from tests.system.rehearsal.comparison import archive_checks, emulator_conversations, items_of
from tests.system.rehearsal.pages import ROWS, WORD, Pages, Retirement
from threads.emulator import Emulator, EmulatorServer, Fault

MIN_THREADS = 2 * ROWS
"""Page two of the list must be full."""

_START_SECONDS, _STOP_SECONDS, _SYNC_SECONDS, _LIVE_SECONDS = 90.0, 45.0, 120.0, 60.0
"""Timeouts for the start and stop of the desk, for a sync, and for pages to be live again."""

_LOG_LINES = 60
"""Number of lines of the desk's log to show after a failed check."""

_RETIRED = "OpenAI no longer offers this"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A way for the API to end. `fault` is None if it refuses connections; `banner` and `failure` are the texts
    expected on pages and in the report."""

    heading: str
    fault: Fault | None
    banner: str
    failure: str


SCENARIOS = (
    Scenario("a. OpenAI answers every call with 404", Fault.GONE_404, _RETIRED, _RETIRED),
    Scenario("b. OpenAI answers every call with 410", Fault.GONE_410, _RETIRED, _RETIRED),
    Scenario("c. OpenAI refuses connections", None, "OpenAI can't be reached", "no connection could be made"),
)
WITHOUT_KEY = "d. The key is gone: restarted with ARCHIVE_ONLY=1 and without OPENAI_API_KEY"


def rehearse(data: Path, emulator: Emulator, show: Show, *, quick: bool = False, **settings: str) -> Checks:
    """Runs the rehearsal with its data in `data` and returns its checks.

    `show` takes each line of output. Adds a message to three threads of the emulator. `settings` are additional
    settings of the desk. With `quick`, the command is not run against refused connections, which takes 12
    seconds. Raises `ValueError` if the emulator has fewer than `MIN_THREADS` threads.
    """
    checks = Checks(show)
    rehearsal = _Rehearsal(data, emulator, checks, settings, quick=quick)
    try:
        rehearsal.run()
    except FAILURES as error:
        checks.make("The rehearsal could not go on", partial(_reraise, error))
    if checks.failed and rehearsal.log.exists():
        lines = rehearsal.log.read_text(encoding="utf-8", errors="replace").splitlines()
        checks.note("\n".join(["\nThe end of the desk's log:", *lines[-_LOG_LINES:]]))
    return checks


class _Upstream:
    """The emulator on a socket that can be closed."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._server = EmulatorServer(emulator)
        self.base_url = self._server.base_url
        self._refusing: socket.socket | None = None

    def retire(self, fault: Fault | None) -> None:
        """Makes every call fail with `fault`; with None, refuses connections permanently."""
        self._emulator.fault = fault
        if fault is None:
            self._server.close()
            # Bound but not listening: connections are refused, and the port stays taken.
            self._refusing = socket.socket()
            self._refusing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._refusing.bind(("127.0.0.1", urlsplit(self.base_url).port))

    def revive(self) -> None:
        self._emulator.fault = None

    def close(self) -> None:
        self._server.close()
        if self._refusing is not None:
            self._refusing.close()


@contextmanager
def _serving(emulator: Emulator) -> Iterator[_Upstream]:
    upstream = _Upstream(emulator)
    try:
        yield upstream
    finally:
        upstream.close()


class _Rehearsal:
    def __init__(
        self, data: Path, emulator: Emulator, checks: Checks, settings: dict[str, str], *, quick: bool
    ) -> None:
        _add_messages(emulator)
        self._data, self._emulator, self._checks = data, emulator, checks
        self._settings, self._quick = settings, quick
        self._expected = emulator_conversations(emulator)
        self.log = data / "desk.log"

    def run(self) -> None:
        """Runs all scenarios. Raises one of `FAILURES` if it cannot continue."""
        numbers = f"{len(self._expected):,} threads, {items_of(self._expected):,} items"
        with _serving(self._emulator) as upstream:
            settings = environment(self._data, upstream.base_url) | self._settings | {
                "PORT": str(free_port()), "WEB_CONCURRENCY": "2", "WORKER": "1", "ARCHIVE_GONE": "purge",
                "ARCHIVE_REQUESTS_PER_MINUTE": "1000000",
                # The worker syncs at its start and on request only, so that the result of each sync is known.
                "ARCHIVE_EVERY": "1440",
            }  # fmt: skip
            self._checks.begin(f"Before: OpenAI answers. It has {numbers}")
            manage(settings, "migrate", "--verbosity", "0")
            with self._desk(settings, account=True) as (browser, pages):
                if not self._checks.make("Archive filled by the worker", lambda: self._filled(pages)):
                    return
                self._check(pages, None)
                for scenario in SCENARIOS:
                    self._retire(upstream, scenario, settings, browser, pages)
        self._without_key(settings)

    def _retire(
        self, upstream: _Upstream, scenario: Scenario, settings: dict[str, str], browser: Browser, pages: Pages
    ) -> None:
        self._checks.begin(scenario.heading)
        retired = Retirement(datetime.now(UTC), scenario.banner, scenario.failure)
        upstream.retire(scenario.fault)
        self._checks.make("Sync now, by the worker", lambda: self._sync_by_worker(browser))
        if scenario.fault is not None or not self._quick:
            self._checks.make("manage.py archive sync", lambda: _sync_by_command(settings, "ended early"))
        self._check(pages, retired)
        if scenario.fault is not None:
            upstream.revive()
            self._checks.make("OpenAI answers again", lambda: _is_live(browser))

    def _without_key(self, settings: dict[str, str]) -> None:
        """Runs without a key beside a working emulator, which must get no calls."""
        self._checks.begin(WITHOUT_KEY)
        self._emulator.fault = None
        with _serving(self._emulator) as upstream:
            settings = settings | {"OPENAI_BASE_URL": upstream.base_url, "ARCHIVE_ONLY": "1"}
            del settings["OPENAI_API_KEY"]
            retired = Retirement(datetime.now(UTC))
            self._emulator.calls.clear()
            with self._desk(settings) as (_, pages):
                self._checks.make("manage.py archive sync", lambda: _sync_by_command(settings, "ARCHIVE_ONLY"))
                self._check(pages, retired)
            self._checks.make("Calls to OpenAI", lambda: _none_called(self._emulator))

    def _check(self, pages: Pages, retired: Retirement | None) -> None:
        for what, check in (*archive_checks(self._data, self._expected), *pages.checks(retired)):
            self._checks.make(what, check)

    @contextmanager
    def _desk(self, settings: dict[str, str], *, account: bool = False) -> Iterator[tuple[Browser, Pages]]:
        """Starts the server and the worker, and signs in; with `account`, creates the account first."""
        browser = Browser(f"http://127.0.0.1:{settings['PORT']}")
        with started(settings, "serve", log=self.log) as process:
            try:
                if account:
                    made = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
                    made |= {"DJANGO_SUPERUSER_EMAIL": "ada@desk.example"}
                    manage(settings | made, "createsuperuser", "--noinput")
                wait_for("the desk to start", lambda: _has_started(browser, process), _START_SECONDS)
                browser.sign_in()
                yield browser, Pages(browser, self._expected)
            finally:
                browser.close()  # the server waits for open connections before it stops
                process.terminate()
                with suppress(subprocess.TimeoutExpired):  # killed on exit
                    process.wait(_STOP_SECONDS)

    def _filled(self, pages: Pages) -> str:
        """Waits until the report says that the archive is complete."""

        def complete() -> str | None:
            report = pages.report()
            as_of = report["complete"]["as_of"]
            return str(as_of) if as_of and report["threads"] == len(self._expected) else None

        try:
            as_of = wait_for("the archive to be complete", complete, self._sync_timeout())
        except CheckFailedError as error:
            raise CheckFailedError(f"{error} {' '.join(pages.report()['complete']['lacking'])}") from None
        return f"complete as of {as_of[:19]}"

    def _sync_timeout(self) -> float:
        """Timeout of a full sync, in seconds."""
        return _SYNC_SECONDS + 0.1 * items_of(self._expected)

    def _sync_by_worker(self, browser: Browser) -> str:
        """Requests a sync as the page does, and waits until the worker has tried it."""
        pressed = datetime.now(UTC)
        status = browser.post("/sync/start/").status_code
        require(status == 302, f"“Sync now” answers {status}.")

        def ended() -> tuple[float, str] | None:
            for start, end, everything, phase in ask(
                self._data, "SELECT started_at, finished_at, everything, phase FROM archive_syncrun"
            ):
                if everything and end and _time(start) > pressed:
                    return (_time(end) - _time(start)).total_seconds(), str(phase)
            return None

        seconds, phase = wait_for("the worker to end its sync", ended, self._sync_timeout())
        require(phase != "ended", "The sync came to its end, as if nothing had happened.")
        ((failure,),) = ask(self._data, "SELECT failure FROM archive_progress")
        return f"ended early after {seconds:.1f} s: {failure}"


def _add_messages(emulator: Emulator) -> None:
    """Adds a message with `WORD` to the newest thread, one in the middle, and the oldest."""
    ids = list(emulator.thread_ids())
    if len(ids) < MIN_THREADS:
        raise ValueError(f"a rehearsal takes {MIN_THREADS} threads or more, not {len(ids)}")
    content = [{"type": "input_text", "text": f"And what does the {WORD} say?"}]
    message = {"type": "chatkit.user_message", "content": content, "attachments": [], "inference_options": None}
    for thread_id in (ids[0], ids[len(ids) // 2], ids[-1]):
        emulator.add_items(thread_id, [message])


def _has_started(browser: Browser, process: subprocess.Popen[bytes]) -> bool | None:
    require(process.poll() is None, "The desk ended by itself while it started.")
    with suppress(requests.RequestException):
        return browser.get("/healthz").status_code == 200 or None
    return None


def _sync_by_command(settings: dict[str, str], expected: str) -> str:
    """Runs the command, which must fail with a message containing `expected`, without a traceback."""

    def run() -> subprocess.CompletedProcess[str] | None:
        command = [sys.executable, "manage.py", "archive", "sync"]
        done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=_SYNC_SECONDS)
        # The worker has started a sync by itself; the command must wait for its end.
        return None if "Another worker is syncing" in done.stderr else done

    done = wait_for("the worker to let the command sync", run, _SYNC_SECONDS)
    said = done.stderr.replace("\r", "\n").strip().splitlines()
    require(done.returncode, f"It ended without an error: {done.stdout}")
    require("Traceback" not in done.stderr and said and expected in said[-1], f"It ended with: {done.stderr[-500:]}")
    return f"ended with {done.returncode}: {said[-1].removeprefix('CommandError: ')}"


def _is_live(browser: Browser) -> str:
    """Waits until pages come from the API again, polling as a page with the banner does."""
    began = time.monotonic()

    def live() -> bool | None:
        browser.get("/live/")
        return 'id="outage"' not in browser.get("/threads/").text or None

    wait_for("pages to be live again", live, _LIVE_SECONDS)
    return f"pages are live after {time.monotonic() - began:.1f} s"


def _none_called(emulator: Emulator) -> str:
    require(not emulator.calls, f"{len(emulator.calls):,} calls, such as {list(emulator.calls)[:3]}")
    return "0"


def _reraise(error: Exception) -> str:
    raise error


def _time(stored: object) -> datetime:
    """Parses a time as stored by SQLite."""
    return datetime.fromisoformat(str(stored)).replace(tzinfo=UTC)
