"""Markdown of strangers: what is meant shows, what is meant badly does nothing, and nothing grows."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.rendering.markdown import LONGEST, LONGEST_PLAIN, markdown
from threads.rendering.safe_links import link

ALPHABET = st.sampled_from(
    [*"ab <>\"'`*_~[]()!|#>-+=:/&;.\n\\", "javascript:", "https://x.example", "onload=", "\u202e"]
)


def tree(html: str) -> Element:
    found: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(html)
    return found


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b* ~~c~~ `d`", "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>"),
        ("# a", "<h3>a</h3>"),
        ("###### a", "<h6>a</h6>"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>"),
        ("```x\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        ("a  \nb", "<p>a<br>\nb</p>"),
        ("Current: complete\nNext: review", "<p>Current: complete<br>\nNext: review</p>"),
        ("a\r\nb\rc", "<p>a<br>\nb<br>\nc</p>"),
        ("- a\n- b\n\nc", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>c</p>"),
        ("> a\n> b", "<blockquote>\n<p>a<br>\nb</p>\n</blockquote>"),
        ("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
        ("a\u202eb", '<p>a<span class="hidden-character" title="Right-to-left override">U+202E</span>b</p>'),
    ],
)
def test_what_is_meant_shows(text: str, html: str) -> None:
    assert markdown(text).strip() == html


@given(st.lists(st.text("ab,. ", min_size=1, max_size=9).filter(str.strip), min_size=1, max_size=9))
def test_each_line_of_a_paragraph_is_a_line(lines: list[str]) -> None:
    lines = [f"x{line.strip()}" for line in lines]
    paragraph = tree(markdown("\n".join(lines)))[0]
    assert paragraph.tag == "p"
    assert [text.strip() for text in paragraph.itertext()] == lines


def test_a_table_has_its_columns_aligned_and_can_be_scrolled() -> None:
    html = markdown("|a|b|\n|:-|-:|\n|1|2|")
    assert '<td class="left">1</td>' in html
    assert '<td class="right">2</td>' in html
    assert 'tabindex="0"' in html


def test_a_link_shows_where_it_leads() -> None:
    html = markdown("[www.bank.example](https://evil.example/x)")
    assert 'href="https://evil.example/x"' in html
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert "(evil.example)" in html


def test_an_image_is_a_link_to_it() -> None:
    html = markdown("![a **cat**](https://pix.example/1.png)")
    assert "<img" not in html
    assert 'href="https://pix.example/1.png"' in html
    assert "Image: a **cat**" in html or "Image: a cat" in html


def test_an_image_in_a_link_is_its_words() -> None:
    html = markdown("[![a](https://pix.example/1.png)](https://evil.example/b)")
    assert html.count("<a ") == 1
    assert 'href="https://evil.example/b"' in html
    assert "Image: a" in html


def test_a_link_without_words_has_its_address() -> None:
    assert ">https://evil.example/b</a>" in markdown("[](https://evil.example/b)")


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert(1))", "[a](JAVASCRIPT:alert(1))", "[a](&#106;avascript:alert(1))",
        "[a](java&#10;script:x)",
        "[a](data:text/html,x)", "![a](javascript:x)", "![a](data:image/svg+xml,x)", "<javascript:alert(1)>",
        "[a]: javascript:x\n\n[a]",
        "[a](vbscript:x)", "[a](//evil.example)", "[a](/threads/)",
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_followed_is_said_and_not_linked(text: str) -> None:
    html = markdown(text)
    assert "<a " not in html
    assert "(not a link: " in html or "javascript:" in html


@given(st.lists(ALPHABET, max_size=80).map("".join))
def test_whatever_is_written_nothing_runs_or_loads(text: str) -> None:
    for element in tree(markdown(text)).iter():
        assert element.tag not in {
            "img",
            "script",
            "style",
            "iframe",
            "object",
            "svg",
            "form",
            "input",
            "video",
            "link",
        }
        assert not set(element.keys()) - {
            "class",
            "title",
            "href",
            "target",
            "rel",
            "start",
            "tabindex",
            "role",
            "aria-label",
        }
        if element.tag == "a":
            assert link(element.get("href") or "")
            assert element.get("rel") == "noopener noreferrer nofollow"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000, "![" * 10_000, ">" * 1_000 + " a",
        "*a " * 6_000, "_a_*" * 5_000, "`" * 20_000, "- " * 10_000, "<" * 20_000,
        "|" + "a|" * 3_000 + "\n|" + "-|" * 3_000 + "\n" + "|\n" * 4_000, "[a](b" * 3_000, "**a" * 6_000, "\\" * 20_000,
        "[a]: x\n" * 2_500, "~~a" * 6_000, "&#" * 9_000, "a" * 100_000, "\u202e" * 20_000,
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_nothing_grows_beyond_measure(text: str) -> None:
    html = markdown(text)
    assert len(html) <= max(100_000, 20 * len(text)) + 10_000
    tree(html)


def test_a_long_text_is_shown_as_written() -> None:
    assert markdown("**a** " * LONGEST).startswith('<div class="plain"><span class="piece">**a** ')


def test_a_text_that_is_cut_says_so() -> None:
    html = markdown("a" * (LONGEST_PLAIN + 1))
    assert f"(the first {LONGEST_PLAIN:,} of {LONGEST_PLAIN + 1:,} characters)" in html
