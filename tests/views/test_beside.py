"""The conversation beside the list: what the page of a thread has, and what takes the place of a part of it."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client

from tests.support.page import Page
from tests.support.reader import Get
from threads.emulator import Emulator


def ask(agent: Client, path: str, *, target: str, at: str) -> tuple[Page, str]:
    """The part that htmx asks for at an address, and the address that the browser shows then."""
    headers = {"HX-Request": "true", "HX-Target": target, "HX-Current-URL": f"http://testserver{at}"}
    response = agent.get(path, headers=headers)
    assert response.status_code == 200
    shown = response.headers.get("HX-Push-Url") or response.headers["HX-Replace-Url"]
    return Page(response.content.decode(), response.headers), shown


def test_the_address_of_a_thread_has_its_list_and_the_place_in_it(get: Get, emulator: Emulator) -> None:
    ids = list(emulator.thread_ids())
    page = get(f"/threads/{ids[2]}/?list=limit%3D10")
    assert page.thread_ids == ids[:10]
    (row,) = (each for each in page.all("tr") if each.get("aria-current"))
    assert row.get("data-thread-id") == ids[2]
    assert page.one("section", id="pane").get("data-thread-id") == ids[2]
    links = [each.get("href") for each in page.all("a", class_="title")]
    assert links[0] == f"/threads/{ids[0]}/?list=limit%3D10"


@pytest.mark.parametrize(("query", "panes"), [("", "two"), ("?list=limit%3D10", "one")])
def test_the_list_is_asked_for_later_or_never(
    get: Get, agent: Client, emulator: Emulator, query: str, panes: str
) -> None:
    """A direct link names no list, and a narrow window has no room for one."""
    agent.cookies["panes"] = panes
    thread = next(emulator.thread_ids())
    page = get(f"/threads/{thread}/{query}")
    assert not page.thread_ids
    later = page.one("div", id="browse")
    assert later.get("hx-trigger") == "intersect once"
    assert later.get("hx-get") == ("/threads/?limit=10" if query else "/threads/")
    assert not [path for _, path, _ in emulator.calls if path == "/v1/chatkit/threads"]


def test_a_press_on_a_row_asks_for_the_conversation_alone(agent: Client, emulator: Emulator) -> None:
    first, second, *_ = emulator.thread_ids()
    emulator.calls.clear()
    page, shown = ask(agent, f"/threads/{second}/?list=limit%3D10", target="reading", at=f"/threads/{first}/")
    assert not page.whole
    assert page.one("section", id="pane").get("data-thread-id") == second
    assert not page.thread_ids
    assert shown == f"/threads/{second}/?list=limit%3D10"
    assert not [path for _, path, _ in emulator.calls if path == "/v1/chatkit/threads"]


def test_turning_the_list_leaves_the_conversation_and_the_address_says_both(agent: Client, emulator: Emulator) -> None:
    ids = list(emulator.thread_ids())
    query = f"limit=10&after={ids[9]}&since={ids[0]}"
    page, shown = ask(agent, f"/threads/?{query}", target="browse", at=f"/threads/{ids[2]}/?list=limit%3D10")
    assert page.thread_ids == ids[10:20]
    assert not page.all("h1")
    assert shown == f"/threads/{ids[2]}/?list={quote(query, safe='')}"
    _, shown = ask(agent, f"/threads/?{query}", target="browse", at="/threads/?limit=10")
    assert shown == f"/threads/?{query}"


@pytest.mark.parametrize("encoded", ["limit=999", "after=nothing", "status=locked&after=nothing"])
def test_a_list_that_cannot_be_shown_hinders_no_reader(get: Get, emulator: Emulator, encoded: str) -> None:
    thread = next(emulator.thread_ids())
    page = get(f"/threads/{thread}/?list={quote(encoded)}")
    assert page.one("section", id="pane").get("data-thread-id") == thread
