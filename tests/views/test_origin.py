"""A database of customers' threads is never opened by the demo, nor filled by the emulator; and the other way round."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from threads.archive import database_guard
from threads.archive.models import ArchivedThread
from threads.models import Origin

pytestmark = pytest.mark.django_db


def kept() -> None:
    ArchivedThread.objects.create(thread_id="cthr_a", raw="{}", number=1, checked_at=timezone.now())


def test_the_demo_does_not_open_a_database_of_the_api(client: Client, settings: Any) -> None:
    settings.EMULATOR = False
    database_guard.claim()
    settings.EMULATOR = True
    reply = client.post("/sign-in/demo/")
    assert reply.status_code == 403
    assert b"OPENAI_API_KEY is not set" in reply.content
    assert client.get("/threads/").status_code == 302
    for command in (("worker",), ("serve",), ("archive", "sync")):
        with pytest.raises(CommandError, match="OPENAI_API_KEY is not set"):
            call_command(*command)


def test_nor_one_of_before_that_was_noted(settings: Any) -> None:
    settings.EMULATOR = True
    kept()
    with pytest.raises(ImproperlyConfigured, match="OPENAI_API_KEY is not set"):
        database_guard.claim()
    assert not Origin.objects.exists()


def test_made_up_threads_do_not_get_among_real_ones(settings: Any) -> None:
    settings.EMULATOR = True
    database_guard.claim()
    kept()
    settings.EMULATOR = False
    with pytest.raises(ImproperlyConfigured, match="made-up threads"):
        database_guard.claim()


def test_a_demo_that_kept_nothing_stands_in_nobodys_way(settings: Any) -> None:
    settings.EMULATOR = True
    database_guard.claim()
    database_guard.claim()
    settings.EMULATOR = False
    database_guard.claim()
    assert not Origin.objects.get().emulator
