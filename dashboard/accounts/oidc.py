"""OpenID Connect client on top of mozilla-django-oidc. Imported only if OIDC_ISSUER is set.

The library handles state, nonce, PKCE, the code exchange and the keys. This module adds the checks it lacks: the ID
token must be for this client, from this issuer, within its time, and signed with RS256.
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

from threads.lib.ttl_cache import TTLCache

_TIMEOUT_SECONDS = 10
"""Seconds for one answer of the provider."""
_MAX_METADATA_BYTES = 1024 * 1024
_LEEWAY_SECONDS = 60
"""Tolerated difference between the provider's clock and ours."""
_MAX_SUBJECT_LENGTH = 255
_REQUIRED_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

Claims = dict[str, Any]

_metadata: TTLCache[dict[str, Any]] = TTLCache(3600)
"""The discovery document by issuer, for an hour."""


class ProviderUnreachableError(Exception):
    """The provider does not answer, or its answer is unusable."""


class SignInRefusedError(Exception):
    """The sign-in is not confirmed. The text goes to the audit log and contains nothing that was received."""


def library_setting(name: str, *default: Any) -> Any:
    """The value of one of mozilla-django-oidc's settings. Raises `ProviderUnreachableError`."""
    metadata = provider_metadata()
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    values = {
        "OIDC_OP_AUTHORIZATION_ENDPOINT": metadata["authorization_endpoint"],
        "OIDC_OP_TOKEN_ENDPOINT": metadata["token_endpoint"],
        "OIDC_OP_JWKS_ENDPOINT": metadata["jwks_uri"],
        "OIDC_OP_USER_ENDPOINT": metadata.get("userinfo_endpoint", ""),
        "OIDC_RP_CLIENT_ID": settings.OIDC_CLIENT_ID,
        "OIDC_RP_CLIENT_SECRET": settings.OIDC_CLIENT_SECRET,
        "OIDC_RP_SCOPES": settings.OIDC_SCOPES,
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_USE_NONCE": True,
        "OIDC_USE_PKCE": True,
        "OIDC_TOKEN_USE_BASIC_AUTH": "client_secret_post" not in methods,
        "OIDC_TIMEOUT": _TIMEOUT_SECONDS,
        "OIDC_AUTHENTICATION_CALLBACK_URL": "sso-callback",
    }
    return values.get(name, default[0] if default else None)


def provider_metadata() -> dict[str, Any]:
    """The provider's discovery document, cached for an hour. Raises `ProviderUnreachableError`."""
    issuer = settings.OIDC_ISSUER or ""
    metadata = _metadata.get(issuer)
    if metadata is None:
        metadata = _fetch_metadata(issuer)
        _metadata.put(issuer, metadata)
    return metadata


def _fetch_metadata(issuer: str) -> dict[str, Any]:
    address = f"{issuer}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as reply:  # noqa: S310  # the settings check the scheme
            metadata = json.loads(reply.read(_MAX_METADATA_BYTES))
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise ProviderUnreachableError(f"{address}: {type(error).__name__}") from error
    if not isinstance(metadata, dict) or str(metadata.get("issuer")).rstrip("/") != issuer:
        raise ProviderUnreachableError(f"{address} is not about OIDC_ISSUER")
    scheme = issuer.partition(":")[0]
    for name in (*_REQUIRED_ENDPOINTS, "userinfo_endpoint"):
        if (name in metadata or name in _REQUIRED_ENDPOINTS) and not str(metadata.get(name)).startswith(f"{scheme}://"):
            raise ProviderUnreachableError(f"{address} has no {name} that begins with {scheme}://")
    return metadata


class _DeskSettings:
    @staticmethod
    def get_settings(name: str, *default: Any) -> Any:
        return library_setting(name, *default)


class AuthorizationView(_DeskSettings, OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Redirects the browser to the provider. Raises `ProviderUnreachableError`."""


class ProviderBackend(_DeskSettings, OIDCAuthenticationBackend):  # type: ignore[misc]
    """Exchanges the code for verified claims."""

    def fetch_claims(self, request: HttpRequest, *, nonce: str, code_verifier: str) -> Claims:
        """The claims of the person who signed in. Raises `ProviderUnreachableError` and `SignInRefusedError`."""
        if request.GET.get("iss", provider_metadata()["issuer"]) != provider_metadata()["issuer"]:
            raise SignInRefusedError("it comes from another provider")
        if "error" in request.GET or not request.GET.get("code"):
            raise SignInRefusedError("the provider did not let them in")
        try:
            claims: Claims | None = self.authenticate(request, nonce=nonce, code_verifier=code_verifier)
        except OSError as error:  # errors of requests are OSErrors
            status = getattr(getattr(error, "response", None), "status_code", 500)
            if status < 500:
                raise SignInRefusedError("the provider takes the code for none of its own") from error
            raise ProviderUnreachableError(type(error).__name__) from error
        except jwt.ExpiredSignatureError as error:
            raise SignInRefusedError("the ID token has expired") from error
        except (SuspiciousOperation, jwt.PyJWTError) as error:
            raise SignInRefusedError("the ID token is not valid") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SignInRefusedError("the provider's answer has another form than it should") from error
        if not claims:
            raise SignInRefusedError("the ID token says nothing")
        return claims

    def get_payload_data(self, token: str, key: Any) -> Claims:
        claims: Claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=settings.OIDC_CLIENT_ID,
            issuer=provider_metadata()["issuer"],
            leeway=_LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
        if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
            raise SuspiciousOperation("The ID token is for somebody else")
        if not 0 < len(claims["sub"]) <= _MAX_SUBJECT_LENGTH or not claims["sub"].isprintable():
            raise SuspiciousOperation("The ID token names nobody")
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: Claims) -> Claims:
        """The claims of the ID token, completed by those of the userinfo endpoint. Creates no account:
        `sso.sync_account` does."""
        if not self.OIDC_OP_USER_ENDPOINT:
            return payload
        userinfo: Claims = self.get_userinfo(access_token, id_token, payload)
        if userinfo["sub"] != payload["sub"]:
            raise ValueError
        return userinfo | payload
