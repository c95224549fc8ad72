"""A small OpenID Connect provider on this machine, which signs in the person it is given, and fails as it is told.

It checks the client's secret, PKCE, the redirect address, and that a code is used once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT, SECRET = "threadkeeper", "a secret between the desk and the provider"


@cache
def key(number: int) -> rsa.RSAPrivateKey:
    """A signing key; number 0 is the provider's own."""
    return rsa.generate_private_key(65537, 2048)


def signed(claims: dict[str, Any], *, by: int = 0, algorithm: str = "RS256") -> str:
    if algorithm == "none":
        return jwt.encode(claims, "", "none", headers={"kid": "one"})
    if algorithm == "HS256":  # the public key, which everybody has, taken for a secret
        public = key(0).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        token = jwt.encode(claims, "x" * 32, "HS256", headers={"kid": "one"}).rpartition(".")[0]
        return f"{token}.{_base64(hmac.digest(public, token.encode(), 'sha256'))}"
    return jwt.encode(claims, key(by), algorithm, headers={"kid": "one"})


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _jwk() -> dict[str, Any]:
    made = jwt.algorithms.RSAAlgorithm.to_jwk(key(0).public_key(), as_dict=True)
    return made | {"kid": "one", "use": "sig", "alg": "RS256"}


class Provider:
    """`person` has the claims of the user who signs in. For faults, `claims` replaces claims of the ID token (None
    leaves one out), `how` says how it is signed, and `userinfo` replaces the reply of /userinfo."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.person: dict[str, Any] = {"sub": "u-1", "preferred_username": "ada", "groups": ["support"]}
        self.claims: dict[str, Any] = {}
        self.how: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.error = ""
        self.down = False
        self.asked: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}

    def get(self, path: str, query: dict[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            told = {"issuer": self.url, "token_endpoint_auth_methods_supported": ["client_secret_basic"]}
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            names |= {"userinfo_endpoint": "userinfo"}
            return 200, told | {name: f"{self.url}/{path}" for name, path in names.items()} | self.metadata
        if path == "/authorize":
            return 302, self._authorize(query)
        if path == "/keys":
            return 200, {"keys": [_jwk()]}
        if path == "/userinfo" and authorization == "Bearer access":
            return 200, self.person | self.userinfo
        return 404, {}

    def _authorize(self, query: dict[str, str]) -> str:
        self.asked.append(query)
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        if self.error:
            back = {"error": self.error, "state": query["state"]}
        else:
            code = uuid.uuid4().hex
            self._codes[code] = query
            back = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self._codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or authorization != f"Basic {wanted}"
            or form["redirect_uri"] != asked["redirect_uri"]
            or _base64(verifier) != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        right = {"iss": self.url, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"]}
        claims = {name: value for name, value in (right | self.person | self.claims).items() if value is not None}
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": signed(claims, **self.how)}


@contextmanager
def provider() -> Iterator[Provider]:
    """Runs a provider on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._send(*made.get(parts.path, _flat(parts.query), self.headers.get("Authorization", "")))

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(*made.token(_flat(form), self.headers.get("Authorization", "")))

        def _send(self, status: int, body: Any) -> None:
            self.send_response(503 if made.down else status)
            if status == 302:
                self.send_header("Location", body)
            content = b"" if status == 302 else json.dumps(body).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: Any) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
