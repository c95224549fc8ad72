"""The page of one conversation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element

import pytest
from django.test import Client
from markdown_it import MarkdownIt

from tests.support.page import Page
from tests.support.reader import Get
from tests.support.upstream import NOW, use_upstream
from threads.audit.models import AuditEvent
from threads.chatkit import ApiConfig, ChatKitClient, Limits
from threads.emulator import Emulator, EmulatorAdapter, Fault
from threads.web.views import transcript

Item = dict[str, Any]
MORE, EARLIER = {"HX-Target": "more"}, {"HX-Target": "earlier"}
"""What htmx says when it asks for further items."""


def spoken(text: str) -> Item:
    return {"type": "chatkit.user_message", "content": [{"type": "input_text", "text": text}], "attachments": []}


@pytest.fixture
def thread(emulator: Emulator) -> str:
    """The newest thread, with 130 things said in it."""
    newest = next(emulator.thread_ids())
    emulator.set_items(newest, [spoken(f"said {number}") for number in range(130)])
    return newest


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """An upstream with the showcase."""
    made = Emulator(threads=45, seed=7, now=NOW, showcase=True)
    use_upstream(
        monkeypatch, ChatKitClient(ApiConfig("sk-test"), limits=Limits(seconds=5), adapter=EmulatorAdapter(made))
    )
    return made


def address(thread_id: str) -> str:
    return f"/threads/{quote(thread_id, safe='')}/"


def beginning(thread_id: str) -> str:
    return f"{address(thread_id)}?from=beginning"


def titled(emulator: Emulator, get: Get, title: str) -> str:
    rows = [row for row in get("/threads/").all("tr") if row.get("data-thread-id")]
    return next(row.get("data-thread-id", "") for row in rows if title in "".join(row.itertext()))


def texts(page: Page) -> list[str]:
    return [page.said(each) for each in page.all("div", class_="said")]


def walked(get: Get, first: str, rel: str = "next", *, part: bool = False) -> list[Page]:
    """The pages that `a[rel=next]` or `a[rel=prev]` leads through, without a script; the further ones as htmx asks for
    them where `part`."""
    pages = [get(first)]
    target = {"HX-Target": "more" if rel == "next" else "earlier"} if part else {}
    while (following := pages[-1].link(rel)) is not None:
        pages.append(get(following, part=part, **target))
    return pages


def test_a_row_leads_to_its_conversation_and_back(get: Get, emulator: Emulator) -> None:
    user = emulator.users()[0]
    rows = get(f"/threads/?user={quote(user)}&order=asc")
    link = next(each for each in rows.one("tbody").iter("a") if (each.get("href") or "").startswith("/threads/cthr"))
    page = get(link.get("href", ""))
    back = page.one("a", id="back").get("href", "")
    assert back.split("#")[0] == f"/threads/?user={quote(user, safe='')}&order=asc".replace("%20", "+")
    assert back.endswith(f"#thread-{rows.thread_ids[0]}")


def test_the_header_says_what_the_thread_is(get: Get, emulator: Emulator, thread: str) -> None:
    emulator.set_status(thread, "locked", "Under review.\nAsk <Ada>.")
    emulator.set_title(thread, "Where is it?")
    page = get(address(thread))
    header = page.said(page.one("header", class_="head"))
    assert header.startswith("Where is it? ")
    assert "Locked Under review. Ask <Ada>." in header
    panel = page.said(page.one("aside", id="side"))
    assert panel.startswith("Customer ")
    assert thread in panel
    assert "platform.openai.com" not in page.text


def test_a_conversation_opens_at_its_end(get: Get, thread: str, emulator: Emulator) -> None:
    page = get(address(thread))
    assert texts(page) == [f"said {number}" for number in range(80, 130)]
    assert "The latest 50 are loaded" in page.said()
    assert "The end of the conversation." in page.said()
    assert page.link("next") is None
    newest = [each for each in page.all("li") if each.get("id")][-1].get("id", "")
    assert page.one("a", id="latest").get("href") == f"#{newest}"
    assert [query for _, path, query in emulator.calls if path.endswith("/items")] == ["limit=50&order=desc"]


@pytest.mark.parametrize("part", [False, True])
def test_earlier_items_up_to_the_first(get: Get, thread: str, emulator: Emulator, part: bool) -> None:
    pages = walked(get, address(thread), "prev", part=part)
    assert [text for page in reversed(pages) for text in texts(page)] == [f"said {number}" for number in range(130)]
    assert len(pages) == 2
    assert ("The beginning: all 130." if part else "The beginning of the conversation") in pages[-1].said()
    assert pages[-1].whole is not part
    assert part or pages[-1].link("next") is not None


def test_earlier_items_cost_one_call(get: Get, thread: str, emulator: Emulator) -> None:
    earlier = get(address(thread)).link("prev") or ""
    before = len(emulator.calls)
    get(earlier, part=True, **EARLIER)
    assert len(emulator.calls) == before + 1


def test_the_beginning_and_the_end_lead_to_each_other(get: Get, thread: str) -> None:
    page = get(f"{address(thread)}?list=limit%3D50")
    first = get(page.one("a", id="beginning").get("href", ""))
    assert texts(first) == [f"said {number}" for number in range(50)]
    assert first.link("prev") is None
    assert texts(get(first.one("a", id="latest").get("href", ""))) == texts(page)
    assert "list=limit%3D50" in first.one("a", id="latest").get("href", "")


@pytest.mark.parametrize("target", ["more", "earlier"])
def test_a_part_at_no_place_is_refused(get: Get, thread: str, target: str) -> None:
    get(f"{address(thread)}?limit=0", part=True, status=400, **{"HX-Target": target})


def test_all_that_was_said_is_there_oldest_first_without_a_script(get: Get, thread: str, emulator: Emulator) -> None:
    pages = walked(get, beginning(thread))
    assert [text for page in pages for text in texts(page)] == [f"said {number}" for number in range(130)]
    assert "50 loaded, more to come" in pages[0].said()
    assert "The end: all 130." in pages[-1].said()
    assert len(pages) == 2


def test_further_items_come_as_a_part(get: Get, thread: str, emulator: Emulator) -> None:
    following = get(beginning(thread)).link("next") or ""
    before = len(emulator.calls)
    page = get(following, part=True, **MORE)
    assert not page.whole
    assert texts(page) == [f"said {number}" for number in range(50, 130)]
    assert len(emulator.calls) == before + 1


def test_a_page_costs_two_calls_and_one_row_of_the_audit_log(
    get: Get, thread: str, emulator: Emulator, django_assert_num_queries: Callable[[int], Any]
) -> None:
    get(address(thread))
    before = len(emulator.calls)
    with django_assert_num_queries(1):
        get(address(thread))
    assert len(emulator.calls) == before + 2


def test_an_item_in_the_middle_has_an_address(get: Get, thread: str) -> None:
    anchors = [each for page in walked(get, beginning(thread)) for each in page.all("li") if each.get("id")]
    link = next(each for each in anchors[77].iter("a") if each.get("href", "").startswith("/threads/"))
    page = get(link.get("href", "").split("#")[0])
    assert texts(page) == [f"said {number}" for number in range(67, 117)], "with some of what was said before"
    assert page.all("li", id=anchors[77].get("id", ""))
    earlier = get(page.link("prev") or "")
    assert texts(earlier) == [f"said {number}" for number in range(67)]
    assert [text for each in walked(get, page.link("prev") or "") for text in texts(each)][-1] == "said 129"


def test_the_first_item_has_an_address_too(get: Get, thread: str) -> None:
    first = get(beginning(thread)).all("li", class_="item user_message customer")[0].get("id", "").removeprefix("item-")
    page = get(f"{address(thread)}?at={first}")
    assert texts(page)[0] == "said 0"
    assert page.link("prev") is None


def test_an_item_that_is_gone_leaves_the_header_and_the_way_to_the_beginning(get: Get, thread: str) -> None:
    page = get(f"{address(thread)}?at=nothing", status=404)
    assert "This message is gone" in page.said()
    assert page.one("header", class_="head") is not None


@pytest.mark.parametrize(
    "query",
    ["limit=0", "count=-1", "since=x", "after=a&at=b", "from=here", "from=beginning&at=b", "count=" + "9" * 30],
)
def test_an_address_that_nobody_made_is_the_end(get: Get, thread: str, query: str) -> None:
    page = get(f"{address(thread)}?{query}")
    assert texts(page)[-1] == "said 129"
    assert "these are its latest messages" in page.said()


def test_no_such_thread(get: Get, emulator: Emulator) -> None:
    page = get("/threads/nobody/", status=404)
    assert "Thread not found" in page.said()
    assert any(each.get("href") == "/threads/?user=nobody" for each in page.all("a"))
    assert "Try again" not in page.said()


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.ERROR_500, Fault.WRONG_KEY, Fault.NOT_JSON, Fault.GONE_410])
def test_a_fault_is_a_page_that_says_so(get: Get, emulator: Emulator, thread: str, fault: Fault) -> None:
    emulator.fault = fault
    page = get(address(thread), status={Fault.HANG: 504}.get(fault, 502))
    assert page.one("a", id="again").get("href") == address(thread)


def test_a_fault_halfway_offers_to_go_on(get: Get, emulator: Emulator, thread: str) -> None:
    following = get(beginning(thread)).link("next") or ""
    emulator.fault = Fault.ERROR_500
    page = get(following, part=True, status=502, **MORE)
    assert "The 50 items above stay as they are." in page.said()
    emulator.fault = None
    assert texts(get(page.link("next") or "", part=True, **MORE))[0] == "said 50"


def test_a_fault_on_the_way_up_offers_to_go_on(get: Get, emulator: Emulator, thread: str) -> None:
    earlier = get(address(thread)).link("prev") or ""
    emulator.fault = Fault.ERROR_500
    page = get(earlier, part=True, status=502, **EARLIER)
    assert "The 50 items below stay as they are." in page.said()
    emulator.fault = None
    assert texts(get(page.link("prev") or "", part=True, **EARLIER))[0] == "said 0"


def test_a_thread_in_which_nothing_was_said(get: Get, emulator: Emulator, thread: str) -> None:
    emulator.set_items(thread, [])
    assert "Nothing has been said in this thread." in get(address(thread)).said()


def test_every_kind_of_item_in_both_spellings(get: Get, shown: Emulator) -> None:
    said = []
    for title in ("Every kind of item", "Every kind of item, in the documentation's spelling"):
        page = get(address(titled(shown, get, title)))
        kinds = {
            (each.get("class") or "").split()[1]
            for each in page.all("li")
            if "item" in (each.get("class") or "").split()
        }
        assert kinds == {"user_message", "assistant_message", "tool_call", "tasks", "drawn", "unknown"}
        said.append([page.said(each) for each in page.all("ol", class_="items")])
    assert len(said[0][0]) > 3000


@pytest.mark.slow
def test_what_strangers_write_is_shown_and_does_nothing(get: Get, shown: Emulator) -> None:
    pages = walked(get, beginning(titled(shown, get, "What a stranger may write")))
    assert len(pages) > 1
    for page in pages:
        for each in page.one("div", id="items").iter():
            if isinstance(each.tag, str):
                harmless(each)


def harmless(each: Element) -> None:
    """Nothing that runs, loads, sends or styles; links only to where they may lead, by the rules."""
    assert each.tag not in {
        "img",
        "iframe",
        "object",
        "embed",
        "style",
        "video",
        "audio",
        "form",
        "script",
        "base",
        "link",
    }
    assert not each.get("src")
    assert each.get("hx-on") is None
    href = each.get("href", "")
    assert not href or href.startswith(("/threads/", "https://", "http://", "mailto:"))
    if each.tag == "a" and not href.startswith("/"):
        assert each.get("rel") == "noopener noreferrer nofollow"
        assert each.get("target") == "_blank"


def test_the_neighbours_in_the_list(get: Get, agent: Client, emulator: Emulator) -> None:
    ids = list(emulator.thread_ids())
    page = get(address(ids[3]) + "?list=limit%3D50")
    for name, neighbour in (("previous-thread", ids[2]), ("next-thread", ids[4])):
        response = agent.get(page.one("a", id=name).get("href", ""))
        assert response.headers["Location"] == f"/threads/{neighbour}/?list=limit%3D50"


@pytest.mark.parametrize("limit", [1, 4, 20, 100])
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_wherever_one_goes_the_way_back_leads_to_a_page_that_has_the_row(
    get: Get, agent: Client, emulator: Emulator, limit: int, order: str
) -> None:
    """The page of the list stays until its edge is passed, so that it never begins with the row one came from."""
    ids = list(emulator.thread_ids(order=order))[:11]
    where, pages = f"{address(ids[0])}?list=limit%3D{limit}%26order%3D{order}", set()
    for name, way in (("next-thread", ids[1:]), ("previous-thread", ids[-2::-1])):
        for expected in way:
            where = agent.get(get(where).one("a", id=name).get("href", "")).headers["Location"]
            assert where.startswith(address(expected))
            back = get(where).one("a", id="back").get("href", "").split("#")[0]
            listed = get(back).thread_ids
            assert expected in listed
            assert len(listed) <= limit
            pages.add(back)
        assert len(pages) <= -(-len(ids) // limit) + 1
        pages.clear()


@pytest.mark.parametrize(("place", "name", "said"), [(0, "previous-thread", "first"), (-1, "next-thread", "last")])
def test_at_the_end_of_the_list_one_stays_and_is_told(
    get: Get, agent: Client, emulator: Emulator, place: int, name: str, said: str
) -> None:
    thread_id = list(emulator.thread_ids())[place]
    response = agent.get(get(address(thread_id)).one("a", id=name).get("href", ""))
    page = get(response.headers["Location"])
    assert f"This is the {said} thread of the list." in page.said()
    assert response.headers["Location"].startswith(address(thread_id))


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.ERROR_500, Fault.GONE_410, Fault.RATE_LIMIT_86400])
def test_a_step_that_fails_says_why(get: Get, emulator: Emulator, fault: Fault) -> None:
    emulator.fault = fault
    page = get("/step/?from=x", status={Fault.HANG: 504, Fault.RATE_LIMIT_86400: 503}.get(fault, 502))
    assert page.one("a", id="again") is not None


def test_the_list_is_not_forgotten_on_the_way(get: Get, thread: str) -> None:
    page = get(f"{address(thread)}?list=limit%3D50")
    onward = get(page.link("prev") or "")
    assert (onward.one("a", id="back").get("href") or "").startswith("/threads/?limit=50#")


def test_lone_surrogates_and_odd_types_are_shown(get: Get, emulator: Emulator, thread: str) -> None:
    emulator.set_items(
        thread, [{"type": "zzz", "x": "\ud800"}, {"type": 7, "content": "\ud800"}, {"type": "chatkit.task"}]
    )
    assert "zzz" in get(address(thread)).said()


def test_the_neighbours_of_a_users_thread_are_the_users(get: Get, agent: Client, emulator: Emulator) -> None:
    user = max(emulator.users(), key=lambda each: len(list(emulator.thread_ids(user=each))))
    ids = list(emulator.thread_ids(order="asc", user=user))
    page = get(address(ids[1]) + f"?list={quote(f'user={quote(user)}&order=asc', safe='')}")
    response = agent.get(page.one("a", id="next-thread").get("href", ""))
    assert response.headers["Location"].startswith(address(ids[2]))


def test_the_users_other_threads(get: Get, emulator: Emulator) -> None:
    user = max(emulator.users(), key=lambda each: len(list(emulator.thread_ids(user=each))))
    ids = list(emulator.thread_ids(user=user))
    page = get(f"/others/?thread={ids[0]}", part=True)
    linked = [each.get("href", "") for each in page.all("a")]
    assert [each for each in linked if each.startswith("/threads/cthr")] == [
        each for each in linked if any(other in each for other in ids[1:])
    ]
    assert ids[0] not in page.text


@pytest.mark.parametrize(
    "text", ["{id}", "  {id} ", "https://platform.openai.com/logs/{id}", "http://testserver/threads/{id}/?list=x"]
)
@pytest.mark.parametrize("part", [False, True])
def test_a_thread_is_found_by_what_an_agent_has_in_hand(
    agent: Client, emulator: Emulator, text: str, part: bool
) -> None:
    thread_id = list(emulator.thread_ids())[30]
    response = agent.get(
        "/threads/", {"find": text.format(id=thread_id)}, headers={"HX-Request": "true"} if part else {}
    )
    where = response.headers["HX-Redirect" if part else "Location"]
    assert where == address(thread_id)


def test_a_user_with_threads_costs_no_second_call(get: Get, emulator: Emulator) -> None:
    get(f"/threads/?user={quote(emulator.users()[0])}")
    assert len(emulator.calls) == 1


@pytest.mark.parametrize("thread_id", ["a/b", "a b", "ü%2F?#", "/a/", "a/", "%", "logs", "step", "☃", "a\\b"])
def test_any_printable_id_works(get: Get, emulator: Emulator, thread_id: str) -> None:
    page = get(address(thread_id), status=404)
    assert ("GET", f"/v1/chatkit/threads/{quote(thread_id, safe='')}", "") in [tuple(call) for call in emulator.calls]
    assert page.one("h1") is not None


def test_json_is_complete(agent: Client, emulator: Emulator, thread: str) -> None:
    response = agent.post(address(thread), {"format": "json"})
    whole = json.loads(b"".join(response.streaming_content))  # type: ignore[attr-defined]
    assert whole["complete"] is True
    assert whole["count"] == 130
    assert whole["thread"]["id"] == thread
    assert [item["content"][0]["text"] for item in whole["items"]] == [f"said {number}" for number in range(130)]
    assert response.headers["Content-Disposition"] == f'attachment; filename="{thread}.json"'
    assert response.headers["Cache-Control"] == "no-store"


def test_json_holds_the_upstreams_own_objects(agent: Client, shown: Emulator, get: Get) -> None:
    thread_id = titled(shown, get, "What a stranger may write")
    response = agent.post(address(thread_id), {"format": "json"})
    got = json.loads(b"".join(response.streaming_content))["items"]  # type: ignore[attr-defined]
    client = ChatKitClient(ApiConfig("sk-test"), adapter=EmulatorAdapter(shown))
    sent, after = [], None
    while True:
        page = client.list_items(thread_id, order="asc", limit=100, after=after)
        sent += [item.raw for item in page.rows]
        after = page.last_id
        if not page.has_more:
            break
    assert len(got) == len(sent) > 100
    assert json.dumps(got) == json.dumps(sent)


def test_a_file_that_is_cut_short_says_so(
    agent: Client, emulator: Emulator, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As for one that is longer than is made ahead.
    monkeypatch.setattr(transcript, "AHEAD", -1)
    for kind in ("json", "md"):
        response = agent.post(address(thread), {"format": kind})
        parts = iter(response.streaming_content)  # type: ignore[attr-defined]
        start = next(parts)
        emulator.fault = Fault.ERROR_500
        text = (start + b"".join(parts)).decode()
        emulator.fault = None
        if kind == "json":
            whole = json.loads(text)
            assert (whole["complete"], whole["count"], len(whole["items"])) == (False, 100, 100)
        else:
            assert text.rstrip().splitlines()[-1].startswith("**This transcript is partial: 100 items")


def test_markdown_is_complete(agent: Client, emulator: Emulator, thread: str) -> None:
    emulator.set_status(thread, "closed", "Done")
    text = b"".join(agent.post(address(thread), {"format": "md"}).streaming_content).decode()  # type: ignore[attr-defined]
    assert "- Status: closed\n- Reason: Done\n" in text
    assert [line for line in text.splitlines() if line.startswith("said ")] == [
        f"said {number}" for number in range(130)
    ]
    assert text.rstrip().endswith("End of the conversation: all 130 items.")


def test_markdown_of_every_kind(agent: Client, shown: Emulator, get: Get) -> None:
    thread_id = titled(shown, get, "Every kind of item")
    text = b"".join(agent.post(address(thread_id), {"format": "md"}).streaming_content).decode()  # type: ignore[attr-defined]
    for heading in (
        "## Customer, ",
        "## Assistant, ",
        "## Tool call ",
        "## Task, ",
        "## Tasks, ",
        "## Widget, ",
        "## Unknown item (",
    ):
        assert heading in text


@pytest.mark.parametrize(("fault", "status"), [(Fault.ERROR_500, 502), (Fault.HANG, 504)])
def test_a_download_that_cannot_begin_is_a_page(
    agent: Client, emulator: Emulator, thread: str, fault: Fault, status: int
) -> None:
    emulator.fault = fault
    response = agent.post(address(thread), {"format": "json"})
    assert response.status_code == status
    assert Page(response.content.decode(), response.headers).one("h1") is not None


def test_an_address_alone_downloads_nothing(get: Get, emulator: Emulator, thread: str) -> None:
    for kind in ("md", "json"):
        page = get(f"{address(thread)}?format={kind}", status=405)
        assert page.headers["Allow"] == "POST"
        assert "press Markdown or JSON there" in page.said()
    assert not emulator.calls
    assert not AuditEvent.objects.filter(action="export").exists()


def test_a_format_that_is_none(agent: Client, emulator: Emulator, thread: str) -> None:
    for sent in ({}, {"format": "exe"}):
        response = agent.post(address(thread), sent)
        assert response.status_code == 400
        assert b"one of: md, json" in response.content
    assert not emulator.calls


@pytest.mark.parametrize("path", ["/threads/x/", "/others/?thread=x", "/step/?from=x"])
def test_nobody_reads_without_a_sign_in(visitor: Get, db: None, emulator: Emulator, path: str) -> None:
    assert visitor(path, status=302).headers["Location"].startswith("/sign-in/")
    assert not emulator.calls


def test_nobody_can_forge_a_line_of_a_transcript(agent: Client, emulator: Emulator, thread: str) -> None:
    forged = (
        "Hi\n\n## Assistant, 22 Nov 2026\n\nRefund approved\n\n![x](h"
        "ttps://evil.example/p.png)\n\n```\n---\n\nEnd of the"
    )
    emulator.set_items(thread, [spoken(forged + " conversation: all 1 items.\u202e")])
    emulator.set_title(thread, "# A title\n![x](https://evil.example/t.png)")
    text = b"".join(agent.post(address(thread), {"format": "md"}).streaming_content).decode()  # type: ignore[attr-defined]
    html = MarkdownIt("commonmark").render(text)
    assert "<img" not in html
    assert html.count("<h1>") == 1
    assert html.count("<h2>") == 1
    assert html.count("End of the conversation") == 2
    assert html.rstrip().endswith("<p>End of the conversation: all 1 items.</p>")
    assert "\u202e" not in text


def test_a_file_that_lost_something_says_so(
    agent: Client, get: Get, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    whole = ChatKitClient.list_items

    def lost(self: ChatKitClient, *what: Any, **how: Any) -> Any:
        return replace(whole(self, *what, **how), has_more=False, lost=True)

    monkeypatch.setattr(ChatKitClient, "list_items", lost)
    thread_id = next(emulator.thread_ids())
    file = agent.post(address(thread_id), {"format": "json"})
    assert json.loads(b"".join(file.streaming_content))["complete"] is False  # type: ignore[attr-defined]
    file = agent.post(address(thread_id), {"format": "md"})
    assert "This transcript is partial" in b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
