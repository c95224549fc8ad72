"""A conversation as a file is an export too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.support.exporting import body, name, own_place, recorded
from threads import service
from threads.audit.models import AuditEvent
from threads.chatkit import Unavailable
from threads.emulator import Emulator

__all__ = ["own_place"]

pytestmark = pytest.mark.django_db


def test_a_download_of_a_conversation_is_recorded(agent: Client, emulator: Emulator) -> None:
    thread = next(emulator.thread_ids())
    response = agent.post(f"/threads/{thread}/", {"format": "json"})
    count = json.loads(body(response))["count"]
    intent, done = AuditEvent.objects.filter(action="export").order_by("pk")
    assert (intent.outcome, intent.thread_id) == ("intent", thread)
    assert (done.outcome, done.thread_id, done.account, done.detail["items"]) == ("done", thread, "agent", count)


def test_a_conversation_that_fails_half_way_says_so_in_its_name(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = next(emulator.thread_ids())
    whole = service.read_whole_thread

    def failing(thread_id: str) -> Any:
        found, pages = whole(thread_id)

        def broken() -> Iterator[Any]:
            yield from pages
            raise Unavailable("no connection")

        return found, broken()

    monkeypatch.setattr(service, "read_whole_thread", failing)
    response = agent.post(f"/threads/{thread}/", {"format": "md"})
    assert name(response) == f"{thread}-PARTIAL.md"
    assert "This transcript is partial" in body(response)
    assert recorded()[-1][0] == "partial"
