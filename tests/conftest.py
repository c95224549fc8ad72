"""Fixtures and hooks of all tests: fresh process state, a sealed network, an upstream, signed-in clients."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db import connection
from django.test import Client
from hypothesis import settings as hypothesis_settings

from tests.support.accounts import account
from tests.support.database_rows import Rows
from tests.support.reader import Get, reader
from tests.support.seen import Seen
from tests.support.upstream import NOW, use_upstream
from threads.chatkit import ApiConfig, ChatKitClient, Limits, retry
from threads.emulator import Emulator, EmulatorAdapter
from threads.emulator.serving import adapter
from threads.lib import process_state

# A slow machine is no failure; what is slow is measured in benchmarks/.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says how to run the tests in this order again."""
    if config.pluginmanager.hasplugin("randomly"):
        terminalreporter.write_line(f"Order of the tests: --randomly-seed={config.getoption('randomly_seed')}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that are for another database than this run's."""
    if config.option.collectonly:  # which the table of faults is compared with
        return
    others = {
        item
        for item in items
        if (mark := item.get_closest_marker("database")) is not None and mark.args != (connection.vendor,)
    }
    if others:
        config.hook.pytest_deselected(items=list(others))
        items[:] = [item for item in items if item not in others]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a test that is skipped has failed: everything is there that it may need."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome, report.longrepr = "failed", f"skipped with CI=true: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    """Each test starts with the process state of a process that has just begun: empty caches, no known outage."""
    process_state.reset_all()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls to the upstream are retried at once, where production waits half a second."""
    monkeypatch.setattr(retry, "JITTER_SECONDS", (0.0, 0.01))


@pytest.fixture(autouse=True)
def sealed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches beyond this machine, whatever it makes of an address."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Tests that are no single transaction empty all tables afterwards, which the audit log would not let them."""
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            on = " ON audit_auditevent" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER audit_no_truncate{on}")
        # What migrations and their signals stored, such as roles. Running the signals again takes ten times as long.
        rows = Rows.stored()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: rows.restore())
        yield


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An upstream of 45 threads in this process, which the desk asks."""
    monkeypatch.setattr(adapter, "_MAX_HANG_SECONDS", 0.1)
    made = Emulator(threads=45, seed=7, now=NOW)
    client = ChatKitClient(ApiConfig("sk-test"), limits=Limits(seconds=5), adapter=EmulatorAdapter(made))
    use_upstream(monkeypatch, client)
    yield made
    client.close()


@pytest.fixture
def visitor() -> Get:
    """Asks for an address without being signed in. Keyword arguments are headers and the expected `status`."""
    return reader(Client())


@pytest.fixture
def agent(db: None) -> Client:
    """A browser in which somebody is signed in who may find, read and download."""
    client = Client()
    client.force_login(account("agent", "Exporter"))
    return client


@pytest.fixture
def get(agent: Client) -> Get:
    """Asks for an address as a signed-in agent. `part=True` asks as htmx does."""
    return reader(agent)


@pytest.fixture
def seen(record_property: Callable[[str, object], None]) -> Seen:
    """Reports an observation in words, for the report of `make faults`."""
    return lambda words: record_property("seen", words)
