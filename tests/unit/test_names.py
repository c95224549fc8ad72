"""Names of files: whatever an id is made of, its file can be kept on every system and told from another's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from threads.exports import filenames
from threads.exports.models import Export

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

ids = st.text(max_size=200) | st.text(st.sampled_from('-._ aA1/\\:*?"<>|文é\u0301\u202e\u200b\ud800'), max_size=20)


@pytest.mark.parametrize("plain", ["cthr_68ef01", "ada", "A-1", "_x_", "x" * 60])
def test_what_can_be_a_name_is_one_as_it_is(plain: str) -> None:
    assert filenames.safe_part(plain, "thread") == plain


@given(ids)
@example("")
@example("-rf")
@example("..")
@example("CON")
@example("lpt1")
@example("\U0001f600" * 60)
@example("\u3164" * 60)
@example("文" * 200)
def test_a_name_holds_on_every_system(text: str) -> None:
    name = filenames.safe_part(text, "thread")
    assert name
    assert name[0] not in "-."
    assert not re.search(r'[\x00-\x20/\\:*?"<>|.%\x7f-\xa0\u200b-\u200f\u202a-\u202e]', name)
    assert not re.fullmatch("con|prn|aux|nul|com[0-9]|lpt[0-9]", name, re.IGNORECASE)
    assert len(f"000001-{name}-2026-11-25-PARTIAL.json".encode()) < 200


@given(st.lists(ids, min_size=2, max_size=5, unique=True))
@example(["客户一", "客户二"])
@example(["文-1", "文-2", "-1", "1"])
@example(["a.b", "a_b", "a b", "a_b ", " a_b"])
@example(["x" * 60, "x" * 61, "x" * 62])
@example(["é", "e\u0301"])
def test_no_two_ids_have_one_name(texts: list[str]) -> None:
    for made in (filenames.safe_part(text, "thread") for text in texts), (_plain(text) for text in texts):
        assert len(set(made)) == len(texts)


def test_what_a_digest_could_make_is_made_by_no_id() -> None:
    name = filenames.safe_part("a.b", "thread")
    assert filenames.safe_part(name, "thread") != name


def _plain(text: str) -> str:
    """The name that is sent for who knows no letters beyond ASCII."""
    found = re.match(
        r'attachment; filename="([!-~]+)"', filenames.content_disposition(f"{filenames.safe_part(text, 'thread')}.md")
    )
    assert found
    assert found[1][0] not in "-."
    return found[1]


def test_a_download_has_its_name_in_letters_and_in_ascii() -> None:
    assert filenames.content_disposition("list-1.csv") == 'attachment; filename="list-1.csv"'
    name = filenames.export_name(Export(kind="zip", user_id="客户一", zone="UTC"), NOW)
    assert re.fullmatch(r"user-客户一-[0-9a-f]{12}-2026-11-25\.zip", name)
    plain, _, full = filenames.content_disposition(name).partition("; filename*=UTF-8''")
    assert re.fullmatch(r'attachment; filename="user-_-[0-9a-f]{12}-2026-11-25\.zip"', plain)
    assert unquote(full) == name
    assert len(filenames.export_name(Export(kind="zip", user_id="文" * 512, zone="UTC", reason="x"), NOW)) <= 120
