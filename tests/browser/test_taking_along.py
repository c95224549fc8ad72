"""Finding in a conversation, downloading it, printing it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import Stage
from .talking import (
    EVERY_KIND,
    LONG,
    MORNING,
    Patchy,
    called,
    find_box,
    item_ids,
    items,
    marked,
    more,
    said,
    talk,
    thread,
)
from .watching import Watch


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


def stepped(page: Page, press: Callable[[], None], text: str) -> None:
    """Presses until that has had its effect: one press in some is lost while the page still scrolls."""
    found = page.locator("#found")
    for _ in range(4):
        press()
        with suppress(AssertionError):
            expect(found).to_have_text(text, timeout=2000)
            return
    expect(found).to_have_text(text)


def test_find_counts_and_steps(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/")
    found = page.locator("#found")
    rest = " in what is loaded; load all to search the rest"
    find_box(page).fill("NEEDLE")
    expect(found).to_have_text(f"1 of 3{rest}")
    for key, at in (("Enter", 2), ("Enter", 3), ("Enter", 1), ("Shift+Enter", 3), ("Shift+Enter", 2)):
        stepped(page, partial(find_box(page).press, key), f"{at} of 3{rest}")
        assert marked(page) == "needle"
    stepped(page, page.get_by_role("button", name="Next match").click, f"3 of 3{rest}")
    stepped(page, page.get_by_role("button", name="Previous match").click, f"2 of 3{rest}")
    page.get_by_role("button", name="Load all").click()
    expect(found).to_have_text("2 of 4")
    stepped(page, page.get_by_role("button", name="Next match").click, "3 of 4")
    stepped(page, page.get_by_role("button", name="Next match").click, "4 of 4")
    assert marked(page) == "needle"
    find_box(page).fill("")
    expect(found).to_have_text("")


def test_find_says_when_there_is_no_match(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/")
    find_box(page).fill("haystack")
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
    find_box(page).fill("Message 5.")
    expect(page.locator("#found")).to_have_text(re.compile("No match in what is loaded"))


def test_find_opens_what_is_folded(page: Page, upstream: Patchy) -> None:
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [called("many words " * 100 + "needle"), said("Thanks")])
    page.goto(f"/threads/{thread_id}/")
    fold = page.locator("details").filter(has_text="Output")
    expect(fold).not_to_have_attribute("open", "")
    find_box(page).fill("needle")
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
    find_box(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    assert marked(page) == "needle"


def test_find_finds_only_what_can_be_seen(page: Page, upstream: Patchy) -> None:
    """An item carries its time twice, once as it is shown and once for who wants it exact: neither was said."""
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("Hello", created_at=MORNING), said("Hello", created_at=MORNING + 60)])
    page.goto(f"/threads/{thread_id}/")
    find_box(page).fill("10:0")
    expect(page.locator("#found")).to_have_text("No match")
    find_box(page).fill("hello")
    expect(page.locator("#found")).to_have_text("1 of 2")


def test_find_marks_the_right_letters(page: Page, upstream: Patchy) -> None:
    """A capital of Turkish is two letters when it is small."""
    thread_id = next(upstream.thread_ids())
    upstream.set_items(thread_id, [said("İİİİ Ines, 🙏 the needle is here")])
    page.goto(f"/threads/{thread_id}/")
    find_box(page).fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    assert marked(page) == "needle"


def test_leaving_the_find_field(page: Page, upstream: Patchy) -> None:
    page.goto(f"/threads/{_needles(upstream)}/")
    find_box(page).fill("needle")
    find_box(page).press("Escape")
    expect(find_box(page)).to_have_value("")
    expect(page.locator("#found")).to_have_text("")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page).to_have_url(re.compile("/threads/cthr_"))


def _download(page: Page, name: str) -> tuple[str, str]:
    """The name of the file that a button gives, and what is in it."""
    with page.expect_download() as started:
        page.get_by_role("button", name=name, exact=True).click()
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
    header = page.locator(".about")
    for text in about:
        expect(header).to_contain_text(text)
    expect(header).to_be_visible()
    expect(header.get_by_text(thread_id)).to_be_visible()
    for gone in (".ways", ".tools", ".others", "#more .button", ".top"):
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
    page.get_by_role("button", name="Print").click()
    page.wait_for_function("() => window.printed")
    assert page.evaluate("window.printed") == 321
    fold = page.locator("details").last
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(fold).to_have_attribute("open", "")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(fold).not_to_have_attribute("open", "")
    page.goto(f"/threads/{thread_id}/?at={ids[310]}")
    page.get_by_role("button", name="Print").click()
    page.wait_for_function("() => window.printed")
    assert page.evaluate("window.printed") == 321, "what came before the item is missing"


def test_no_print_of_a_part(page: Page, upstream: Patchy, watch: Watch) -> None:
    watch.expect_status(502)
    thread_id, ids = talk(upstream, 320)
    upstream.hole = ids[149]
    page.add_init_script("window.print = () => { window.printed = true; }")
    page.goto(f"/threads/{thread_id}/")
    page.get_by_role("button", name="Print").click()
    expect(more(page).get_by_role("alert")).to_be_visible()
    page.wait_for_timeout(100)
    assert page.evaluate("window.printed") is None
