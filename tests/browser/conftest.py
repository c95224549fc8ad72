"""A browser, an upstream on a socket, and Threadkeeper between them as three programs, all on this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.steps import menu
from tests.browser.watching import Watch
from tests.support.chromium import FLAGS, find
from tests.support.serving import NAME, PASSWORD, Desk, serve
from threads.emulator import Emulator, EmulatorReply, EmulatorServer

_PATIENCE = 10_000
_HERE = Path(__file__).parent

expect.set_options(timeout=_PATIENCE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright leaves an event loop running in its thread, and Django then refuses to
    speak to a database from there, which the other tests do."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: _HERE in item.path.parents)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser. Without one the tests are skipped."""
    path = find()
    if path is not None:
        return path
    pytest.skip("There is no Chromium. Install it (apt-get install chromium) or name it (CHROMIUM=/path).")


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium: str, browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {"executable_path": chromium, "args": FLAGS}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Every browser says which desk it is at."""


class Stage(Emulator):
    """Plays whichever emulator is on: every test has a fresh one, and the address stays."""

    def __init__(self) -> None:
        super().__init__(threads=0)
        self.playing: Emulator | None = None

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> EmulatorReply:
        if self.playing is None:
            return super().handle(method, path, query, headers)
        time.sleep(self.playing.latency_ms / 1000)
        return self.playing.handle(method, path, query, headers)


@pytest.fixture(scope="session")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the desks keep their data: one directory for all workers, in which each has names of its own."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "only")


@pytest.fixture(scope="session")
def desk(chromium: str, stage: Stage, data: Path, worker: str) -> Iterator[Desk]:
    """The desk as in production: a key, accounts, an upstream elsewhere."""
    with EmulatorServer(stage) as server:
        settings = {
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": server.base_url,
            "CHATKIT_DEADLINE": "4",
            "SECRET_KEY": "a key for tests alone, long enough that Django does not warn of it",
        }
        with serve(data / f"desk-{worker}", settings, account=True) as desk:
            yield desk


@pytest.fixture(scope="session")
def demo(chromium: str, data: Path, worker: str) -> Iterator[Desk]:
    """The desk as a newcomer starts it: with no setting at all."""
    with serve(data / f"demo-{worker}", {}) as desk:
        yield desk


@pytest.fixture
def upstream(stage: Stage) -> Emulator:
    """What the desk of this test sees: ten pages of twenty threads, and five more."""
    stage.playing = Emulator(threads=205, seed=7, now=time.time() - 300)
    return stage.playing


@pytest.fixture(scope="session")
def session(browser: Browser, desk: Desk) -> StorageState:
    """The cookies of somebody who has signed in, and of a browser that has told its time zone, UTC."""
    with browser.new_context(timezone_id="UTC", base_url=desk.url) as context:
        page = context.new_page()
        page.goto("/sign-in/")
        page.get_by_label("User name").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(menu(page)).to_be_visible()
        return context.storage_state()


class Open(Protocol):
    def __call__(self, address: str | None = None, **options: Any) -> Page: ...


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def signed_out(new_context: Any, desk: Desk, watch: Watch) -> Iterator[Open]:
    """Opens a browser of its own, signed in nowhere, with Playwright's options for a context. What goes wrong in it
    without being expected fails the test, and so does a traceback in what the desk says."""
    said = len(desk.said())
    contexts = []

    def open_page(address: str | None = None, **options: Any) -> Page:
        context = new_context(**{"timezone_id": "UTC", "base_url": desk.url} | options)
        contexts.append(context)
        context.set_default_timeout(_PATIENCE)
        watch.over(context)
        page: Page = context.new_page()
        if address is not None:
            page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.cookies()  # whatever the browser has to report has come before this answer
    assert watch.verdict() == []
    assert "Traceback" not in desk.said()[said:]


@pytest.fixture
def signed_in(signed_out: Open, session: StorageState, upstream: Emulator) -> Open:
    """Opens a browser whose user is signed in."""

    def open_page(address: str | None = None, **options: Any) -> Page:
        return signed_out(address, **{"storage_state": session} | options)

    return open_page


@pytest.fixture
def page(signed_in: Open) -> Page:
    """A signed-in browser that has nothing open yet."""
    return signed_in()
