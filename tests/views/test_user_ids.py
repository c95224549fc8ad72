"""Any text can be a user id: from a row to their threads, their zip and their erasure, to the letter."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.accounts import account
from tests.support.effort import times
from tests.support.erasing import done
from tests.support.exporting import own_place, stored, transcripts, zipped  # noqa: F401
from tests.support.page import Page
from tests.support.reader import Get
from tests.support.syncing import sync
from threads.archive import thread_info, user_ids
from threads.archive.models import ArchivedThread, ArchivedUser
from threads.archive.search import users
from threads.audit.record import Actor, acting_as
from threads.chatkit import Thread
from threads.emulator import Emulator
from threads.erasure import preview
from threads.erasure.models import Erasure
from threads.exports import orders, storage, tasks
from threads.exports.models import Export
from threads.rendering.escape import exact
from threads.sources.query import ThreadQuery
from threads.sources.window import Window
from threads.web.presenters import thread_list

ADDRESSES = ["https://id.example.com/threads/42", "https://pod.example.com/logs/bob", "/threads/7"]
ODD = [
    "two  spaces",
    " ",
    "   ",
    "a\0b",
    "\0",
    "line\r\nbreak",
    "\t",
    " edges ",
    "\u00a0",
    "\u2028",
    "a\u200bb",
    "+ %20&",
]

any_id = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def _submitted(page: Page, **changed: str) -> str:
    """The address that the filter's form leads to, with these fields changed."""
    form = page.one("form", id="filters")
    sent = {
        each.get("name", ""): each.get("value", "").replace("\r", "").replace("\n", "")
        for each in form.iter("input")
        if each.get("type") not in ("checkbox", "radio") or each.get("checked") is not None
    }
    for select in form.iter("select"):
        chosen = [each for each in select.iter("option") if each.get("selected") is not None]
        sent[select.get("name", "")] = (chosen or list(select.iter("option")))[0].get("value", "")
    return "/threads/?" + "&".join(f"{name}={quote_plus(value)}" for name, value in (sent | changed).items())


def _link(page: Page, thread_id: str) -> str:
    """Where the user in a thread's row leads."""
    (row,) = page.all("tr", data_thread_id=thread_id)
    link = row.find("td[@class='user']/a")
    assert link is not None
    assert page.said(link)
    return link.get("href") or ""


@pytest.fixture
def customers(emulator: Emulator) -> dict[str, list[str]]:
    """The three threads of each odd id, newest first, and beside them threads of ids that are nearly the same."""
    made = {user: emulator.arrive(3, user=user)[::-1] for user in [*ADDRESSES, *ODD]}
    for user in ("a\ufffdb", "\ufffd", "two spaces", "linebreak", "line\nbreak", "edges", "ab"):
        emulator.arrive(1, user=user)
    return made


@pytest.mark.slow
@stored
def test_the_user_in_a_row_leads_to_their_threads(
    get: Get, emulator: Emulator, customers: dict[str, list[str]], settings: Any
) -> None:
    for archived in (False, True):
        if archived:
            sync(emulator, with_items=False)
            settings.ARCHIVE_ONLY = True
        for query in ("limit=100", "limit=100&status=active")[: 1 + archived]:
            page = get(f"/threads/?{query}")
            for user, theirs in customers.items():
                href = _link(page, theirs[1])
                assert parse_qs(urlsplit(href).query)["user"] == [user]
                listed = get(href)
                assert listed.thread_ids == theirs
                if query == "limit=100":
                    # The box holds what it can of the id. Sent again with another filter it is the same id.
                    sent = get(_submitted(listed, order="asc"), status=302).headers["Location"]
                    assert parse_qs(urlsplit(sent).query)["user"] == [user]
                    assert get(sent).thread_ids == theirs[::-1]


@stored
def test_everything_of_any_user_is_exported_and_erased(
    agent: Client, get: Get, emulator: Emulator, customers: dict[str, list[str]]
) -> None:
    sync(emulator, with_items=False)
    customers = {user: customers[user] for user in (ADDRESSES[0], "two  spaces", "   ", "a\0b", "line\r\nbreak")}
    page, eraser, links = get("/threads/?limit=100"), Client(), {}
    for user, theirs in customers.items():
        listed = get(_link(page, theirs[1]))
        form = listed.one("button", formaction="/exports/user/").get("form") or ""
        sent = {each.get("name", ""): each.get("value", "") for each in listed.all("input", form=form)}
        assert agent.post("/exports/user/", sent).status_code == 302
        links[user] = _link(page, theirs[1])
    tasks.work()
    assert get("/exports/").one("h1") is not None
    exports = dict(zip(customers, Export.objects.order_by("requested_at"), strict=True))
    for user, export in exports.items():
        with zipped(export) as found:
            assert sorted(transcripts(found)) == sorted(customers[user])
            assert json.loads(found.read("manifest.json"))["user"] == user
    eraser.force_login(account("eraser", "Eraser"))
    for user, href in links.items():
        listed = Page(eraser.get(href).content.decode(), {})
        (link,) = {to for each in listed.all("a") if (to := each.get("href") or "").startswith("/erase/")}
        shown = Page(eraser.get(link).content.decode(), {})
        sent = {"preview": shown.one("input", name="preview").get("value") or ""}
        sent["typed"] = shown.said(shown.one("code", class_="phrase"))
        ordered = eraser.post("/erase/confirm/", sent)
        assert ordered.status_code == 302, user
        job = done(Erasure.objects.get(pk=ordered["Location"].split("/")[2]), emulator)
        assert set(job.targets.filter(state="erased").values_list("thread_id", flat=True)) == set(customers[user])
        receipt = eraser.get(f"/erasures/{job.pk}/receipt.json").json()
        assert (receipt["user"], receipt["totals"]["erased"]) == (user, 3)
        assert not ArchivedThread.objects.filter(thread_id__in=customers[user]).exists()
        exports[user].refresh_from_db()
        assert exports[user].outcome == "removed"
    assert len(list(emulator.thread_ids())) == 45 + 3 * 10 + 7


def test_what_is_typed_over_an_id_is_looked_up_anew(get: Get, emulator: Emulator) -> None:
    emulator.arrive(1, user=ADDRESSES[0])
    page = get(f"/threads/?user={quote(ADDRESSES[0])}")
    thread = next(emulator.thread_ids())
    assert get(_submitted(page, user="ab"), status=302).headers["Location"] == "/threads/?user=ab"
    assert get(_submitted(page, find=thread), status=302).headers["Location"] == f"/threads/{thread}/"
    assert get(_submitted(page, find=ADDRESSES[2]), status=302).headers["Location"] == "/threads/7/"


@given(any_id)
def test_an_id_is_drawn_with_all_that_is_in_it(user: str) -> None:
    """No white space is lost as a page draws it, and nothing is invisible."""
    page = Page(f"<p>{exact(user)}</p>", {})
    assert page.said()
    assert "".join(page.root.itertext()) == page.said()


@given(st.one_of(any_id, st.text(" a\u0301\u2800\u3164é\u0300", min_size=1, max_size=6), st.sampled_from(ODD)))
def test_what_is_to_be_typed_is_what_a_person_sees(user: str) -> None:
    for found in (
        preview.Preview(Erasure.Kind.USER, (), user=user),
        preview.Preview(Erasure.Kind.THREADS, (), ids=(user,)),
    ):
        phrase = found.phrase
        drawn = " ".join(Page(f"<p>{exact(phrase)}</p>", {}).said().split())
        assert preview.matches_phrase(drawn, phrase)
        assert not preview.matches_phrase("", phrase)
        assert escape(phrase, quote=False).strip() == phrase or "<" in phrase or ">" in phrase or "&" in phrase


CASES = [
    ("a_b", {"a_b"}),
    ("%", {"50% off"}),
    ("_", {"a_b"}),
    ("A.B", {"a.b"}),
    ("\\", {"back\\slash"}),
    ("@EX", {"a b@example.com"}),
]
NAMES = ["a_b", "a-b", "a.b", "a b@example.com", "axb", "50% off", "back\\slash"]


def _people(names: list[str]) -> None:
    ArchivedUser.objects.bulk_create(
        [ArchivedUser(user_id=each, folded=user_ids.folded_user_id(each), threads=1) for each in names]
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("part", "wanted"), CASES)
def test_a_part_of_an_id_is_found_to_the_letter(part: str, wanted: set[str]) -> None:
    _people(NAMES)
    found = users.find_users(part, part=True)
    assert set(ArchivedUser.objects.filter(pk__in=found.keys or ()).values_list("user_id", flat=True)) == wanted
    assert {each.user_id for each in users.suggest(part)} == wanted


signs = st.text(
    st.one_of(
        st.sampled_from("_%\\ab"), st.sampled_from("'.-ÄıſKﬃß İ\u0301\0"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=5,
)


@stored
@hypothesis_settings(max_examples=times(40))
@example(names=NAMES, part="_")
@example(names=NAMES, part="a_b")
@example(names=NAMES, part="0%")
@example(names=NAMES, part="\\")
@given(
    names=st.lists(signs.filter(bool), min_size=1, max_size=5, unique_by=user_ids.stored_user_id),
    part=signs.filter(bool),
)
def test_a_part_is_found_where_it_is_a_part(names: list[str], part: str) -> None:
    """By whichever way the database is asked: for few people by their keys, for many by what is in their names."""
    ArchivedThread.objects.all().delete()
    ArchivedUser.objects.all().delete()
    _people([user_ids.stored_user_id(each) for each in names])
    keys = dict(ArchivedUser.objects.values_list("user_id", "pk"))
    now = "2026-09-21T00:00:00Z"
    ArchivedThread.objects.bulk_create(
        [
            ArchivedThread(thread_id=name, user=name, archived_user_id=key, raw="{}", checked_at=now)
            for name, key in keys.items()
        ]
    )
    wanted = {name for name in keys if user_ids.folded_user_id(part) in user_ids.folded_user_id(name)}
    found = users.find_users(part, part=True)
    assert {name for name, key in keys.items() if key in (found.keys or ())} == wanted
    many = users.UserMatches(None, user_ids.folded_user_id(part), threads=1)
    for threads in (many.gathered(ArchivedThread.objects.all()), many.filtered(ArchivedThread.objects.all())):
        assert set(threads.values_list("thread_id", flat=True)) == wanted
    assert all(users.find_user(name) == key for name, key in keys.items())


def _mixed(monkeypatch: pytest.MonkeyPatch, emulator: Emulator, others: list[Any]) -> None:
    """The upstream shows further rows among those of a user: threads of `others`, None for nobody's."""
    handle = emulator.handle

    def handled(method: str, path: str, query: str, headers: Any) -> Any:
        reply = handle(method, path, query, headers)
        if not path.endswith("/threads") or "user=" not in query:
            return reply
        page = json.loads(reply.body)
        rows = [{**page["data"][0], "id": f"cthr_other{place}", "user": each} for place, each in enumerate(others)]
        page["data"][1:1] = rows
        return type(reply)(reply.status, reply.headers, json.dumps(page).encode())

    monkeypatch.setattr(emulator, "handle", handled)


@stored
@pytest.mark.parametrize("others", [[None], ["somebody else", None, "\ud800"]])
def test_what_is_not_a_users_is_nowhere_taken_for_theirs(
    agent: Client, get: Get, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, others: list[Any]
) -> None:
    theirs = emulator.arrive(3, user="them")[::-1]
    _mixed(monkeypatch, emulator, others)
    page = get("/threads/?user=them")
    assert page.thread_ids == theirs
    assert f"{len(others)} row{'s' if len(others) != 1 else ''} of this user's list" in page.said()
    margin = get(f"/others/?thread={theirs[0]}", part=True)
    assert "cthr_other" not in margin.text
    assert "left out" in margin.said()
    with acting_as(Actor("agent", str(agent.session["_auth_user_id"]))):
        export = orders.order_list("csv", ThreadQuery(user="them"), UTC)
    tasks.work()
    export.refresh_from_db()
    text = storage.path(export.pk).read_text()
    assert "cthr_other" not in text
    assert "PARTIAL" in export.name
    assert "left out" in text.splitlines()[-1]
    step = agent.get(f"/step/?from={theirs[0]}&to=next&list=user%3Dthem")
    assert step["Location"].startswith(f"/threads/{theirs[1]}/")


@stored
def test_a_thread_that_names_nobody_is_in_nobodys_zip(
    agent: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = emulator.arrive(2, user="them")
    handle = emulator.handle

    def nameless(method: str, path: str, query: str, headers: Any) -> Any:
        """The list says nobody's name, and of the first thread nothing else does."""
        reply = handle(method, path, query, headers)
        made = reply.body.replace(b'"user":"them"', b'"user":null').replace(b'"user": "them"', b'"user": null')
        return reply if theirs[1] in path else type(reply)(reply.status, reply.headers, made)

    monkeypatch.setattr(emulator, "handle", nameless)
    agent.post("/exports/user/", {"user": "them"})
    tasks.work()
    with zipped(Export.objects.get()) as found:
        assert transcripts(found) == [theirs[1]]
        manifest = json.loads(found.read("manifest.json"))
    assert [each["thread"] for each in manifest["lacking"]] == [theirs[0]]
    assert "not whose it is" in manifest["lacking"][0]["why"]
    assert not manifest["complete"]


@pytest.mark.parametrize("said", [None, "", "them ", "Them", 7, ["them"]])
def test_whose_a_thread_is(said: Any) -> None:
    assert not Thread("t", user="them", raw={"user": said}).is_of("them")
    assert Thread("t", user="them", raw={"user": "them"}).is_of("them")
    assert not Thread("t", user="them", raw=None).is_of("them")


@stored
def test_no_rows_are_rows_enough(get: Get, emulator: Emulator) -> None:
    """The list's head, and its counts."""
    for synced in (False, True):
        if synced:
            sync(emulator, with_items=False)
            thread_info.clear_cache()
        for query in ("", "&user=nobody", "&order=asc", "&user=" + quote(emulator.users()[0])):
            page = get(f"/threads/?limit=0{query}")
            assert page.thread_ids == []
            assert [page.said(cell) for cell in page.all("th", scope="col")] == [
                "Mark",
                "Thread",
                "Status",
                "Customer",
                "Created",
            ]
            assert page.said(page.one("caption")).startswith("No rows asked for. ")
            assert page.link("next") is None
            assert page.link("prev") is None
            assert "No threads" not in page.said()
            assert page.one("input", name="limit").get("value") == "0"
        assert bool(page.one("details", id="more-filters").findall(".//label/span[@class='n']")) == synced
    assert get("/threads/?limit=0&q=refund").thread_ids == []
    calls = len(emulator.calls)
    get("/threads/?limit=0")
    assert len(emulator.calls) == calls + 1


def test_a_cursor_with_control_characters_goes_nowhere(get: Get, agent: Client, emulator: Emulator) -> None:
    page = get("/threads/?after=a%0d%0ab", status=400)
    said = page.said(page.one("div", id="invalid"))
    assert "A place in a list has no control characters" in said
    assert said.endswith("Start from the first page")
    assert "is marked" not in said
    both = get("/threads/?after=a%0d%0ab&order=x", status=400)
    assert "Correct what is marked." in both.said(both.one("div", id="invalid"))
    assert agent.get("/step/?from=a%0d%0ab&to=next").status_code == 302
    assert "named no place" in get(f"/threads/{next(emulator.thread_ids())}/?after=a%0d%0ab&count=1").said()
    assert not [query for _, _, query in emulator.calls if "%0A" in query or "%0D" in query]


def test_a_page_that_ends_in_an_odd_id_leads_on_from_the_row_before() -> None:
    rows = tuple(Thread(each, raw={}) for each in ("a", "b", "c\r\nd"))
    window = Window(rows, "a", "c\r\nd", has_previous=False, has_next=True)
    pages = thread_list.pager(ThreadQuery(), window)
    assert parse_qs(urlsplit(pages.next_url or "").query)["after"] == ["b"]
    alone = replace(window, rows=rows[2:])
    pages = thread_list.pager(ThreadQuery(), alone)
    assert pages.next_url is None
    assert any("There is more" in each for each in thread_list.notices(ThreadQuery(), alone, pages))
