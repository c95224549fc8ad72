"""A search for what was erased says so, and gives the receipt to who may see it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.support.accounts import account
from tests.support.erasing import done, ordered
from tests.support.page import Page
from tests.support.reader import Get, reader
from tests.support.syncing import sync
from threads.emulator import Emulator
from threads.erasure import lookup, vacuum
from threads.erasure.models import Erasure, Target

pytestmark = pytest.mark.django_db(transaction=True)

SAID = re.compile(r"(\w[\w' ]+) (was|were) erased on \d+ \w+ \d{4}, \d\d:\d\d\.")


@pytest.fixture(autouse=True)
def files_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vacuum, "scrub", lambda _alive: {"rewritten": True, "bytes": 0})


def reading(role: str) -> Get:
    client = Client()
    client.force_login(User.objects.filter(username=f"a {role}").first() or account(f"a {role}", role))
    return reader(client)


def of_user(user: str, **more: str) -> str:
    return f"/threads/?{urlencode({'user': user} | more)}"


def told(page: Page) -> str:
    found = page.all("p", id="erased")
    return page.said(found[0]) if found else ""


def busiest(emulator: Emulator) -> str:
    return max(emulator.users(), key=lambda user: (len(list(emulator.thread_ids(user=user))), user))


@pytest.mark.parametrize("archived", [False, True])
def test_a_customer(emulator: Emulator, settings: Any, archived: bool) -> None:
    user = busiest(emulator)
    if archived:
        sync(emulator)
    job = done(ordered(user=user), emulator)
    receipt = f"/erasures/{job.pk}/"
    for role, sees in (("Viewer", False), ("Exporter", False), ("Eraser", True), ("Administrator", True)):
        page = reading(role)(of_user(user))
        found = SAID.search(told(page))
        assert found
        assert found[1] == "This customer's threads"
        assert (receipt in page.text) is sees
        assert ("receipt" in told(page)) is sees
        assert not page.thread_ids
    # Of another user, of a part of the id, and without a user, nothing is said.
    other = next(each for each in emulator.users() if each != user and list(emulator.thread_ids(user=each)))
    get = reading("Eraser")
    assert told(get(of_user(other))) == told(get("/threads/")) == ""
    assert told(get(of_user(user[:-1]))) == told(get(of_user(user.upper()))) == ""
    if archived:
        assert told(get(of_user(user, match="part"))) == ""


def test_a_customer_who_came_back(emulator: Emulator) -> None:
    user = busiest(emulator)
    done(ordered(user=user), emulator)
    emulator.arrive(1, user)
    page = reading("Viewer")(of_user(user))
    assert len(page.thread_ids) == 1
    assert "Other threads of this customer were erased on" in told(page)


def test_single_threads_of_a_customer(emulator: Emulator) -> None:
    sync(emulator)
    user = min(emulator.users(), key=lambda each: (len(list(emulator.thread_ids(user=each))) or 99, each))
    job = done(ordered(list(emulator.thread_ids(user=user))), emulator)
    page = reading("Eraser")(of_user(user))
    assert told(page).startswith("Threads of this customer were erased on")
    assert f"/erasures/{job.pk}/" in page.text


def test_a_thread(emulator: Emulator) -> None:
    one = next(emulator.thread_ids())
    job = done(ordered([one]), emulator)
    receipt = f"/erasures/{job.pk}/"
    for role, sees in (("Viewer", False), ("Eraser", True)):
        get = reading(role)
        for page in (get(of_user(one)), get(f"/threads/{one}/", status=404)):
            assert told(page).startswith("This thread was erased on")
            assert (receipt in page.text) is sees
            assert "it may have been deleted" not in page.said()
            assert "Try again" not in page.said()
    get = reading("Auditor")
    get(f"/threads/{one}/", status=403)
    assert told(reading("Viewer")("/threads/cthr_of_nobody/", status=404)) == ""


def test_a_masked_reader_learns_no_id_and_not_of_parts(emulator: Emulator, settings: Any) -> None:
    settings.MASK_IDENTITIES = True
    sync(emulator)
    user = busiest(emulator)
    done(ordered(user=user), emulator)
    get = reading("Viewer")
    said = told(get(of_user(user)))
    assert SAID.fullmatch(said)
    assert user not in said
    for end in range(1, len(user)):
        assert told(get(of_user(user[:end]))) == ""
        if end > 3:
            break
    get(of_user(user, match="part"), status=400)


def test_what_was_not_erased_is_not_said_to_be(emulator: Emulator) -> None:
    user = busiest(emulator)
    job = Erasure.objects.create(kind="user", user_id=user, token="x")
    for number, state in enumerate(sorted({*Target.State} - {*Target.CLEAN})):
        Target.objects.create(erasure=job, thread_id=f"cthr_{number}", user_id=user, state=state)
    assert lookup.of_user(user) is None
    assert lookup.of_thread("cthr_0") is None
    long = "x" * 600
    Target.objects.create(erasure=job, thread_id="cthr_long", user_id=long[:512], state="erased", at=job.requested_at)
    assert lookup.of_user(long) is None


@pytest.mark.parametrize(("very", "held"), [("x" * 600, "x" * 512), ("a\0b", "a\ufffdb")])
def test_an_id_that_a_column_holds_as_anothers_is_not_said_to_be_erased(very: str, held: str) -> None:
    job = Erasure.objects.create(kind="user", token="x", finished_at=timezone.now(), **Erasure.of_user(very))
    Target.objects.create(erasure=job, thread_id="cthr_0", user_id=held, state="erased", at=job.requested_at)
    single = Erasure.objects.create(kind="threads", token="y", finished_at=timezone.now())
    Target.objects.create(erasure=single, thread_id="cthr_1", user_id=held, state="erased", at=job.requested_at)
    assert lookup.of_user(very) is lookup.of_user(held) is None
    job = Erasure.objects.create(kind="user", token="z", finished_at=timezone.now(), **Erasure.of_user(held))
    Target.objects.create(erasure=job, thread_id="cthr_2", user_id=held, state="erased", at=job.requested_at)
    past = lookup.of_user(held)
    assert past is not None
    assert (past.erasure, past.whole) == (job.pk, True)
