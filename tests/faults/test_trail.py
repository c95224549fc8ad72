"""A trail that can't be written: reading goes on, and nothing that destroys or exports is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from tests.accounts import account
from tests.conftest import Get
from tests.faults.conftest import Seen
from threads.audit.models import AuditEvent
from threads.audit.record import Action, NotRecordedError, Outcome, must
from threads.emulator import Emulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def full(agent: Client) -> Iterator[None]:
    """The database takes no more rows into the trail, from when somebody is signed in."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditevent ADD CONSTRAINT no_room CHECK (false) NOT VALID")
        else:
            cursor.execute(
                "CREATE TRIGGER audit_full BEFORE INSERT ON audit_auditevent "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
    yield
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditevent DROP CONSTRAINT no_room")
        else:
            cursor.execute("DROP TRIGGER audit_full")


@pytest.mark.usefixtures("full")
def test_reading_goes_on(get: Get, emulator: Emulator, caplog: pytest.LogCaptureFixture, seen: Seen) -> None:
    thread, before = next(emulator.thread_ids()), AuditEvent.objects.count()
    assert get("/threads/?user=anybody").one("h1") is not None
    assert get(f"/threads/{thread}/").one("h1") is not None
    assert AuditEvent.objects.count() == before
    assert "The trail could not be written" in caplog.text
    seen("200, and the log says that it is not in the trail")


@pytest.mark.usefixtures("full")
def test_what_must_be_recorded_is_refused(seen: Seen) -> None:
    with pytest.raises(NotRecordedError):
        must(Action.DELETE, Outcome.INTENT, thread="cthr_1")
    seen("NotRecordedError before anything is done")


@pytest.mark.usefixtures("full")
def test_nothing_is_downloaded(agent: Client, emulator: Emulator, seen: Seen) -> None:
    thread = next(emulator.thread_ids())
    for kind in ("md", "json"):
        response = agent.post(f"/threads/{thread}/", {"format": kind})
        assert response.status_code == 503, kind
        assert "attachment" not in response.get("Content-Disposition", "")
    assert not [path for _, path, _ in emulator.calls if path.endswith("/items")]
    seen("503, and the upstream was not even asked")


def test_no_role_is_given(emulator: Emulator, request: pytest.FixtureRequest, seen: Seen) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(account("root", "Administrator", is_staff=True))
    other = account("ada", "Viewer")
    form = {"username": "ada", "is_active": "on", "groups": [each.pk for each in Group.objects.all()]}
    request.getfixturevalue("full")
    response = client.post(f"/admin/auth/user/{other.pk}/change/", form)
    assert response.status_code == 503
    assert b"This can&#39;t be recorded" in response.content
    assert [each.name for each in other.groups.all()] == ["Viewer"]
    seen("503: what is not in the trail is not done")
