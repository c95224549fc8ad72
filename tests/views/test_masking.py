"""With MASK_IDENTITIES on, whoever may not see who threads are of finds that nowhere in the source of any page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from tests.support.accounts import account
from tests.support.page import Page
from tests.support.syncing import spoken, sync
from threads.archive import statistics
from threads.archive.models import ArchivedThread
from threads.audit.models import AuditEvent
from threads.audit.record import Action, record
from threads.emulator import Emulator
from threads.erasure.models import Erasure, Target
from threads.exports import filenames as names
from threads.models import SavedView

pytestmark = pytest.mark.django_db(transaction=True)

_MAIL = "augusta.king@lovelace.example"
_ITEMS = [
    spoken(f"Please write to {_MAIL} <{_MAIL}>"),
    {
        "type": "chatkit.assistant_message",
        "content": [
            {
                "type": "output_text",
                "text": f"I wrote to **{_MAIL}**, [here](mailto:{_MAIL}), augusta.king&#64;lovelace.example",
                "annotations": [{"type": "url", "source": {"type": "url", "url": f"https://x.example/?to={quote(_MAIL)}"}}],
            }
        ],
    },
    {
        "type": "chatkit.client_tool_call", "status": "completed", "call_id": "c", "name": "send",
        "arguments": '{"to": "augusta.king\\u0040lovelace.example"}', "output": f"sent to {_MAIL}",
    },
    {"type": "chatkit.widget", "widget": f'{{"type": "Card", "children": [{{"type": "Text", "value": "{_MAIL}"}}]}}'},
    {"type": "chatkit.task", "task_type": "custom", "heading": f"Ask {_MAIL}", "summary": f"asked {_MAIL}"},
    {"type": "chatkit.new", "deep": {"er": [_MAIL]}},
]  # fmt: skip


@pytest.fixture
def world(emulator: Emulator) -> Emulator:
    """An upstream whose newest thread, of a user whose id stands in its texts too, speaks of somebody else."""
    thread = next(emulator.thread_ids())
    user = _user_of(emulator, thread)
    emulator.set_title(thread, f"Refund for {_MAIL} ({user})")
    emulator.set_status(thread, "locked", f"{_MAIL} is {user}")
    emulator.set_items(thread, [*_ITEMS, spoken(f"My id is {user}, zebra.")])
    second = list(emulator.thread_ids())[1]
    emulator.set_title(second, None)
    emulator.set_items(second, [spoken(f"I am {_user_of(emulator, second)}, {_MAIL}, a zebra")])
    sync(emulator)
    return emulator


def _user_of(emulator: Emulator, thread: str) -> str:
    return next(user for user in emulator.users() if thread in emulator.thread_ids(user=user))


@pytest.fixture(autouse=True)
def masking(settings: object) -> None:
    settings.MASK_IDENTITIES = True  # type: ignore[attr-defined]


def _signed_in(*roles: str) -> Client:
    client = Client()
    client.force_login(account("-".join(roles), *roles))
    return client


def _pages(client: Client, emulator: Emulator) -> Iterator[tuple[str, str]]:
    """Every page that one gets to without having typed whom it is of."""
    found: list[str] = [
        "/threads/", "/threads/?limit=10&order=asc", "/threads/?q=zebra", "/threads/?q=refund",
        "/threads/?status=locked",
        "/threads/?has_reason=yes", "/threads/?q=nothing-like-it", "/reports/?from=2020-01-01&to=2026-12-31",
        "/sync/", "/sync/report/", "/users/?user=a", "/users/?user=u",
        f"/users/?user={quote(emulator.users()[0])[:4]}", "/threads/?user=nobody%20has%20this",
    ]  # fmt: skip
    for thread in list(emulator.thread_ids())[:12]:
        found += [f"/threads/{quote(thread, safe='')}/", f"/threads/{quote(thread, safe='')}/?after=x&count=1"]
    first = next(emulator.thread_ids())
    for address in found:
        for headers in ({}, {"HX-Request": "true"}, {"HX-Request": "true", "HX-Target": "more"}):
            response = client.get(address, headers=headers)
            assert response.status_code in {200, 400, 404}, address
            text = response.content.decode()
            if response["Content-Type"].startswith("text/html") and response.status_code == 200:
                Page(text, response.headers)
            yield f"{address} {headers}", text
    item = re.search(r'id="item-([^"]+)"', client.get(f"/threads/{quote(first, safe='')}/").content.decode())
    assert item
    more = {"HX-Request": "true", "HX-Target": "more"}
    response = client.get(f"/threads/{quote(first, safe='')}/?after={item[1]}&count=1", headers=more)
    assert response.status_code == 200
    yield "more", response.content.decode()


def _forms(name: str) -> set[str]:
    return {name, quote(name, safe=""), quote_plus(name), html.escape(name), name.replace("@", "\\u0040")}


def _seen(text: str, names: list[str]) -> list[str]:
    plain = unquote(html.unescape(text)).casefold()
    return [
        each
        for each in names
        if any(form.casefold() in text.casefold() for form in _forms(each)) or each.casefold() in plain
    ]


@pytest.mark.slow
def test_nothing_tells_a_viewer_who_it_is(world: Emulator) -> None:
    names = [each for each in world.users() if len(each) > 3] + [_MAIL, "lovelace.example"]
    for place, text in _pages(_signed_in("Viewer"), world):
        assert not _seen(text, names), place


@pytest.mark.slow
def test_an_exporter_sees_all_of_it(world: Emulator) -> None:
    text = "".join(text for _, text in _pages(_signed_in("Exporter"), world))
    users = {_user_of(world, thread) for thread in list(world.thread_ids())[:20]}
    assert set(_seen(text, [*users, _MAIL])) == {*users, _MAIL}
    assert "shortened" not in text


@pytest.mark.slow
def test_nothing_is_shortened_where_it_is_not_switched_on(world: Emulator, settings: object) -> None:
    settings.MASK_IDENTITIES = False  # type: ignore[attr-defined]
    text = "".join(text for _, text in _pages(_signed_in("Viewer"), world))
    assert set(_seen(text, [_MAIL, world.users()[0]])) == {_MAIL, world.users()[0]}


def test_it_is_said_that_ids_are_shortened(world: Emulator) -> None:
    client = _signed_in("Viewer")
    assert b"Customer ids and e-mail addresses are shortened." in client.get("/threads/").content
    first = quote(next(world.thread_ids()), safe="")
    assert b"Customer ids and e-mail addresses are shortened." in client.get(f"/threads/{first}/").content


def test_an_id_that_a_customer_gave_is_found(world: Emulator) -> None:
    user = _user_of(world, next(world.thread_ids()))
    response = _signed_in("Viewer").get("/threads/", {"user": user})
    page = Page(response.content.decode(), response.headers)
    assert page.thread_ids == list(world.thread_ids(user=user))[:20]
    assert page.one("input", id="user").get("value") == user
    others = [each for each in world.users() if each != user and len(each) > 3]
    assert not _seen(page.text, [*others, _MAIL])


def test_no_id_is_guessed_piece_by_piece(world: Emulator) -> None:
    client = _signed_in("Viewer")
    user = _user_of(world, next(world.thread_ids()))
    part = quote(user[:5])
    refused = client.get(f"/threads/?user={part}&match=part")
    assert refused.status_code == 400
    assert b"finds users by their whole id only" in refused.content
    assert len(Page(refused.content.decode(), {}).all("option", value="part")) == 1
    guessed = Page(client.get(f"/threads/?user={part}&was=", follow=True).content.decode(), {})
    assert not guessed.all("option", value="part")
    assert guessed.thread_ids == []
    assert client.get(f"/users/?user={part}").content.strip() == b""
    assert _signed_in("Exporter").get(f"/threads/?user={part}&match=part").status_code == 200


def test_a_view_that_somebody_shares_names_nobody(world: Emulator) -> None:
    owner = account("colleague", "Exporter")
    user = _user_of(world, next(world.thread_ids()))
    for name, query in (
        (f"All of {_MAIL}", f"user={quote_plus(user)}"), ("Words", f"q={quote_plus(_MAIL)}"),
        ("Locked", "status=locked"),
    ):  # fmt: skip
        SavedView.objects.create(owner=owner, name=name, query=query, shared=True)
    client = _signed_in("Viewer")
    page = Page(client.get("/threads/").content.decode(), {})
    assert not _seen(page.text, [user, _MAIL])
    assert saved_tabs(page) == ["/threads/?status=locked"]
    assert "names a customer" in page.said(page.one("details", id="views"))
    own = SavedView.objects.create(
        owner=User.objects.get(username="Viewer"), name="Mine", query=f"user={quote_plus(user)}"
    )
    page = Page(client.get("/threads/").content.decode(), {})
    assert f"/threads/?{own.query}" in saved_tabs(page)


def saved_tabs(page: Page) -> list[str | None]:
    """The addresses of the tabs beside those that every account has."""
    return [each.get("href") for each in page.one("nav", aria_label="Views").iter("a")][3:]


def test_the_audit_log_is_shortened_too_for_who_may_read_it_and_not_them(world: Emulator) -> None:
    group = Group.objects.create(name="Controllers")
    group.permissions.set(Permission.objects.filter(codename="audit"))
    controller = account("controller")
    controller.groups.add(group)
    user = _user_of(world, next(world.thread_ids()))
    _signed_in("Exporter").get("/threads/", {"user": user, "q": _MAIL})
    named = f"user-{names.safe_part(_MAIL, '')}-2026-11-25.zip"
    record(Action.EXPORT, user_id=_MAIL, detail={"file": named})
    client = Client()
    client.force_login(controller)
    for response in (client.get("/audit/"), client.post("/audit/file/")):
        text = (b"".join(response) if response.streaming else response.content).decode()
        assert "Exporter" in text
        assert not _seen(text, [user, _MAIL, named])
    auditor = _signed_in("Auditor").get("/audit/").content.decode()
    assert set(_seen(auditor, [user, _MAIL])) == {user, _MAIL}
    assert AuditEvent.objects.filter(user_id=user).exists()


def test_a_receipt_is_shortened_too_for_who_may_read_it_and_not_them(world: Emulator) -> None:
    controller = account("controller")
    controller.user_permissions.add(Permission.objects.get(codename="audit"))
    user = _user_of(world, next(world.thread_ids()))
    for kind, whose in (("user", user), ("threads", "")):
        job = Erasure.objects.create(
            kind=kind,
            user_id=whose,
            token=kind,
            account="eraser",
            finished_at=timezone.now(),
            error=f"refused for {_MAIL}",
        )
        Target.objects.create(erasure=job, thread_id="t", user_id=user, state="failed", reason=f"{user}, {_MAIL}")
    clients = {True: Client(), False: _signed_in("Auditor")}
    clients[True].force_login(controller)
    addresses = ["/erasures/"]
    for job in Erasure.objects.all():
        addresses += [f"/erasures/{job.pk}/", f"/erasures/{job.pk}/receipt.json"]
    for masked, client in clients.items():
        for address in addresses:
            response = client.get(address)
            assert response.status_code == 200
            assert bool(_seen(response.content.decode(), [user])) != masked, address
            assert not masked or not _seen(response.content.decode(), [_MAIL]), address


_SHOWN = 3
"""Characters in a row that masking shows of an id at most."""


def _run(text: str, name: str) -> str:
    """A run of a name that is longer than what masking shows, where one stands in the source of a page."""
    plain = unquote(html.unescape(re.sub("<[^>]*>", "", text)) + html.unescape(text)).casefold()
    runs = (name[place : place + _SHOWN + 1] for place in range(len(name) - _SHOWN))
    return next((each for each in runs if each.casefold() in plain), "")


def test_no_snippet_shows_what_it_was_cut_in(emulator: Emulator) -> None:
    user, mail = "qwv-7351-jbp-fkq-8f3g9c2h", "grvk.bwstr.hppr@nvy-dprtmnt.xqmplz"
    thread = emulator.arrive(1, user=user)[0]
    said = [
        f'{{"zebra":"{"x" * 131}","u":"{user}","y":{"1" * 300}}}', f"{'k' * 200}={user}={'n' * 68},quagga,",
        f"zorilla,{'y' * 132},{mail},{'z' * 300}", f"{'z' * 300},{mail},{'w' * 64},okapi",
    ]  # fmt: skip
    emulator.set_title(thread, None)
    emulator.set_items(thread, [*map(spoken, said)])
    sync(emulator)
    client = _signed_in("Viewer")
    for word in ("zebra", "quagga", "zorilla", "okapi"):
        text = client.get("/threads/", {"q": word}).content.decode()
        assert f"<mark>{word}</mark>" in text
        assert not _run(text, user), word
        assert not _run(text, mail), word


def test_no_opening_shows_an_id_whose_white_space_it_folds(emulator: Emulator) -> None:
    user = "Qwv  Jbp\n7351"
    folded = " ".join(user.split())
    cut, whole = emulator.arrive(2, user=user)
    for thread, said in ((cut, f"{'x ' * 91}I am {user}."), (whole, f"I am {user}, hello")):
        emulator.set_title(thread, None)
        emulator.set_items(thread, [spoken(said)])
    sync(emulator)
    client = _signed_in("Viewer")
    for address in ("/threads/", f"/threads/{cut}/", f"/threads/{whole}/"):
        text = " ".join(client.get(address).content.decode().split())
        assert "I am" in text
        assert not _run(text, folded), address


@pytest.mark.parametrize("few", [0, 1000])
def test_a_thread_s_own_id_is_shortened_wherever_its_texts_stand(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(statistics, "MAX_THREADS_TO_NARROW", few)
    user, other = "qwv-7351-jbp", "zkx-9-fqj-11"
    thread, _ = emulator.arrive(1, user=user)[0], emulator.arrive(1, user=other)
    emulator.set_title(thread, f"Refund for {user}")
    emulator.set_status(thread, "locked", f"{user} was as rude as {other}")
    sync(emulator)
    ArchivedThread.objects.filter(thread_id=thread).update(withheld_at=timezone.now(), sync_error=f"no items of {user}")
    ArchivedThread.objects.exclude(thread_id=thread).filter(thread_id=next(emulator.thread_ids())).update(
        user=user, sync_error=f"none of {user}"
    )
    client, exporter = _signed_in("Viewer"), _signed_in("Exporter")
    for address in ("/sync/", "/sync/report/", "/reports/?from=2020-01-01&to=2027-12-31"):
        text = client.get(address).content.decode()
        assert not _run(text, user), address
        assert ("was as rude as zkx-9-fqj-11" in text) == address.startswith("/reports/")
        assert _run(exporter.get(address).content.decode(), user)


def test_a_shared_view_that_searches_for_words_has_no_link(emulator: Emulator) -> None:
    owner, user = account("colleague", "Exporter"), "qwv-7351-jbp"
    emulator.arrive(1, user=user)
    sync(emulator)
    for name, query in (("a", f"q=%22{user}%22"), ("b", f"status=locked&reason={user}+was+rude"), ("c", "hour=0-09")):
        SavedView.objects.create(owner=owner, name=name, query=query, shared=True)
    page = Page(_signed_in("Viewer").get("/threads/").content.decode(), {})
    assert not _run(page.text, user)
    assert saved_tabs(page) == ["/threads/?hour=0-09"]
    assert "may name one" in page.said(page.one("details", id="views"))
