"""A real server with one process, and an HTTP client that is signed in to it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support.serving import NAME, PASSWORD, Desk, serve

PATIENCE = 15.0
"""Seconds that a reply may take."""


class Browser:
    """An HTTP client with cookies, which follows no redirects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path: str, **headers: str) -> requests.Response:
        return self._session.get(self.url + path, headers=headers, timeout=PATIENCE, allow_redirects=False)

    def post(self, path: str, **form: str) -> requests.Response:
        token = self._session.cookies.get("csrftoken") or self._session.cookies.get("__Host-csrftoken")
        sent = {"csrfmiddlewaretoken": token or ""} | form
        return self._session.post(self.url + path, data=sent, timeout=PATIENCE, allow_redirects=False)

    def close(self) -> None:
        self._session.close()

    def sign_in(self) -> None:
        self.get("/sign-in/")
        done = self.post("/sign-in/", username=NAME, password=PASSWORD)
        assert done.status_code == 302, done.text[:2000]


def said(response: requests.Response) -> str:
    """The text of a page, without markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.text).split()).replace("&#39;", "'")


@contextmanager
def desk(folder: Path, upstream: str, **more: str) -> Iterator[tuple[Desk, Browser]]:
    """A server of one process with its data in `folder`, and a signed-in client. `more` are environment variables."""
    settings = {
        "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": upstream, "SECRET_KEY": "of this test alone",
        "WEB_CONCURRENCY": "1", "CHATKIT_DEADLINE": "5",
    } | more  # fmt: skip
    with serve(folder, settings, account=True) as made:
        browser = Browser(made.url)
        try:
            browser.sign_in()
            yield made, browser
        finally:
            browser.close()  # else the server waits for another request


def exchange(url: str, sent: bytes, *, wait: float = 5.0) -> bytes:
    """Sends bytes; returns the reply up to the end of the connection, or until nothing came for `wait` seconds."""
    host, port = url.removeprefix("http://").split(":")
    got = b""
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        try:
            connection.sendall(sent)
            while part := connection.recv(65536):
                got += part
        except OSError:
            pass
    return got
