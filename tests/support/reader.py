"""Requests pages as a browser does, and parses them strictly."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from tests.support.page import Page

Get = Callable[..., Page]


def reader(client: Client) -> Get:
    """A function that gets an address with `client` and returns the page. Its keyword arguments are request headers,
    the expected `status`, and `part=True` to ask as htmx does."""

    def ask(address: str, *, status: int = 200, part: bool = False, **headers: str) -> Page:
        sent = headers | ({"HX-Request": "true"} if part else {})
        response = client.get(address, headers=sent)
        assert response.status_code == status, response.content[:2000]
        return Page(response.content.decode(), response.headers)

    return ask
