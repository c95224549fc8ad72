"""The headers are on every reply, whoever of us answers; cookies are as strict as the scheme allows; nothing takes a
file, and nothing a long body."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client, override_settings

from tests.support.accounts import PASSWORD, account
from threads.emulator import Emulator

ROOT = Path(__file__).resolve().parents[2]

ALWAYS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; "

HTTPS = {
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31536000,
    "SESSION_COOKIE_NAME": "__Host-session",
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_NAME": "__Host-csrf",
    "CSRF_COOKIE_SECURE": True,
    "HTTPS": True,
}
"""As the settings are with HTTPS=1: see `test_with_https_the_settings_are_these`."""


class Secure(Client):
    """A browser that comes over https."""

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        return super().generic(*args, **kwargs | {"secure": True})


Ask = Callable[[Client, Client], Any]

TOO_MANY = dict.fromkeys(map(str, range(1001)), "")

REPLIES: dict[str, tuple[int, Ask]] = {
    "a page": (200, lambda agent, _: agent.get("/threads/")),
    "a part of one": (200, lambda agent, _: agent.get("/threads/", headers={"HX-Request": "true"})),
    "a page for a stranger": (200, lambda _, stranger: stranger.get("/sign-in/")),
    "a sign-in that failed": (200, lambda _, stranger: stranger.post("/sign-in/", {"username": "x", "password": "y"})),
    "a redirect to it": (302, lambda _, stranger: stranger.get("/threads/")),
    "a thread that is not there": (404, lambda agent, _: agent.get("/threads/cthr_none/")),
    "the admin": (302, lambda agent, _: agent.get("/admin/")),
    "who is no administrator": (403, lambda agent, _: agent.get("/admin/login/")),
    "a static file": (200, lambda agent, _: agent.get("/static/app.css")),
    "a static file that is not there": (404, lambda agent, _: agent.get("/static/none.css")),
    "healthz": (200, lambda agent, _: agent.get("/healthz")),
    "a host that is not ours": (400, lambda agent, _: agent.get("/threads/", headers={"Host": "evil.example"})),
    "a form without its token": (403, lambda _, stranger: _checked(stranger).post("/sign-in/")),
    "a right that one has not": (403, lambda agent, _: agent.get("/audit/")),
    "no such page": (404, lambda agent, _: agent.get("/nowhere/")),
    "a path without its slash": (301, lambda agent, _: agent.get("/account")),
    "a method that is not taken": (405, lambda agent, _: agent.delete("/account/")),
    "a form that is too long": (413, lambda agent, _: agent.post("/sign-out/", {"next": "x" * 1_100_000})),
    "a form with too many fields": (400, lambda _, stranger: stranger.post("/sign-in/", TOO_MANY)),
    "a mistake of ours": (500, lambda agent, _: agent.get("/reports/")),
}


def _checked(client: Client) -> Client:
    client.handler.enforce_csrf_checks = True
    return client


def check(response: HttpResponse, *, https: bool) -> None:
    for name, value in ALWAYS.items():
        assert response.headers[name] == value, name
    assert response.headers["Content-Security-Policy"].startswith(POLICY)
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert re.fullmatch(r"no-store|max-age=0, no-cache, no-store, must-revalidate, private|max-age=\d+(, public.*)?",
                        response.headers["Cache-Control"])  # fmt: skip
    assert ("Strict-Transport-Security" in response.headers) is https
    assert "Server" not in response.headers


@pytest.mark.django_db
@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize("what", REPLIES)
def test_every_reply_has_the_headers(
    what: str, https: bool, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = account("agent", "Exporter")
    monkeypatch.setattr("threads.web.views.reports.render", None)
    browser = Secure if https else Client
    with override_settings(**(HTTPS if https else {})):
        agent, stranger = browser(raise_request_exception=False), browser()
        agent.force_login(user)
        status, ask = REPLIES[what]
        response = ask(agent, stranger)
    assert response.status_code == status
    check(response, https=https)
    assert ("no-store" in response.headers["Cache-Control"]) is not response.streaming
    response.close()


@pytest.mark.django_db
def test_http_is_led_to_https_with_the_headers_and_a_bad_host_nowhere() -> None:
    with override_settings(**HTTPS):
        response = Client().get("/threads/")
        assert (response.status_code, response["Location"]) == (301, "https://testserver/threads/")
        check(response, https=False)  # type: ignore[arg-type]
        refused = Client().get("/threads/", headers={"Host": "evil.example"})
        assert refused.status_code == 400
        check(refused, https=False)  # type: ignore[arg-type]


@pytest.mark.django_db
@pytest.mark.parametrize("https", [False, True])
def test_cookies_are_as_strict_as_the_scheme_allows(https: bool) -> None:
    account("agent", "Viewer")
    with override_settings(**(HTTPS if https else {})):
        client = Client()
        client.get("/sign-in/", secure=https)
        client.post("/sign-in/", {"username": "agent", "password": PASSWORD}, secure=https)
        assert client.get("/account/", secure=https).status_code == 200
    names = {"__Host-session", "__Host-csrf"} if https else {"sessionid", "csrftoken"}
    assert set(client.cookies) == names
    for cookie in client.cookies.values():
        assert bool(cookie["secure"]) is https
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]


def test_with_https_the_settings_are_these(tmp_path: Path) -> None:
    program = "import django; django.setup(); from django.conf import settings; import sys; " + "".join(
        f"assert settings.{name} == {value!r}, settings.{name}; " for name, value in HTTPS.items()
    )
    done = _python(tmp_path, "-c", program, HTTPS="1")
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_nothing_takes_a_file(agent: Client, emulator: Emulator, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for address in ("/views/", "/account/password/", "/sign-in/"):
        files = {"file": SimpleUploadedFile("big.bin", b"x" * 900_000), "name": "a name"}
        assert agent.post(address, files).status_code == 400, address
    assert list(tmp_path.iterdir()) == []
    empty = {"file": SimpleUploadedFile("empty.bin", b""), "name": "a name"}
    assert agent.post("/views/", empty).status_code == 400
    assert agent.get("/account/").status_code == 200


@pytest.mark.django_db
def test_a_long_body_is_refused_before_it_is_read() -> None:
    class Body:
        def read(self, *_size: int) -> bytes:
            raise AssertionError("it was read")

        readline = read

    client = Client()
    unread: dict[str, Any] = {"wsgi.input": Body(), "CONTENT_LENGTH": str(10**12)}
    response = client.generic("POST", "/sign-in/", b"", **unread)
    assert response.status_code == 413
    for length in ("", "x", "-1"):
        assert client.generic("GET", "/sign-in/", b"", CONTENT_LENGTH=length).status_code == 200


SENT = [
    (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200, True),
    (b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999\r\n\r\n", 413, True),
    (b"GET /%00%ff/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400, True),
    # What the server can't read as a request it refuses itself, with none of our headers, and none of our words.
    (b"nonsense\r\n\r\n", 400, False),
    (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414, False),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: " + b"x" * 9000 + b"\r\n\r\n", 431, False),
    (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n", 400, False),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, False),
]
"""What is sent to a socket, the status that comes back, and whether it is from us."""


@pytest.mark.slow
def test_what_the_server_itself_answers(tmp_path: Path) -> None:
    with gunicorn(tmp_path) as port:
        for sent, status, ours in SENT:
            head, body = answer(port, sent)
            assert head.split(" ", 2)[1] == str(status), sent[:80]
            assert ("Content-Security-Policy" in head) is ours, sent[:80]
            assert "Traceback" not in body
            for name, value in ALWAYS.items() if ours else ():
                assert f"{name}: {value}" in head


def answer(port: int, sent: bytes) -> tuple[str, str]:
    got = b""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(sent)
        while b"\r\n\r\n" not in got and (part := connection.recv(65536)):
            got += part
    head, _, body = got.decode("latin-1").partition("\r\n\r\n")
    return head, body


@contextmanager
def gunicorn(data: Path) -> Iterator[int]:
    """The server on a port of its own, by our configuration, but that the static files are not gathered: they are only
    named."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    names = [path.name for path in (ROOT / "static").iterdir()] + ["django_htmx/htmx-2.min.js"]
    (data / "staticfiles.json").write_text(json.dumps({"version": "1.1", "paths": {name: name for name in names}}))
    ours = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    (data / "conf.py").write_text(ours + "\n\ndel on_starting, on_reload\n", encoding="utf-8")
    command = [sys.executable, "-m", "gunicorn", "-c", str(data / "conf.py"), "--chdir", str(ROOT), "dashboard.wsgi"]
    environment = _environment(data) | {"PORT": str(port), "STATIC_ROOT": str(data)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _environment(data: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(data)}


def _python(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    environment = _environment(data) | settings
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
