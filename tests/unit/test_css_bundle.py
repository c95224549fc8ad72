"""Style sheets are bundled whole, each file in its layer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard import css_bundle

STATIC = Path(__file__).resolve().parents[2] / "static"


def read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def test_the_style_of_every_page_is_one_file() -> None:
    bundled = css_bundle.bundle("app.css", read)
    assert "@import" not in bundled
    names = re.findall(r'url\("(css/\w+\.css)"\) layer\((\w+)\)', read("app.css"))
    assert len(names) > 3
    for name, layer in names:
        assert f"@layer {layer} {{\n{css_bundle.without_comments(read(name))}}}" in bundled
    order = re.search(r"^@layer ([\w, ]+);", bundled, re.MULTILINE)
    assert order
    assert set(order[1].split(", ")) >= {layer for _, layer in names}


@pytest.mark.parametrize(
    "files",
    [
        {"app.css": '@import "other.css";\n'},
        {"app.css": '@import url("other.css");\n'},
        {"app.css": '@import url("a.css") layer(a);\n', "a.css": '@import url("b.css") layer(b);\n'},
        {"app.css": '@import url("a.css") layer(a);\n', "a.css": "b { background: url(picture.png); }\n"},
    ],
)
def test_what_cannot_be_bundled_is_refused(files: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="import"):
        css_bundle.bundle("app.css", files.__getitem__)


def test_an_address_within_the_file_stays() -> None:
    files = {"app.css": '@import url("a.css") layer(a);\n', "a.css": "b { filter: url(#x); }\n"}
    assert "url(#x)" in css_bundle.bundle("app.css", files.__getitem__)


def test_comments_are_left_out_and_strings_are_not() -> None:
    text = '/* one\n * two */\na::before { content: "/* three */"; } /* four */\nb { color: red; }\n'
    assert css_bundle.without_comments(text) == 'a::before { content: "/* three */"; } b { color: red; }\n'
