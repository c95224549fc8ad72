"""What is shown of an id to those who may not see it whole."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threads import masking
from threads.archive.search.snippets import ItemMatch, Sought, snippet
from threads.archive.store.tokens import PREVIEW
from threads.chatkit.types import AssistantMessage, Citation, TextPart, ThreadItem, Unknown
from threads.rendering.escape import LONGEST
from threads.web.presenters import thread_rows

_LETTERS = st.characters(codec="utf-8", exclude_characters="…")


@given(st.text(_LETTERS, min_size=1))
def test_at_most_a_third_is_shown_and_never_more_than_six(name: str) -> None:
    shown = masking.mask_id(name)
    left = shown.replace("…", "")
    assert "…" in shown
    assert len(left) <= min(masking.MAX_SHOWN, len(name) / 3)
    assert masking.mask_id(name) != name


@given(st.emails(), st.text(max_size=40), st.text(max_size=40))
def test_no_address_is_left_in_a_text(address: str, before: str, after: str) -> None:
    local = address.partition("@")[0]
    if not all(each.isalnum() or each in "-." for each in local):
        return
    shown = masking.text(f"{before} {address} {after}")
    assert address not in shown
    assert shown.startswith(before.partition("@")[0][:1])


@pytest.mark.parametrize(
    "said",
    [
        "write to ada@mill.example.", "<ada@mill.example>", "mailto:ada@mill.example", "(mailto:ada%40mill.example)",
        "ada&#64;mill.example", "ada&#x40;mill.example", "ada&commat;mill.example", "ada\\@mill.example",
        "ADA＠mill.example", "https://x.example/?mail=ada%40mill.example&b=1", "\"ada@mill.example\"", "ada@mill",
    ],
)  # fmt: skip
def test_an_address_is_seen_however_it_is_written(said: str) -> None:
    shown = masking.text(said)
    assert "ada" not in shown.casefold()
    assert "mill" not in shown


def test_what_is_no_address_stays() -> None:
    for said in ("", "5 @ 3 euros", "a @ b", "@", "@ada", "https://x.example/?a=b&c=d", "no sign"):
        assert masking.text(said) == said


def test_known_ids_are_shortened_where_they_stand_and_short_ones_where_they_stand_alone() -> None:
    assert masking.text("of user_12345, user_12345x", ["user_12345"]) == "of us…5, us…5x"
    assert masking.text("ab in cab, ab.", ["ab"]) == "… in cab, …."
    assert masking.text("?u=a%20b%2Fcdef&x=1", ["a b/cdef"]) == "?u=a…f&x=1"
    assert masking.text("/u/auth0%7c64f00aa, AUTH0", ["auth0|64f00aa"]) == "/u/au…aa, AUTH0"
    assert masking.text("/u/acme/a%7Cb12345", ["acme/a|b12345"]) == "/u/ac…45"


def test_everything_in_a_value_is_gone_through() -> None:
    message = AssistantMessage(
        (TextPart("output_text", "to ada@mill.example", (Citation("url", "mailto:ada@mill.example"),)),)
    )
    item = ThreadItem("i", None, "t", message)
    shown = masking.deep(item)
    assert "ada" not in repr(shown)
    assert shown.id == "i"
    raw = {"mail ada@mill.example": ["ada@mill.example", 1, None, True]}
    unknown = masking.deep(ThreadItem("i", None, "t", Unknown("x", raw)))
    assert "mill" not in repr(unknown)
    assert "1, None, True" in repr(unknown)


def test_json_hides_nothing_behind_its_escapes() -> None:
    said = '{"to": "\\u0061da\\u0040mill.example", "id": "\\u0075ser_12345"}'
    shown = masking.deep(said, ["user_12345"])
    assert json.loads(shown) == {"to": "a…@m…", "id": "us…5"}
    assert json.loads(masking.deep('{"id": "acme\\/user_8842"}', ["acme/user_8842"])) == {"id": "ac…42"}
    assert "mill" not in masking.deep("not JSON \\u0020 ada\\u0040mill.example")


def test_what_hangs_on_an_address_is_shortened_with_it() -> None:
    for said in ("ada@mill.example@desk.example", "ada%40mill%40desk", "ada@mill!king@desk", "ada@mill%40desk.example"):
        shown = masking.text(f"to {said}, please")
        assert shown == "to a…@m…, please"
    assert masking.text("100%ada@mill.example") == "1…@m…"
    assert "ada" not in masking.text("%40ada@mill.example")
    assert masking.text("l" * 500 + "@mill.example") == "l…@m…"


@pytest.mark.parametrize("name", ["user_12345", "a b/cdef", "ada@mill.example"])
@pytest.mark.parametrize("said", ["user_12345", "a b/cdef", "a%20b%2Fcdef", "A%20B%2fCDEF", "ada@mill.example"])
def test_what_is_cut_in_two_is_shown_in_no_half(name: str, said: str) -> None:
    whole = masking.text(said, [name])
    if whole == said:
        return
    for place in range(len(said) + 2):
        text = "." + " " * (LONGEST - place - 1) + said + " " * LONGEST
        shown = masking.deep(text, [name], masking.MaskingBudget(0))
        assert shown.strip(" .") in {"", whole}, place
        assert masking.beginning(text[:LONGEST], [name]).strip(" .") in {"", said[:1]} or place > len(said)
        assert len(masking.deep(text, [name], masking.MaskingBudget(0))) >= len(text) - len(said)


def test_a_budget_is_of_long_texts_alone() -> None:
    budget = masking.MaskingBudget(LONGEST + 1000)
    long, short = "ada@mill.example " * 1000, "ada@mill.example"
    first, second, third = masking.deep((long, short, long), (), budget)
    assert "ada" not in first + second + third
    assert second == "a…@m…"
    assert len(first.rstrip()) > len(third.rstrip()) > 1000
    assert "a…@m…" in masking.line(long)


def test_escapes_are_seen_through_where_it_is_no_json() -> None:
    assert "mill" not in masking.deep('{"to": "\\u0061da\\u0040m\\u0069ll.example"')
    assert masking.deep('{"path": "C:\\u0022x"') == '{"path": "C:\\u0022x"'


def test_a_long_word_takes_no_long_time() -> None:
    began = time.perf_counter()
    masking.text("a" * 30_000 + " @")
    masking.text("a." * 15_000 + "@" + "b." * 15_000)
    masking.text("a@" * 15_000)
    assert time.perf_counter() - began < 2


_NAMES = ["customer-4711-augusta", "Ada  King Lovelace 1815", "auth0|ab/cd ef", "grace.hopper@navy-dept.example"]
_BETWEEN = st.lists(st.sampled_from(["x", "xx" * 40, " ", " ", ",", '"', "=", "。", ". ", "/", "%"]), max_size=12)
_SPELLED = st.sampled_from([
    lambda name: name, lambda name: " ".join(name.split()), lambda name: quote(name, safe=""),
    lambda name: quote(name, safe="").lower(), lambda name: "".join(f"\\u{ord(each):04x}" for each in name),
])  # fmt: skip


@pytest.mark.slow
@given(st.sampled_from(_NAMES), _SPELLED, st.lists(_BETWEEN.map("".join), min_size=4, max_size=4), st.integers(60, 240))
@settings(max_examples=300)
def test_of_what_is_cut_no_more_of_a_name_is_shown_than_of_the_whole(
    name: str, spelled: Callable[[str], str], between: list[str], far: int
) -> None:
    known, said = [name], spelled(name)
    first, second, third, fourth = between
    text = f"{first}{said}{second}{'x' * (far % 80)}zebra{third}{'x' * (far - len(said) // 2)}{said}{fourth * 30}"
    around = snippet(text, Sought(["zebra"]))
    assert around is not None
    shown = thread_rows.masked_hit(ItemMatch(None, None, *around), Sought(["zebra"]), known).text
    assert _most(shown, name) <= _allowed(name), shown
    for place in range(PREVIEW - far // 3, PREVIEW + 1, 7):
        opened = " ".join(f"{first[:place].ljust(place, 'x')} {said}{second}{fourth}{'x' * PREVIEW}".split())[:PREVIEW]
        begun = thread_rows.masked_opening(opened, known)
        assert begun is not None
        assert _most(begun, name) <= _allowed(name), begun


def _allowed(name: str) -> int:
    return max(1, (min(masking.MAX_SHOWN, len(name) // 3) + 1) // 2)


def _most(shown: str, name: str) -> int:
    """The longest run of a name that stands in what is shown, however that is spelled."""
    forms = [re.sub(r"\\u00([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), shown), unquote(shown), shown]
    return max(
        end - begin
        for form in forms
        for each in {name, " ".join(name.split())}
        for begin in range(len(each))
        for end in range(begin, len(each) + 1)
        if each[begin:end].lower() in form.lower()
    )


def test_a_part_keeps_what_is_no_name() -> None:
    around = snippet("so it was. The zebra is here, " + "and so on " * 40, Sought(["zebra"]))
    assert around is not None
    shown = thread_rows.masked_hit(ItemMatch(None, None, *around), Sought(["zebra"]), ["user_12345"])
    assert (shown.text, shown.marks) == around[:2]
    around = snippet("私" * 300 + "返金" + "我" * 300, Sought(["返金"]))
    assert around is not None
    assert thread_rows.masked_hit(ItemMatch(None, None, *around), Sought(["返金"]), ["user_12345"]).text == around[0]


def test_an_id_that_a_part_lies_within_is_not_shown() -> None:
    name = "k" * 300 + "zebra" + "m" * 300
    around = snippet(f"I am {name}, hello", Sought(["zebra"]))
    assert around is not None
    assert thread_rows.masked_hit(ItemMatch(None, None, *around), Sought(["zebra"]), [name]).text == "…  …"


def test_white_space_that_is_shown_as_one_space_is_no_other_id() -> None:
    assert masking.text("I am Ada King 4711", ["Ada  King 4711"]) == "I am Ad…11"
    assert masking.text("?q=Ada%20King%204711", ["Ada\tKing 4711"]) == "?q=Ad…11"
