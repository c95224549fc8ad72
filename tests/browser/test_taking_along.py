"""Finding in a conversation, downloading it, printing it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage
from tests.browser.talking import (
    EVERY_KIND,
    LONG,
    MORNING,
    Patchy,
    called,
    conversation_menu,
    find_box,
    item_ids,
    items,
    marked,
    more,
    open_find,
    said,
    talk,
    thread,
)
from tests.browser.watching import Watch
from threads.lib.folding import folded as text_of_index


@pytest.fixture
def upstream(stage: Stage) -> Patchy:
    patchy = Patchy()
    stage.playing = patchy
    return patchy


def _needles(upstream: Patchy) -> str:
    """A thread of 300 messages with a needle in the 3rd, the 10th, the 30th, and the 300th."""
    thread_id = next(upstream.thread_ids())
    texts = [f"Message {number}{' with a needle' if number in (3, 10, 30, 300) else ''}." for number in range(1, 301)]
    upstream.set_items(thread_id, [said(text) for text in texts])
    return thread_id


def test_find_counts_and_steps(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/?from=beginning")
    found = page.locator("#found")
    rest = " in what is loaded; load all to search the rest"
    open_find(page).fill("NEEDLE")
    expect(found).to_have_text(f"1 of 3{rest}")
    for key, at in (("Enter", 2), ("Enter", 3), ("Enter", 1), ("Shift+Enter", 3), ("Shift+Enter", 2)):
        find_box(page).press(key)
        expect(found).to_have_text(f"{at} of 3{rest}")
        assert marked(page) == "needle"
    page.get_by_role("button", name="Next match").click()
    expect(found).to_have_text(f"3 of 3{rest}")
    page.get_by_role("button", name="Previous match").click()
    expect(found).to_have_text(f"2 of 3{rest}")
    page.get_by_role("button", name="Load all").click()
    expect(found).to_have_text("2 of 4")
    page.get_by_role("button", name="Next match").click()
    expect(found).to_have_text("3 of 4")
    page.get_by_role("button", name="Next match").click()
    expect(found).to_have_text("4 of 4")
    assert marked(page) == "needle"
    find_box(page).fill("")
    expect(found).to_have_text("")


def test_a_step_while_typing_is_looked_for_is_not_lost(page: Page, upstream: Patchy) -> None:
    """The matches may be shown before typing has paused, by items that come meanwhile."""
    page.goto(f"/threads/{_needles(upstream)}/?from=beginning")
    page.clock.install()
    open_find(page).fill("needle")
    page.locator("#more").evaluate(
        "more => more.dispatchEvent(new CustomEvent('htmx:afterSettle', {bubbles: true, detail: {target: more}}))"
    )
    expect(page.locator("#found")).to_have_text(re.compile("1 of 3"))
    find_box(page).press("Enter")
    page.clock.run_for(1_000)
    expect(page.locator("#found")).to_have_text(re.compile("2 of 3"))


_TRICKY = [
    *"aZ1 .ßıİŁøœÅσςᾳŉﬁ½①٤۷ㅋㅏ한각가カﾌﾟ我👍🏽❤☎כ־כקककىیک",
    "e\u0301",
    "\u0301",
    "\u200b",
    "\u200d",
    "\ufe0f",
    "\u3099",
    "\u093c",
    "\ufffd",
]


def test_find_folds_as_the_index_does(page: Page, upstream: Patchy) -> None:
    """Each character by itself, and many of them mixed."""
    page.goto(f"/threads/{next(upstream.thread_ids())}/")
    every = (chr(code) for code in range(0x20000) if unicodedata.category(chr(code)) not in {"Cn", "Co", "Cs"})
    chance = Random(7)
    mixed = ["".join(chance.choices(_TRICKY, k=8)) for _ in range(500)]
    cases = json.loads((Path(__file__).parents[1] / "support" / "search_forms.json").read_text(encoding="utf-8"))
    # A newline ends each: what stands in one line does not reach the next.
    texts = [*(f"a{each}b" for each in every if each not in "\r\n"), *mixed, *(text for case in cases for text in case)]
    found = page.evaluate(
        """async (texts) => {
          const { folded, places } = await import("/static/folding.js");
          return texts.map((text) => [folded(text), places(text).plain]);
        }""",
        texts,
    )
    for text, (folded, plain) in zip(texts, found, strict=True):
        assert folded == text_of_index(text) == " ".join(plain.split()), ascii(text)


ARRIVALS = [
    ("Meine Rückerstattung fehlt", "ruckerstattung", "Rückerstattung"),
    ("order number\n4812 please", '"number 4812"', "number\n4812"),
    ("tracking ABC\u200bDEF\u200b999", "ABCDEF999", None),
    ("wow 🎉🎉 done", "done 🎉", "done"),
]


def test_find_marks_what_the_list_has_marked(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("Nothing here"), *(said(text) for text, _, _ in ARRIVALS)])
    ids = item_ids(upstream, thread_id)
    for place, (_, typed, shown) in enumerate(ARRIVALS, start=1):
        page.goto(f"/threads/{thread_id}/?{urlencode({'list': urlencode({'q': typed})})}#item-{ids[place]}")
        expect(page.locator("#found")).to_have_text("1 of 1")
        assert shown is None or marked(page) == shown


def test_find_finds_signs_as_they_stand(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("It costs (about) 5 € or $.")])
    page.goto(f"/threads/{thread_id}/")
    open_find(page)
    for typed in ("€", "$.", "("):
        find_box(page).fill(typed)
        find_box(page).press("Enter")
        expect(page.locator("#found")).to_have_text("1 of 1")
        assert marked(page) == typed


def test_find_says_when_there_is_no_match(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/?from=beginning")
    open_find(page).fill("haystack")
    expect(page.locator("#found")).to_have_text("No match in what is loaded; load all to search the rest")
    page.get_by_role("button", name="Load all").click()
    expect(page.locator("#found")).to_have_text("No match")
    find_box(page).press("Enter")
    expect(page.locator("#found")).to_have_text("No match")


def test_find_says_that_what_came_before_is_not_loaded(page: Page, upstream: Patchy) -> None:
    thread_id = _needles(upstream)
    ids = item_ids(upstream, thread_id)
    page.goto(f"/threads/{thread_id}/?at={ids[290]}")
    expect(more(page)).to_contain_text("The end of the conversation.")
    open_find(page).fill("Message 5.")
    expect(page.locator("#found")).to_have_text(re.compile("No match in what is loaded"))


def test_find_opens_what_is_folded(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [called("many words " * 100 + "needle"), said("Thanks")])
    page.goto(f"/threads/{thread_id}/")
    fold = page.locator(".item details").filter(has_text="Output")
    expect(fold).not_to_have_attribute("open", "")
    open_find(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    expect(fold).to_have_attribute("open", "")
    assert marked(page) == "needle"


@pytest.mark.parametrize("kind", [called, said], ids=["fold", "message"])
def test_find_shows_the_match_in_a_long_text(page: Page, upstream: Patchy, kind: object) -> None:
    assert callable(kind)
    thread_id = next(upstream.thread_ids())
    text = "".join(f"Line {number}\n" for number in range(300)) + "a needle\n" + "rest\n" * 40
    upstream.set_items(thread_id, [kind(text), said("Thanks")])
    page.goto(f"/threads/{thread_id}/")
    open_find(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    assert marked(page) == "needle"


def test_find_finds_only_what_can_be_seen(page: Page, upstream: Patchy) -> None:
    """An item carries its time twice, once as it is shown and once for who wants it exact: neither was said."""
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("Hello", created_at=MORNING), said("Hello", created_at=MORNING + 60)])
    page.goto(f"/threads/{thread_id}/")
    open_find(page).fill("10:0")
    expect(page.locator("#found")).to_have_text("No match")
    find_box(page).fill("hello")
    expect(page.locator("#found")).to_have_text("1 of 2")


def test_find_marks_the_right_letters(page: Page, upstream: Patchy) -> None:
    """A capital of Turkish is two letters when it is small."""
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("İİİİ Ines, 🙏 the needle is here")])
    page.goto(f"/threads/{thread_id}/")
    open_find(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    assert marked(page) == "needle"


def test_leaving_the_find_field(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/")
    open_find(page).fill("needle")
    find_box(page).press("Escape")
    expect(page.locator("#needle")).to_be_hidden()
    expect(page.locator("#needle")).to_have_value("")
    expect(page.locator("#found")).to_have_text("")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page).to_have_url(re.compile("/threads/cthr_"))


def _download(page: Page, name: str) -> tuple[str, str]:
    """The name of the file that a button gives, and what is in it."""
    with page.expect_download() as started:
        conversation_menu(page, name)
    return started.value.suggested_filename, Path(started.value.path()).read_text(encoding="utf-8")


def test_downloads_of_every_kind(page: Page, upstream: Patchy) -> None:
    thread_id = list(upstream.thread_ids())[EVERY_KIND]
    page.goto(f"/threads/{thread_id}/")
    name, text = _download(page, "JSON")
    file = json.loads(text)
    assert name == f"{thread_id}.json"
    assert file["items"] == items(upstream, thread_id)
    assert file["thread"] == thread(upstream, thread_id)
    assert (file["count"], file["complete"]) == (35, True)
    name, text = _download(page, "Markdown")
    assert name == f"{thread_id}.md"
    assert text.startswith("# Every kind of item\n")
    assert len(re.findall("(?m)^## (?:Customer|Assistant|Tool call|Tasks?|Widget|Unknown item)\\b.*, .*$", text)) == 35
    assert text.endswith("End of the conversation: all 35 items.\n")
    for part in (thread_id, "hugo.olsen14@mail.example", "Handed to logistics", "MX-77120-B", "structured_input"):
        assert part in text


def test_downloads_of_ten_thousand(page: Page, upstream: Patchy) -> None:
    long = list(upstream.thread_ids())[LONG]
    ids = item_ids(upstream, long)
    page.goto(f"/threads/{long}/")
    file = json.loads(_download(page, "JSON")[1])
    assert [each["id"] for each in file["items"]] == ids
    assert (file["count"], file["complete"]) == (10_000, True)
    assert _download(page, "Markdown")[1].endswith("End of the conversation: all 10000 items.\n")


def test_a_download_that_fails_half_way_says_so(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 350)
    upstream.hole = ids[199]
    page.goto(f"/threads/{thread_id}/")
    file = json.loads(_download(page, "JSON")[1])
    assert [each["id"] for each in file["items"]] == ids[:200]
    assert (file["count"], file["complete"]) == (200, False)
    assert file["error"]
    assert "This transcript is partial: 200 items" in _download(page, "Markdown")[1][-300:]


def _on_paper(page: Page, thread_id: str, about: list[str], tmp_path: Path) -> None:
    page.emulate_media(media="print")
    facts = page.locator("#side")
    for text in about:
        expect(page.locator("#pane .status, #side").filter(has_text=text).first).to_be_visible()
    expect(page.locator("#pane .status")).to_be_visible()
    expect(facts.get_by_text(thread_id)).to_be_visible()
    for gone in (
        ".menu",
        ".steps-to",
        "#back",
        ".to-side",
        ".find",
        ".list",
        ".viewbar",
        ".others",
        "#more .button",
        ".top",
    ):
        for each in page.locator(gone).all():
            expect(each).to_be_hidden()
    expect(page.locator(".item time .exact").first).to_be_visible()
    pdf = tmp_path / "page.pdf"
    assert page.pdf(path=pdf).startswith(b"%PDF-")
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
        bare = re.sub(r"\s", "", text)
        assert [part for part in about if re.sub(r"\s", "", part) not in bare] == []


def test_on_paper(page: Page, upstream: Patchy, tmp_path: Path) -> None:
    thread_id = list(upstream.thread_ids())[EVERY_KIND]
    about = thread(upstream, thread_id)
    created = datetime.fromtimestamp(about["created_at"], UTC)
    page.goto(f"/threads/{thread_id}/")
    expected = [thread_id, about["user"], "Locked", about["status"]["reason"], f"{created:%Y, %H:%M}"]
    _on_paper(page, thread_id, expected, tmp_path)


def test_a_print_is_of_the_whole_conversation_unfolded(page: Page, upstream: Patchy) -> None:
    thread_id, ids = talk(upstream, 320)
    upstream.add_items(thread_id, [called("many words " * 100)])
    page.add_init_script("window.print = () => { window.printed = document.querySelectorAll('#items .item').length; }")
    page.goto(f"/threads/{thread_id}/")
    conversation_menu(page, "Print or save as PDF")
    page.wait_for_function("() => window.printed")
    assert page.evaluate("window.printed") == 321
    fold = page.locator("details").last
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(fold).to_have_attribute("open", "")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(fold).not_to_have_attribute("open", "")
    page.goto(f"/threads/{thread_id}/?at={ids[310]}")
    conversation_menu(page, "Print or save as PDF")
    page.wait_for_function("() => window.printed")
    assert page.evaluate("window.printed") == 321, "what came before the item is missing"


def test_no_print_of_a_part(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 320)
    upstream.hole = ids[149]
    page.add_init_script("window.print = () => { window.printed = true; }")
    page.goto(f"/threads/{thread_id}/?from=beginning")
    conversation_menu(page, "Print or save as PDF")
    expect(more(page).get_by_role("alert")).to_be_visible()
    page.wait_for_timeout(100)
    assert page.evaluate("window.printed") is None
