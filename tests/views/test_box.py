"""The search box: the server decides whether a text is a thread, a customer, or words."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tests.support.accounts import account
from tests.support.reader import Get
from tests.support.syncing import spoken, sync
from threads.archive import thread_info
from threads.audit.models import AuditEvent
from threads.emulator import Emulator, Fault


@pytest.fixture
def copied(emulator: Emulator, agent: Client) -> Emulator:
    """The upstream, and an archive that has all of it."""
    emulator.arrive(2, user="quentin.oak@example.org")
    emulator.arrive(1, user="wren-1@example.org")
    emulator.arrive(1, user="wren-2@example.org")
    (thread,) = emulator.arrive(1, user="rizardozo@example.org")
    emulator.set_items(thread, [spoken("My zardoz was charged twice, says Quentin.")])
    sync(emulator)
    emulator.calls.clear()
    return emulator


def found(get: Get, text: str, more: str = "") -> str:
    """Where a text in the box leads."""
    return get(f"/threads/?find={quote(text)}{more}", status=302).headers["Location"]


def test_the_box_stands_on_every_page(get: Get, copied: Emulator) -> None:
    for address in ("/threads/", "/reports/", "/sync/", "/exports/", f"/threads/{next(copied.thread_ids())}/"):
        page = get(address)
        box = page.one("input", id="search")
        assert (box.get("name"), box.get("aria-label")) == ("find", "Search customers, threads and messages")
        forms = [form for form in page.all("form") if box in form.iter()]
        if address == "/threads/":
            assert box.get("form") == "filters"
        else:
            assert [form.get("action") for form in forms] == ["/threads/"]


def test_a_user_id_leads_to_their_threads(get: Get, copied: Emulator) -> None:
    assert found(get, "wren-1@example.org") == "/threads/?user=wren-1%40example.org"
    assert found(get, " wren-1@example.org ") == "/threads/?user=wren-1%40example.org"
    assert not copied.calls, "the archive knows it"


def test_the_beginning_of_one_users_id_leads_to_them(get: Get, copied: Emulator) -> None:
    assert found(get, "QUENTIN.o") == "/threads/?user=quentin.oak%40example.org"
    page = get("/threads/?user=quentin.oak%40example.org")
    assert "quentin.oak@example.org is the only customer with “QUENTIN.o” in their id." in page.said()
    (link,) = [each for each in page.all("a") if page.said(each) == "Search for the words instead"]
    assert link.get("href") == "/threads/?q=QUENTIN.o"
    assert "only customer" not in get("/threads/?user=quentin.oak%40example.org").said(), "it is said once"


def test_the_beginning_of_several_ids_is_words(get: Get, copied: Emulator) -> None:
    assert found(get, "wren") == "/threads/?q=wren"


def test_a_word_of_a_message_is_no_part_of_an_id(get: Get, copied: Emulator) -> None:
    assert found(get, "zardoz") == "/threads/?q=zardoz"
    assert found(get, "dozo@exam") == "/threads/?user=rizardozo%40example.org", "which no message has"


def test_a_thread_id_leads_to_the_thread(get: Get, copied: Emulator) -> None:
    thread = list(copied.thread_ids())[7]
    assert found(get, thread) == f"/threads/{thread}/"
    assert not copied.calls, "the archive knows it"


def test_what_the_archive_does_not_know_yet_is_asked_of_the_api(get: Get, copied: Emulator) -> None:
    (thread,) = copied.arrive(1, user="just-arrived")
    assert found(get, "just-arrived") == "/threads/?user=just-arrived"
    assert found(get, thread) == f"/threads/{thread}/"
    copied.calls.clear()
    assert found(get, "charged") == "/threads/?q=charged"
    assert found(get, "two words") == "/threads/?q=two+words"
    assert not copied.calls, "a search for words costs no call"


def test_words_are_words_while_the_api_is_down(get: Get, copied: Emulator) -> None:
    copied.fault = Fault.ERROR_503
    assert found(get, "nobodyatall") == "/threads/?q=nobodyatall"


def test_the_other_filters_stay(get: Get, copied: Emulator) -> None:
    rest = "&status=active&limit=50&user=&was="
    assert found(get, "zardoz", rest) == "/threads/?status=active&q=zardoz&limit=50"
    assert found(get, "rizardozo@example.org", rest) == "/threads/?user=rizardozo%40example.org&status=active&limit=50"
    one = "&user=rizardozo%40example.org&was=rizardozo%2540example.org&q=zardoz"
    assert found(get, "zardoz", one) == "/threads/?user=rizardozo%40example.org&q=zardoz", "the box was not edited"
    assert found(get, "", one) == "/threads/?user=rizardozo%40example.org"
    assert found(get, "charged", one) == "/threads/?user=rizardozo%40example.org&q=charged"
    assert found(get, "wren-2@example.org", one) == "/threads/?user=wren-2%40example.org"


def test_a_part_answers_at_once_with_its_address(get: Get, copied: Emulator) -> None:
    page = get("/threads/?find=zardoz", part=True)
    assert page.headers["HX-Push-Url"] == "/threads/?q=zardoz"
    assert len(page.thread_ids) == 1
    assert page.one("form", id="filters").get("data-words") == "zardoz"


def test_words_of_the_list_stand_in_the_box(get: Get, copied: Emulator) -> None:
    assert get("/threads/?q=zardoz").one("input", id="search").get("value") == "zardoz"
    wrong = get("/threads/?find=%00&limit=5", status=400)
    assert "NUL" in wrong.said(wrong.one("p", id="q-error"))
    assert wrong.one("input", id="search").get("aria-describedby") == "q-error"
    assert len(wrong.thread_ids) == 5


def test_a_similar_customer_is_named(get: Get, copied: Emulator) -> None:
    page = get("/threads/?user=quentin.oak%40exampel.org")
    assert "No customer quentin.oak@exampel.org" in page.said()
    links = {page.said(each): each.get("href") for each in page.one("div", id="summary").iter("a")}
    assert links["quentin.oak@example.org"] == "/threads/?user=quentin.oak%40example.org"
    assert AuditEvent.objects.filter(action="search", detail__typed="quentin.oak").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_masked_account_finds_whole_ids_alone(copied: Emulator, settings: Any) -> None:
    settings.MASK_IDENTITIES = True
    viewer = Client()
    viewer.force_login(account("viewer", "Viewer"))
    where = {
        text: viewer.get("/threads/", {"find": text})["Location"] for text in ("quentin.oak@example.org", "quentin.oa")
    }
    assert where["quentin.oak@example.org"] == "/threads/?user=quentin.oak%40example.org"
    assert where["quentin.oa"] == "/threads/?q=quentin.oa"
    page = viewer.get("/threads/", {"user": "quentin.oak@exampel.org"}).content.decode()
    assert "quentin.oak@example.org" not in page
    assert "Similar" not in page


def test_every_search_says_what_is_not_synced_yet(get: Get, emulator: Emulator, agent: Client) -> None:
    sync(emulator, with_items=False)
    for query in ("q=refund", "status=active", "q=nothinglikeit"):
        said = get(f"/threads/?{query}").said()
        assert "Still syncing messages: 0 of 45 threads, less than a minute left." in said
        assert "through all titles and reasons, but not yet through all messages" in said
    sync(emulator)
    thread_info.clear_cache()
    assert "Still syncing" not in get("/threads/?q=refund").said()
