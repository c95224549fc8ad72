"""Which addresses become links, and that each leads where it says."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.rendering.safe_links import link


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://shop.example/a?b=c#d", "shop.example"),
        ("http://shop.example:8080/", "shop.example:8080"),
        ("mailto:help@shop.example", "help@shop.example"),
        ("https://bänk.example/", "xn--bnk-qla.example"),
        ("https://[::1]/", "[::1]"),
        ("https://127.0.0.1:0/", "127.0.0.1:0"),
        ("mailto:ada@bänk.example", "ada@xn--bnk-qla.example"),
        ("HTTPS://SHOP.EXAMPLE/", "shop.example"),
    ],
)
def test_a_link_tells_its_host(address: str, host: str) -> None:
    found = link(address)
    assert found
    assert found.host == host


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)",
        "\x01javascript:x",
        "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "//shop.example/", "/threads/", "shop.example",
        "https:///nohost", "https://openai.com%2eevil.example/", "https://2130706433/", "https://0x7f.1/",
        "mailto:\u0430da@shop.example", "mailto:ada", "https://sh<op.example/", "https://", "",
        "https://bank.example@evil.example/", "https://bank.example\\@evil.example/",
        "https://shop.example/\u202egnp.exe", "mailto:", "http://[::1", "http://a:99999/",
        "x" * 5000, "ftp://shop.example",
        "https://shop.example/a b", "blob:https://shop.example/x", "https://\ud800.example/",
    ],
)  # fmt: skip
def test_what_may_not_be_followed_is_no_link(address: str) -> None:
    assert link(address) is None


@given(st.one_of(st.text(max_size=60), st.from_regex(r"(https?|mailto|javascript|data):[^\s]{0,40}", fullmatch=True)))
def test_whatever_is_written_a_link_is_safe_to_put_into_a_page(address: str) -> None:
    found = link(address)
    if found:
        assert urlsplit(found.href).scheme in {"http", "https", "mailto"}
        assert found.href.isascii()
        assert not set(found.href) & set('"<>\\ \n\t`')
        assert found.host
