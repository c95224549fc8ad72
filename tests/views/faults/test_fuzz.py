"""Every address of the desk, asked in every way with whatever a stranger may think of: never a mistake of ours.

FUZZ is how many requests are made as each kind of visitor. `make faults` makes more of them than `make test`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus, urljoin, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.accounts import account
from tests.support.addresses import addresses, read
from tests.support.effort import times
from tests.support.seen import Seen
from tests.support.syncing import sync
from threads.archive import database_guard, thread_info
from threads.emulator import Emulator

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("FUZZ", times(400)))
KEY = "sk-test"

METHODS = ["GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
NASTY = [
    "", " ", "0", "-1", "1e309", "NaN", "9" * 400, "٣", "\x00", "a\x00b", "\ud800", "\u202eevil", "\r\nX-Evil: 1", "'",
    "' OR 1=1 --", '"', "\\", "%", "%00", "%%", "{{7*7}}", "${7*7}", "<script>alert(1)</script>", "../../etc/passwd",
    "..", ".", "//evil.example", "https://evil.example/", "javascript:alert(1)", "=cmd|' /C calc'!A0", "true", "null",
    "[]", "{}", "2026-02-30", "9999-12-31", "0001-01-01", "-0001-01-01", "0-24", "6-23", "asc", "part", "yes", "json",
    "md", "csv", "jsonl", "zip", "next", "previous", "x" * 9000, "wort " * 2000, "👩‍👩‍👧‍👦" * 300, "مرحبا", "您好", "İ",
    "00000000-0000-0000-0000-000000000000", "user=a&limit=%F6", "user=" + "%25" * 600,
]  # fmt: skip

ANYTHING = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=40), st.text(alphabet=st.characters(codec=None), max_size=12)
)
HEADER = st.one_of(
    st.sampled_from([each for each in NASTY if each.isprintable() and each.isascii()]),
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60),
)
NAMES = read()
ADDRESSES = sorted({each.name: each for each in addresses()}.values(), key=lambda each: each.name)


def some(kind: str, values: st.SearchStrategy[str], most: int) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(sorted(NAMES[kind])), values, max_size=most)


def encoded(values: dict[str, str]) -> bytes:
    """A query or a form, whose halves of characters go as the bytes that they would be."""
    return "&".join(
        f"{name}={quote_plus(value.encode('utf-8', 'surrogatepass'))}" for name, value in values.items()
    ).encode()


REQUEST = st.fixed_dictionaries(
    {
        "address": st.sampled_from(ADDRESSES),
        "places": st.lists(ANYTHING, min_size=3, max_size=3),
        "method": st.sampled_from(METHODS),
        "query": some("query", ANYTHING, 5),
        "form": some("form", ANYTHING, 5),
        "cookies": some("cookies", HEADER, 2),
        "headers": some("headers", HEADER, 3),
        "known": st.booleans(),
        "body": st.sampled_from(["form", "form", "form", "json", "rubbish", "file"]),
    }
)

JSON, RUBBISH = b'{"name": {"__class__": 1}}', b"\xff\xfe\x00--=&&%zz"
FILE = (
    b'--cut\r\nContent-Disposition: form-data; name="name"; filename="../../x.html"\r\n'
    b"Content-Type: text/html\r\n\r\n<script>\r\n--cut--\r\n"
)
BODIES = {
    "json": (JSON, "application/json"),
    "rubbish": (RUBBISH, "multipart/form-data; boundary="),
    "file": (FILE, "multipart/form-data; boundary=cut"),
}


class Visitor:
    """Asks as somebody, signed in anew where an address has signed them out."""

    def __init__(self, who: Any) -> None:
        self._who = who
        self.statuses: Counter[int] = Counter()

    def ask(self, request: dict[str, Any], ids: list[str]) -> Any:
        client = Client()
        if self._who is not None:
            client.force_login(self._who)
        for name, value in request["cookies"].items():
            client.cookies[name] = value
        places: Iterator[str] = iter([ids[0], *request["places"]] if request["known"] else request["places"])
        path = request["address"].filled(places)
        content, kind = BODIES.get(request["body"], (encoded(request["form"]), "application/x-www-form-urlencoded"))
        response = client.generic(
            request["method"],
            path,
            b"" if request["method"] in {"GET", "HEAD"} else content,
            content_type=kind,
            query_string=encoded(request["query"]).decode("ascii"),
            headers={name: value for name, value in request["headers"].items() if name != "Host"},
        )
        self.statuses[response.status_code] += 1
        return response


def stays(location: str) -> bool:
    """Whether a browser that is led there stays on the desk."""
    there = urlsplit(urljoin("http://testserver/a/b/", location.replace("\\", "/").strip()))
    return (there.scheme, there.netloc) == ("http", "testserver")


def check(response: Any, request: dict[str, Any]) -> None:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    asked = f"{request['method']} {request['address'].name} {request['query']} {request['form']}"
    # 501 and 503 say what is not there; nothing else from 500 on may come while the upstream is well.
    assert response.status_code < 500, f"{response.status_code} for {asked}"
    assert b"Traceback" not in body, asked
    assert KEY.encode() not in body, asked
    assert settings.SECRET_KEY.encode() not in body, asked
    assert "default-src 'none'" in response["Content-Security-Policy"], asked
    assert response["X-Content-Type-Options"] == "nosniff", asked
    assert stays(response.get("Location", "")), asked
    assert "x-evil" not in response.headers, asked
    if body:
        kind = response["Content-Type"].lower().replace('"', "")
        assert "charset=utf-8" in kind or kind.split(";")[0] in {"application/json", "application/zip"}, asked
        if b"<script>alert(1)" in body:
            assert "html" not in response["Content-Type"], asked


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["anonymous", "administrator"])
def test_nothing_that_can_be_asked_is_a_mistake_of_ours(emulator: Emulator, seen: Seen, kind: str) -> None:
    database_guard.claim()  # as the server does when it starts
    sync(emulator)
    thread_info.clear_cache()
    visitor = Visitor(account("root", "Administrator", is_staff=True) if kind == "administrator" else None)
    ids = list(emulator.thread_ids())

    @hypothesis_settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 1000
    )
    @given(request=REQUEST)
    def asked(request: dict[str, Any]) -> None:
        check(visitor.ask(request, ids), request)

    asked()
    told = ", ".join(f"{count} times {status}" for status, count in sorted(visitor.statuses.items()))
    seen(f"{visitor.statuses.total():,} requests: {told}")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["anonymous", "administrator"])
def test_every_parameter_takes_every_nasty_text(emulator: Emulator, seen: Seen, kind: str) -> None:
    """What chance may leave out: each text in all parameters, fields and places of an address at once."""
    database_guard.claim()  # as the server does when it starts
    sync(emulator)
    thread_info.clear_cache()
    visitor = Visitor(account("root", "Administrator", is_staff=True) if kind == "administrator" else None)
    ids = list(emulator.thread_ids())
    count = 0
    for address in ADDRESSES:
        for number, text in enumerate(NASTY[:: 1 if EXAMPLES > 1000 else 5]):
            request = {
                "address": address, "places": [text] * 3, "method": ("GET", "POST")[number % 2], "cookies": {},
                "query": dict.fromkeys(NAMES["query"] - {"format"}, text) if len(text) < 1000 else {"q": text},
                "form": dict.fromkeys(NAMES["form"], text), "headers": {}, "known": number % 3 == 0, "body": "form",
            }  # fmt: skip
            check(visitor.ask(request, ids), request)
            count += 1
    seen(f"{count} requests to {len(ADDRESSES)} addresses, none of them a mistake of ours")
