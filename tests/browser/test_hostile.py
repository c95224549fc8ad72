"""A thread that somebody wrote to do harm, opened wholly: it is read, and that is all."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Open, Stage
from tests.browser.steps import overflow
from tests.browser.talking import HOSTILE, Patchy, conversation_menu, item_ids, items, load_all, reads
from tests.browser.watching import Watch

_WIDTHS = [320, 390, 1280]
_TO_THE_LETTER = [
    "<script>alert(document.cookie)</script>",
    "{{ 7 * 7 }} {% debug %} ${7*7} #{7*7} <%= 7 * 7 %>",
    "</p></div></article></main></body></html> still inside?",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "مرحبًا، لم يصل طلبي رقم 481207",
    "👨‍👩‍👧‍👦 👋🏽 🏳️‍🌈",
]


@pytest.fixture
def upstream(stage: Stage) -> Patchy:
    patchy = Patchy()
    stage.playing = patchy
    return patchy


def _report_dialogs(page: Page, watch: Watch) -> None:
    def asked(dialog: Dialog) -> None:
        watch.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", asked)


def _open(page: Page, upstream: Patchy, watch: Watch) -> str:
    """Loads all of it, with every fold open. Whatever asks for a dialog is reported."""
    thread_id = list(upstream.thread_ids())[HOSTILE]
    _report_dialogs(page, watch)
    page.goto(f"/threads/{thread_id}/")
    load_all(page)
    reads(page, item_ids(upstream, thread_id))
    page.evaluate("document.querySelectorAll('#pane details:not([data-pop])').forEach((fold) => { fold.open = true; })")
    return thread_id


def test_nothing_of_it_runs_or_calls(page: Page, upstream: Patchy, watch: Watch) -> None:
    thread_id = _open(page, upstream, watch)
    expect(page).to_have_title("What a stranger may write · Closed · Threadkeeper")
    expect(page.locator(".head .status")).to_contain_text("Nothing but <b>markup</b> and tricks")
    expect(page.locator("#earlier")).to_contain_text(f"The beginning: all {len(items(upstream, thread_id))}.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_text("Threads")
    hosts = {re.sub(r"^(https?://[^/]+).*", r"\1", request.url) for request in watch.requests}
    assert len(hosts) == 1
    kinds = {request.resource_type for request in watch.requests}
    assert kinds <= {"document", "stylesheet", "script", "xhr", "fetch", "image", "other"}
    assert [each.url for each in watch.requests if each.resource_type == "image" and "icon" not in each.url] == []


def test_nothing_of_it_is_an_element_that_acts(page: Page, upstream: Patchy, watch: Watch) -> None:
    _open(page, upstream, watch)
    found: dict[str, list[str]] = page.evaluate(
        """() => {
          const inside = [...document.querySelectorAll("#items *")];
          const told = (elements) => elements.map((it) => it.outerHTML.slice(0, 200));
          const having = (test) => told(inside.filter((it) => [...it.attributes].some(({ name }) => test(name))));
          const FETCH = ["src", "srcset", "srcdoc", "data", "poster", "background", "action", "formaction", "ping",
            "autofocus", "xlink:href"];
          const ACTIVE = `script, style, iframe, object, embed, img, image, use, foreignObject, form, meta, base, link,
            video, audio, math, template, title, plaintext, animate, set`;
          const ids = [...document.querySelectorAll("[id]")].map((it) => it.id);
          const ENABLED = "button:enabled, select:enabled, textarea:not([readonly]), input:enabled:not([readonly])";
          return {
            handlers: having((name) => name.startsWith("on") || name === "style"),
            fetched: having((name) => FETCH.includes(name)),
            htmx: told(inside.filter((it) => it.parentElement.closest(".item"))
              .filter((it) => [...it.attributes].some(({ name }) => /^(data-)?hx-/.test(name)))),
            active: told(inside.filter((it) => it.matches(ACTIVE))),
            twice: ids.filter((id, place) => ids.indexOf(id) !== place),
            named: told(inside.filter((it) => it.name)),
            enabled: told(inside.filter((it) => it.matches(ENABLED))),
          };
        }"""
    )
    assert found == {name: [] for name in found}


def test_links_lead_where_they_say(page: Page, upstream: Patchy, watch: Watch) -> None:
    thread_id = _open(page, upstream, watch)
    links: list[dict[str, Any]] = page.locator("#items .item a").evaluate_all(
        """links => links.map((link) => ({
          href: link.getAttribute("href"), scheme: link.protocol, rel: link.rel.split(" ").sort().join(" "),
          target: link.target, name: link.username, own: link.matches("[data-copy-link]"),
          told: link.closest("li, p, div, td").innerText, host: link.host,
        }))"""
    )
    own = [link for link in links if link["own"]]
    others = [link for link in links if not link["own"]]
    assert len(own) == len(items(upstream, thread_id))
    assert [link for link in own if not link["href"].startswith(f"/threads/{thread_id}/?at=")] == []
    assert len(others) > 5
    assert [link for link in others if link["scheme"] not in ("http:", "https:", "mailto:")] == []
    assert [link for link in others if link["rel"] != "nofollow noopener noreferrer"] == []
    assert [link for link in others if link["target"] != "_blank" or link["name"]] == []
    assert [link for link in others if link["host"] not in link["told"]] == [], "a link does not tell its host"


@pytest.mark.parametrize("width", _WIDTHS)
def test_nothing_of_it_is_wider_than_the_window(signed_in: Open, upstream: Patchy, watch: Watch, width: int) -> None:
    page = signed_in(viewport={"width": width, "height": 700})
    _open(page, upstream, watch)
    # What is far from the window is not drawn, and could hide that it is too wide.
    page.evaluate("document.querySelectorAll('.items').forEach((it) => { it.style.contentVisibility = 'visible'; })")
    assert overflow(page) == 0
    assert page.locator("#talk").evaluate("talk => talk.scrollWidth - talk.clientWidth") == 0
    wide: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#items .item")]
          .filter((it) => it.checkVisibility() && it.scrollWidth > it.clientWidth + 1)
          .map((it) => it.innerText.slice(0, 80))"""
    )
    assert wide == []


def test_nothing_of_it_lies_over_the_page(page: Page, upstream: Patchy, watch: Watch) -> None:
    _open(page, upstream, watch)
    placed: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#items .item *")]
          .filter((it) => ["fixed", "sticky"].includes(getComputedStyle(it).position)
            || Number(getComputedStyle(it).zIndex) > 0)
          .map((it) => it.outerHTML.slice(0, 120))"""
    )
    assert placed == []
    spilt: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#items .item")].filter((it) => it.scrollHeight > it.clientHeight + 40)
          .map((it) => it.innerText.slice(0, 80))"""
    )
    assert spilt == [], "an item paints over its neighbours"


def test_what_hides_is_shown(page: Page, upstream: Patchy, watch: Watch) -> None:
    """Every item can still be read, and tells of each character that would turn or hide what stands beside it."""
    _open(page, upstream, watch)
    turned = page.locator(".item").filter(has_text="Direction override:")
    expect(turned).to_have_count(2)
    for each in turned.all():
        for mark in ("U+202E", "U+2067", "U+2066", "U+202D"):
            expect(each.locator(".hidden-character", has_text=mark).first).to_be_visible()
        expect(each.get_by_text("gpj.exe is an image")).to_be_visible()
    hidden = page.locator(".item").filter(has_text="Invisible characters:")
    for each in hidden.all():
        for mark in ("U+200B", "U+2060", "U+00AD", "U+FEFF"):
            expect(each.locator(".hidden-character", has_text=mark).first).to_be_visible()
    text = page.locator("#items").text_content() or ""
    assert re.findall("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x08]", text) == []


def test_text_of_the_customer_stays_to_the_letter(page: Page, upstream: Patchy, watch: Watch) -> None:
    _open(page, upstream, watch)
    for text in _TO_THE_LETTER:
        expect(page.locator(".user_message .said").filter(has_text=text).first).to_be_visible()


def test_a_hostile_thread_in_the_list_and_its_files(page: Page, upstream: Patchy, watch: Watch) -> None:
    thread_id = list(upstream.thread_ids())[HOSTILE]
    upstream.set_title(thread_id, '</title><script>alert(1)</script>\u202e"><img src=x onerror=alert(1)>')
    upstream.set_status(thread_id, "locked", "<svg/onload=alert(1)>\u202e\n" * 200)
    _report_dialogs(page, watch)
    page.goto(f"/threads/{thread_id}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("</title><script>alert(1)</script>U+202E")
    expect(page).to_have_title(re.compile("^</title><script>alert"))
    assert overflow(page) == 0
    with page.expect_download() as started:
        conversation_menu(page, "Markdown")
    assert started.value.suggested_filename == f"{thread_id}.md"
