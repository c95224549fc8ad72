"""What an agent has in hand."""

from __future__ import annotations

import pytest

from threads.web.pasted_address import thread_in


@pytest.mark.parametrize(
    ("text", "thread"),
    [
        ("https://platform.openai.com/logs/cthr_1", "cthr_1"),
        (" https://platform.openai.com/logs/cthr_1?api=chatkit#x \n", "cthr_1"),
        ("http://127.0.0.1:8000/threads/cthr_1/?list=user%3Dx", "cthr_1"),
        ("https://desk.example/threads/a%2Fb%20c/", "a/b c"),
        ("https://api.openai.com/v1/chatkit/threads/cthr_1/items?limit=2", "cthr_1"),
        ("/threads/cthr_1/", "cthr_1"),
    ],
)
def test_an_address_of_a_thread(text: str, thread: str) -> None:
    assert thread_in(text) == thread


@pytest.mark.parametrize(
    "text",
    ["cthr_1", "user/1", "ada@shop.example", "https://desk.example/threads/",
    "https://desk.example/threads/?user=x", "/",
     "https://shop.example/orders/1", "http://[", "logs/cthr_1", "https://desk.example/logs"],
)  # fmt: skip
def test_what_is_no_address_of_a_thread_is_left_as_it_is(text: str) -> None:
    assert thread_in(text) is None
