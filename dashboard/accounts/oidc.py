"""Speaks OpenID Connect with the company's identity provider, by mozilla-django-oidc: loaded only where there is one.

The library makes state, nonce and PKCE, exchanges the code and fetches the keys. What it leaves open is closed here:
the ID token has to be for this desk, from that provider, in time, and signed with RS256 and nothing else.
"""

from __future__ import annotations

import json
import urllib.request
from http.client import HTTPException
from typing import Any

import jwt
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationRequestView

from threads.lib.ttl_cache import Remembered

_PATIENCE = 10
"""Seconds that one answer of the provider may keep us waiting."""
_LONGEST = 1024 * 1024
_LEEWAY = 60
"""Seconds by which the provider's clock and ours may differ."""
_LONGEST_ID = 255
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")

Claims = dict[str, Any]

_known: Remembered[dict[str, Any]] = Remembered(3600)


class UnreachableError(Exception):
    """The provider does not answer, or not with what it should."""


class RefusedError(Exception):
    """Somebody is not who they would have to be. The text is for the trail, and holds nothing of what was sent."""


def setting(name: str, *default: Any) -> Any:
    """What the library asks for. Raises `UnreachableError`."""
    told = discovered()
    methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    values = {
        "OIDC_OP_AUTHORIZATION_ENDPOINT": told["authorization_endpoint"],
        "OIDC_OP_TOKEN_ENDPOINT": told["token_endpoint"],
        "OIDC_OP_JWKS_ENDPOINT": told["jwks_uri"],
        "OIDC_OP_USER_ENDPOINT": told.get("userinfo_endpoint", ""),
        "OIDC_RP_CLIENT_ID": settings.OIDC_CLIENT_ID,
        "OIDC_RP_CLIENT_SECRET": settings.OIDC_CLIENT_SECRET,
        "OIDC_RP_SCOPES": settings.OIDC_SCOPES,
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_USE_NONCE": True,
        "OIDC_USE_PKCE": True,
        "OIDC_TOKEN_USE_BASIC_AUTH": "client_secret_post" not in methods,
        "OIDC_TIMEOUT": _PATIENCE,
        "OIDC_AUTHENTICATION_CALLBACK_URL": "sso-callback",
    }
    return values.get(name, default[0] if default else None)


def discovered() -> dict[str, Any]:
    """What the provider says of itself, an hour old at the most. Raises `UnreachableError`."""
    issuer = settings.OIDC_ISSUER or ""
    known = _known.get(issuer)
    if known is None:
        known = _discover(issuer)
        _known.put(issuer, known)
    return known


def _discover(issuer: str) -> dict[str, Any]:
    address = f"{issuer}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE) as reply:  # noqa: S310  # the settings check the scheme
            told = json.loads(reply.read(_LONGEST))
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise UnreachableError(f"{address}: {type(error).__name__}") from error
    if not isinstance(told, dict) or str(told.get("issuer")).rstrip("/") != issuer:
        raise UnreachableError(f"{address} is not about OIDC_ISSUER")
    scheme = issuer.partition(":")[0]
    for name in (*_NEEDED, "userinfo_endpoint"):
        if (name in told or name in _NEEDED) and not str(told.get(name)).startswith(f"{scheme}://"):
            raise UnreachableError(f"{address} has no {name} that begins with {scheme}://")
    return told


class _Ours:
    @staticmethod
    def get_settings(name: str, *default: Any) -> Any:
        return setting(name, *default)


class Begin(_Ours, OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Sends the browser to the provider. Raises `UnreachableError`."""


class Provider(_Ours, OIDCAuthenticationBackend):  # type: ignore[misc]
    """Finds out who came back from the provider. Raises `UnreachableError`."""

    def person(self, request: HttpRequest, *, nonce: str, code_verifier: str) -> Claims:
        """What the provider says of who sent the code. Raises `UnreachableError` and `RefusedError`."""
        if request.GET.get("iss", discovered()["issuer"]) != discovered()["issuer"]:
            raise RefusedError("it comes from another provider")
        if "error" in request.GET or not request.GET.get("code"):
            raise RefusedError("the provider did not let them in")
        try:
            claims: Claims | None = self.authenticate(request, nonce=nonce, code_verifier=code_verifier)
        except OSError as error:  # as those of the library below are
            status = getattr(getattr(error, "response", None), "status_code", 500)
            if status < 500:
                raise RefusedError("the provider takes the code for none of its own") from error
            raise UnreachableError(type(error).__name__) from error
        except jwt.ExpiredSignatureError as error:
            raise RefusedError("the ID token has expired") from error
        except (SuspiciousOperation, jwt.PyJWTError) as error:
            raise RefusedError("the ID token is not valid") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RefusedError("the provider's answer has another form than it should") from error
        if not claims:
            raise RefusedError("the ID token says nothing")
        return claims

    def get_payload_data(self, token: str, key: Any) -> Claims:
        claims: Claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=settings.OIDC_CLIENT_ID,
            issuer=discovered()["issuer"],
            leeway=_LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
        if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
            raise SuspiciousOperation("The ID token is for somebody else")
        if not 0 < len(claims["sub"]) <= _LONGEST_ID or not claims["sub"].isprintable():
            raise SuspiciousOperation("The ID token names nobody")
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: Claims) -> Claims:
        """With what the provider tells beside the ID token, which counts for more. The account is made elsewhere."""
        if not self.OIDC_OP_USER_ENDPOINT:
            return payload
        told: Claims = self.get_userinfo(access_token, id_token, payload)
        if told["sub"] != payload["sub"]:
            raise ValueError
        return told | payload
