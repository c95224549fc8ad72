"""Views of the list that are saved, shared and deleted."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.support.accounts import account
from tests.support.page import Page
from tests.support.reader import Get
from threads.emulator import Emulator
from threads.models import SavedView
from threads.web import saved_views


def save(client: Client, name: str = "Refunds", query: str = "limit=50", *, shared: bool = False) -> Any:
    return client.post("/views/", {"name": name, "query": query} | ({"shared": "yes"} if shared else {}))


def said(response: Any) -> str:
    return (page := Page(response.content.decode(), response.headers)).said(page.one("main"))


def colleague(name: str = "colleague", **about: Any) -> Client:
    client = Client()
    client.force_login(account(name, "Viewer", **about))
    return client


def listed(page: Page) -> list[str]:
    items = page.one("details", id="views").find(".//ul")
    return [] if items is None else [page.said(item) for item in items]


def tabs(page: Page) -> dict[str, tuple[str | None, str | None]]:
    """The address of each tab, and its `aria-current`."""
    links = page.one("nav", aria_label="Views").iter("a")
    return {page.said(link.find("bdi")): (link.get("href"), link.get("aria-current")) for link in links}


def test_a_list_without_views_offers_to_save_it(get: Get, emulator: Emulator) -> None:
    page = get("/threads/?limit=5&order=asc")
    assert listed(page) == []
    fields = {field.get("name"): field.get("value") for field in page.all("input", form="save-view")}
    assert fields == {"name": None, "shared": "yes", "query": "order=asc&limit=5"}
    form = page.one("form", id="save-view")
    assert (form.get("method"), form.get("action")) == ("post", "/views/")
    assert form.find("input[@name='csrfmiddlewaretoken']") is not None


def test_a_place_in_the_list_is_no_part_of_its_view(get: Get, agent: Client, emulator: Emulator) -> None:
    onward = get("/threads/?limit=5").link("next") or ""
    page = get(onward)
    assert [field.get("value") for field in page.all("input", form="save-view", name="query")] == ["limit=5"]
    save(agent, query=onward.partition("?")[2])
    assert SavedView.objects.get().query == "limit=5"


def test_what_is_saved_is_listed_where_it_is_said(get: Get, agent: Client, emulator: Emulator) -> None:
    response = save(agent, "  Slow \n ones ", "limit=50&order=desc&user=a b&utm=x")
    assert (response.status_code, response["Location"]) == (303, "/threads/?user=a+b&limit=50")
    page = get(response["Location"])
    assert "Saved “Slow ones”. Only you see it." in page.said(page.one("div", role="status"))
    assert listed(page) == ["Slow ones Share Delete"]
    assert tabs(page)["Slow ones"] == (response["Location"], "true")
    assert tabs(page)["All"] == ("/threads/?limit=50", None)
    again = get("/threads/")
    assert "Saved “" not in again.said()
    assert tabs(again) == {"All": ("/threads/", "true"), "Slow ones": (response["Location"], None)}


def test_all_threads_can_be_a_view(get: Get, agent: Client, emulator: Emulator) -> None:
    assert save(agent, "All", "")["Location"] == "/threads/"
    assert listed(get("/threads/")) == ["All Share Delete"]


def test_the_same_name_replaces(agent: Client, get: Get, emulator: Emulator) -> None:
    save(agent, "Cafe\u0301", "limit=5", shared=True)
    page = get(save(agent, "Café", "limit=50")["Location"])
    assert "Replaced your view “Café”. Only you see it." in page.said()
    assert [(view.query, view.shared) for view in SavedView.objects.all()] == [("limit=50", False)]


def test_two_people_may_use_one_name(agent: Client, emulator: Emulator) -> None:
    other = colleague()
    for client in (agent, other):
        assert b"Saved" in client.get(save(client)["Location"]).content
    assert SavedView.objects.count() == 2


def test_a_shared_view_is_seen_by_all_with_whose_it_is(get: Get, agent: Client, emulator: Emulator) -> None:
    other = colleague()
    save(other, "banana", "limit=5", shared=True)
    save(other, "Secret", "limit=5")
    save(agent, "Cherry", shared=True)
    page = get(save(agent, "Apple")["Location"])
    assert listed(page) == ["Apple Share Delete", "banana shared by colleague", "Cherry shared Unshare Delete"]
    assert "Secret" not in page.text


def test_sharing_and_no_longer(get: Get, agent: Client, emulator: Emulator) -> None:
    other = colleague()
    save(agent)
    pk = SavedView.objects.get().pk
    response = agent.post(f"/views/{pk}/share/", {"shared": "yes", "query": "limit=5&after=x"})
    assert (response.status_code, response["Location"]) == (303, "/threads/?limit=5")
    assert "“Refunds” is shared with the team." in get(response["Location"]).said()
    assert "Refunds" in said(other.get("/threads/"))
    response = agent.post(f"/views/{pk}/share/", {"shared": "no", "query": "limit=no number"})
    assert response["Location"] == "/threads/"
    assert "“Refunds” is no longer shared: only you see it." in get("/threads/").said()
    assert "Refunds" not in said(other.get("/threads/"))


def test_deleting_leaves_a_way_back(get: Get, agent: Client, emulator: Emulator) -> None:
    save(agent)
    pk = SavedView.objects.get().pk
    response = agent.post(f"/views/{pk}/delete/", {"query": "limit=5"})
    assert (response.status_code, response["Location"]) == (303, "/threads/?limit=5")
    page = get(response["Location"])
    status = page.one("div", role="status")
    assert "Deleted the view “Refunds”." in page.said(status)
    assert [link.get("href") for link in status.iter("a")] == ["/threads/?limit=50"]
    assert listed(page) == []
    assert agent.post(f"/views/{pk}/delete/").status_code == 404


@pytest.mark.parametrize("act", ["share", "delete"])
def test_a_private_view_of_somebody_else_is_not_there(agent: Client, act: str) -> None:
    other = colleague(is_superuser=True)
    save(agent)
    assert other.post(f"/views/{SavedView.objects.get().pk}/{act}/").status_code == 404
    assert other.post(f"/views/{10**30}/{act}/").status_code == 404
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize("act", ["share", "delete"])
def test_a_shared_view_is_still_its_owners(agent: Client, act: str) -> None:
    save(agent, shared=True)
    assert colleague().post(f"/views/{SavedView.objects.get().pk}/{act}/").status_code == 403
    assert SavedView.objects.get().shared


@pytest.mark.parametrize("how", ["superuser", "permission"])
def test_who_keeps_order_may_delete_what_others_share(agent: Client, emulator: Emulator, how: str) -> None:
    other = colleague(is_superuser=how == "superuser")
    if how == "permission":
        User.objects.get(username="colleague").user_permissions.add(Permission.objects.get(codename="delete_savedview"))
    save(agent, shared=True)
    response = other.get("/threads/")
    assert listed(Page(response.content.decode(), response.headers)) == ["Refunds shared by agent Delete"]
    pk = SavedView.objects.get().pk
    assert other.post(f"/views/{pk}/share/", {"shared": "no"}).status_code == 403
    assert other.post(f"/views/{pk}/delete/").status_code == 303
    assert not SavedView.objects.exists()


def test_nothing_happens_without_a_form(agent: Client, get: Get) -> None:
    save(agent)
    pk = SavedView.objects.get().pk
    for address in ("/views/?name=x&query=", f"/views/{pk}/delete/", f"/views/{pk}/share/?shared=yes"):
        page = get(address, status=405)
        assert "Nothing was saved or changed" in page.said()
        assert page.headers["Allow"] == "POST"
    assert [(view.name, view.shared) for view in SavedView.objects.all()] == [("Refunds", False)]


def test_nothing_happens_from_another_site_or_without_a_sign_in(client: Client, agent: Client) -> None:
    assert save(client)["Location"].startswith("/sign-in/")
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="testserver")
    strict.cookies = agent.cookies
    assert save(strict).status_code == 403
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=-1", "Rows per page is a whole number from 0 to 100."),
        ("from=yesterday", "A day is written as in 2026-11-30."),
        ("user=" + "x" * 513, "A user id has at most 512 characters. This one has 513."),
        ("status=%00", "NUL"),
        ("after=a&before=b", "Remove one of them"),
        ("q=" + "x" * 8000, "shorten what is searched"),
    ],
    ids=lambda value: value[:12],
)
def test_a_list_that_is_none_is_not_saved(agent: Client, query: str, words: str) -> None:
    response = save(agent, query=query)
    assert response.status_code == 400
    assert words in said(response)
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "A view needs a name."),
        (" \t\n", "A view needs a name."),
        ("n" * 81, "at most 80 characters. This one has 81"),
        ("a\0b", "NUL"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_reason(agent: Client, name: str, words: str) -> None:
    response = save(agent, name)
    assert response.status_code == 400
    assert words in said(response)
    assert not SavedView.objects.exists()


def test_the_longest_name_is_kept(agent: Client, get: Get, emulator: Emulator) -> None:
    assert save(agent, "ü" * 80).status_code == 303
    assert "ü" * 80 in get("/threads/").said()


def test_a_person_keeps_a_hundred_at_the_most(agent: Client) -> None:
    owner = User.objects.get()
    SavedView.objects.bulk_create(SavedView(owner=owner, name=f"View {n}") for n in range(saved_views.MAX_VIEWS))
    response = save(agent, "One more")
    assert response.status_code == 400
    assert "You have 100 saved views, and more are not kept. Go back and delete one first." in said(response)
    assert save(agent, "View 7").status_code == 303
    assert save(colleague(), "Mine").status_code == 303
    assert SavedView.objects.count() == saved_views.MAX_VIEWS + 1


HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe\u2066\u200b{{ 7*7 }}"


def test_hostile_names_are_text(agent: Client, get: Get, emulator: Emulator) -> None:
    save(colleague(HOSTILE[:40]), "theirs " + HOSTILE, shared=True)
    page = get(save(agent, HOSTILE)["Location"])
    assert not page.all("img")
    assert page.said().count("<img src=x onerror=alert(1)>U+202Egnp.exeU+2066U+200B{{ 7*7 }}") == 5
    assert not set("\u202e\u2066\u200b") & set(page.text)


def test_pages_of_trouble_have_the_views_too(agent: Client, get: Get, emulator: Emulator) -> None:
    save(agent)
    get("/threads/")
    wrong = get("/threads/?limit=-1", status=400)
    assert listed(wrong) == ["Refunds Share Delete"]
    assert not wrong.all("input", form="save-view"), "what is no list can't be saved"
    gone = get("/threads/?after=cthr_gone&limit=5", status=404)
    assert listed(gone) == ["Refunds Share Delete"]
    assert gone.one("input", form="save-view", name="query").get("value") == "limit=5"


def test_a_part_has_them_and_no_token(agent: Client, get: Get, emulator: Emulator) -> None:
    save(agent)
    part = get("/threads/", part=True)
    assert listed(part) == ["Refunds Share Delete"]
    assert "csrfmiddlewaretoken" not in part.text


@pytest.mark.django_db
def test_a_page_costs_no_query_until_somebody_changes_something(
    agent: Client, get: Get, emulator: Emulator, django_assert_num_queries: Any
) -> None:
    other = colleague()
    save(other, shared=True)
    get("/threads/")
    with django_assert_num_queries(0):
        assert listed(get("/threads/")) == ["Refunds shared by colleague"]
    save(other, "More", shared=True)
    assert listed(get("/threads/")) == ["More shared by colleague", "Refunds shared by colleague"]
    User.objects.get(username="colleague").delete()
    assert listed(get("/threads/")) == []


def test_what_another_process_saved_is_seen_at_once_by_who_did_it_and_soon_by_all(
    agent: Client, get: Get, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    get("/threads/")
    SavedView.objects.bulk_create([SavedView(owner=User.objects.get(), name="Elsewhere")])  # tells nobody
    assert listed(get("/threads/")) == []
    agent.cookies["views"] = "changed"
    assert listed(get("/threads/")) == ["Elsewhere Share Delete"]
    del agent.cookies["views"]
    SavedView.objects.all()._raw_delete("default")
    assert listed(get("/threads/")) == ["Elsewhere Share Delete"]
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert listed(get("/threads/")) == []


def test_a_browser_that_changed_something_says_so_for_a_while(agent: Client) -> None:
    cookie = save(agent).cookies["views"]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (11, True, "Lax")


def test_a_long_list_survives_being_deleted(agent: Client, get: Get, emulator: Emulator) -> None:
    query = urlencode({"reason": "long " * 600})
    save(agent, query=query)
    agent.post(f"/views/{SavedView.objects.get().pk}/delete/")
    page = get("/threads/")
    assert [link.get("href") for link in page.one("div", role="status").iter("a")] == [f"/threads/?{query}"]
