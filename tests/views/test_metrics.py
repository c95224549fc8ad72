"""/metrics: off unless switched on, for who has the token, and without anybody's id in it."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from dashboard.monitoring import counters, metric_files
from dashboard.monitoring.gauges import DatabaseState
from tests.support.upstream import NOW, use_upstream
from threads.archive.models import ArchivedThread, SyncRun
from threads.audit.record import Actor, acting_as
from threads.chatkit import ApiConfig, ChatKitClient
from threads.emulator import Emulator, EmulatorAdapter, Fault
from threads.exports.models import Export
from threads.sources import upstream

pytestmark = pytest.mark.django_db(transaction=True)

Labels = dict[str, str]


@pytest.fixture(autouse=True)
def on(settings: Any, tmp_path: Path) -> None:
    settings.METRICS = True
    settings.DATA_DIR = tmp_path


def told() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = Client().get("/metrics")
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(name: str, **labels: str) -> float | None:
    return told().get((f"threadkeeper_{name}", frozenset(labels.items())))


def more(before: float | None, name: str, **labels: str) -> float:
    return (value(name, **labels) or 0.0) - (before or 0.0)


def test_off_it_is_not_there_and_counts_nothing(settings: Any, agent: Client) -> None:
    settings.METRICS = False
    counted = counters.requests.labels("sync", "GET", 200)
    before = counted._value.get()
    assert agent.get("/sync/").status_code == 200
    assert counted._value.get() == before
    assert Client().get("/metrics").status_code == 404


@pytest.mark.parametrize(
    ("sent", "status"),
    [(None, 401), ("Basic a token", 401), ("Bearer", 401), ("Bearer wrong", 403), ("Bearer tökén", 403),
     ("Bearer a-token", 200), ("bearer a-token", 200)],
)  # fmt: skip
def test_the_token(settings: Any, sent: str | None, status: int) -> None:
    settings.METRICS_TOKEN = "a-token"
    response = Client().get("/metrics", headers={"Authorization": sent} if sent else {})
    assert response.status_code == status
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert (b"threadkeeper_" in response.content) == (status == 200)


def test_requests_by_view_method_and_status(agent: Client) -> None:
    shown = {"view": "sync", "method": "GET"}
    before, slow = value("requests_total", status="200", **shown), value("request_seconds_count", **shown)
    agent.get("/sync/?who=user_1")
    assert more(before, "requests_total", status="200", **shown) == 1
    assert more(slow, "request_seconds_count", **shown) == 1


def test_whatever_is_asked_for_there_is_no_end_of_labels(agent: Client) -> None:
    before = len(told())
    for number in range(20):
        agent.get(f"/no/such/{number}/")
        agent.generic(f"METHOD{number}", "/sync/")
    assert len(told()) - before < 60
    assert {dict(labels)["method"] for name, labels in told() if name == "threadkeeper_requests_total"} <= {
        "GET", "POST", "other",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "outcome", "retries"),
    [(None, "answered", 0), (Fault.FLAKY_ONCE, "answered", 1), (Fault.GONE_410, "Retired", 0),
     (Fault.HTML_200, "Garbled", 0), (Fault.ERROR_500, "Unavailable", 1)],
)  # fmt: skip
def test_calls_to_the_upstream_by_outcome(
    agent: Client, monkeypatch: pytest.MonkeyPatch, fault: Fault | None, outcome: str, retries: int
) -> None:
    made = Emulator(threads=5, seed=7, now=NOW, fault=fault)
    client = ChatKitClient(ApiConfig("sk-test"), adapter=EmulatorAdapter(made), observer=upstream.notify_observers)
    use_upstream(monkeypatch, client)
    before = value("upstream_calls_total", call="list", outcome=outcome)
    again, slow = value("upstream_retries_total", call="list"), value("upstream_call_seconds_count", call="list")
    agent.get("/threads/")
    assert more(before, "upstream_calls_total", call="list", outcome=outcome) == 1
    assert more(again, "upstream_retries_total", call="list") == retries
    assert more(slow, "upstream_call_seconds_count", call="list") == 1
    client.close()


def test_nobodys_id_is_in_it(agent: Client, emulator: Emulator) -> None:
    listed = emulator.handle("GET", "/v1/chatkit/threads", "limit=5", {
        "authorization": "Bearer sk-test", "openai-beta": "chatkit_beta=v1",
    }).body.decode()  # fmt: skip
    ids = re.findall(r'"id":"(cthr_\w+)"', listed)
    users = re.findall(r'"user":"([^"]+)"', listed)
    assert ids
    assert users
    for thread, user in zip(ids, users, strict=False):
        agent.get(f"/threads/{thread}/")
        agent.get("/threads/", {"user": user})
    text = Client().get("/metrics").content.decode()
    assert 'view="thread"' in text
    assert not [each for each in [*ids, *users, "agent"] if each in text]


def test_sign_ins_that_were_refused() -> None:
    before = value("sign_in_failures_total")
    Client().post("/sign-in/", {"username": "ada", "password": "wrong"})
    assert more(before, "sign_in_failures_total") == 1


def test_what_the_database_knows() -> None:
    now = timezone.now()
    earlier = now - timedelta(seconds=90)
    run = {"started_at": earlier, "updated_at": earlier, "phase_at": earlier, "phase": "ended", "finished_at": earlier}
    SyncRun.objects.create(pk=1, holder="here 1", **run)
    kept: list[dict[str, datetime | None]] = [{"due_at": earlier}, {"due_at": None}, {"deleted_upstream_at": now}]
    for number, about in enumerate(kept):
        ArchivedThread.objects.create(thread_id=f"t{number}", raw="{}", checked_at=now, **about)
    with acting_as(Actor("agent", "1")):
        Export.create_for_actor(phase="waiting")
        Export.create_for_actor(phase="ended", finished_at=now)
    found = {name: found for (name, labels), found in told().items() if not labels}
    assert 89 < found["threadkeeper_archive_lag_seconds"] < 120
    assert found["threadkeeper_archive_threads_due"] == 2
    assert found["threadkeeper_queue_length"] == 0
    assert found["threadkeeper_database_up"] == found["threadkeeper_queue_up"] == 1
    assert "threadkeeper_worker_seen_seconds" not in found
    counters.database_state.forget()
    assert value("jobs", kind="export", phase="waiting") == value("jobs", kind="export", phase="ended") == 1


def test_a_database_that_fails_leaves_out_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> DatabaseState:
        raise DatabaseError

    monkeypatch.setattr(counters.database_state, "_ask", failing)
    assert value("database_up") == 0
    assert value("archive_threads_due") is None
    assert value("queue_up") == 1


def test_of_the_dead_what_they_counted_goes_with_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # First set, so that it is absent again after the test, whatever is put there meanwhile.
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    here = tmp_path / "metrics"
    metric_files.set_directory(here)
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(here)
    for name in (f"counter_{os.getpid()}.db", "counter_4194305.db", "gauge_livesum_77.db", "counter_77.db"):
        (here / name).touch()
    metric_files.forget_process(77)
    assert not (here / "gauge_livesum_77.db").exists()
    assert (here / "counter_77.db").exists()
    metric_files.remove_stale(here)
    assert (here / f"counter_{os.getpid()}.db").exists()
    assert not (here / "counter_4194305.db").exists()
