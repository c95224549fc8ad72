"""Single sign-on by OpenID Connect: creates accounts and sets their roles from the provider's groups.

Only available if OIDC_ISSUER is set. See docs/adr/0015.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from dataclasses import replace
from itertools import count
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET

from threads.audit.record import SYSTEM, Action, Outcome, acting_as, actor, record
from threads.lib.db import release_connections
from threads.roles import ROLES
from threads.web.error_page import problem_page
from threads.web.fetch_metadata import linkable

from . import backends, session_store
from .claims import read_groups, roles_by_group
from .models import Identity
from .sign_in import next_url

_ACTOR = f"{SYSTEM[:-1]}, single sign-on)"
"""The actor in the audit log for accounts and roles from single sign-on."""
_SIGN_IN_SECONDS = 15 * 60
"""Seconds that a sign-in at the provider may take."""
_STATES, _NEXT = "oidc_states", "oidc_login_next"
"""Session keys of mozilla-django-oidc: pending requests by state, and the address to return to."""
_MAX_NAME_LENGTH = 140
"""Length limit of a generated account name: Django allows 150, the rest is for a number."""

_log = logging.getLogger(__name__)


def check() -> None:
    """Checks the settings at startup. Raises `ImproperlyConfigured`."""
    if not settings.OIDC_ISSUER:
        return
    roles_by_group()
    try:
        from . import oidc  # noqa: F401, PLC0415  # an optional dependency
    except ImportError as error:
        raise ImproperlyConfigured(
            "OIDC_ISSUER needs the package mozilla-django-oidc: pip install -r requirements-all.txt."
        ) from error


@linkable
@login_not_required
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Redirects to the provider, which redirects back to `callback`."""
    if not settings.OIDC_ISSUER:
        raise Http404
    if request.user.is_authenticated:
        return HttpResponseRedirect(next_url(request, request.GET.get("next", "")))
    from . import oidc  # noqa: PLC0415

    try:
        response: HttpResponse = oidc.AuthorizationView.as_view()(request)
    except oidc.ProviderUnreachableError as error:
        return _unreachable(request, error)
    request.session.set_expiry(_SIGN_IN_SECONDS)
    return response


@linkable
@login_not_required
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Signs in with the code that the provider sent."""
    if not settings.OIDC_ISSUER:
        raise Http404
    from . import oidc  # noqa: PLC0415

    sent, url = _pop_request(request)
    if sent is None:
        text = "It started in another browser, or too long ago."
        return _refused(request, "nobody here asked for it", text)
    release_connections()  # the provider may be slow
    try:
        claims = oidc.ProviderBackend().fetch_claims(request, nonce=sent["nonce"], code_verifier=sent["code_verifier"])
    except oidc.ProviderUnreachableError as error:
        return _unreachable(request, error)
    except oidc.SignInRefusedError as refusal:
        return _refused(request, str(refusal), f"{_provider()} did not confirm who you are.")
    try:
        account = sync_account(claims)
    except IntegrityError:  # the first sign-in of a person, twice at once
        account = sync_account(claims)
    if account is None:
        return _refused(request, "account closed", "Ask an administrator.")
    for name in (_STATES, _NEXT):
        request.session.pop(name, None)
    login(request, account, backend=backends.BACKEND)
    return HttpResponseRedirect(next_url(request, url))


def _pop_request(request: HttpRequest) -> tuple[dict[str, Any] | None, str]:
    """The pending request of this `state`, which is used up, or None; and the address to return to."""
    key = request.session.session_key
    # Another process may have stored the request: bypass the cache.
    session_store.forget([key or ""])
    request.session = session = type(request.session)(key)
    states = dict(session.get(_STATES) or {})
    sent = states.pop(request.GET.get("state", ""), None)
    url = session.get(_NEXT) or ""
    if sent is not None:
        session[_STATES] = states
        session.save()
    return sent, url


def sync_account(claims: dict[str, Any]) -> User | None:
    """Finds or creates the account of an identity, and updates its name, address and roles. None if the account is
    closed.

    Only issuer and subject identify: a name or an e-mail address may belong to another account.
    """
    issuer, subject = claims["iss"], claims["sub"]
    with acting_as(replace(actor(), name=_ACTOR)), transaction.atomic():
        identity = Identity.objects.select_related("account").filter(issuer=issuer, subject=subject).first()
        if identity is not None and not identity.account.is_active:
            return None
        account = identity.account if identity is not None else _create_account(claims)
        if identity is None:
            Identity.objects.create(account=account, issuer=issuer, subject=subject)
        about = {
            "email": _verified_email(claims),
            "first_name": _text(claims, "given_name"),
            "last_name": _text(claims, "family_name"),
        }
        if any(getattr(account, name) != value for name, value in about.items()):
            for name, value in about.items():
                setattr(account, name, value)
            account.save(update_fields=list(about))
        _set_roles(account, claims)
    return account


def _create_account(claims: dict[str, Any]) -> User:
    """A new account with a unique name."""
    wanted = _text(claims, "preferred_username") or _verified_email(claims) or claims["sub"]
    name = re.sub(r"[^\w.@+-]", "", unicodedata.normalize("NFKC", wanted))[:_MAX_NAME_LENGTH] or "person"
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    taken = User.objects.filter
    return User.objects.create_user(
        next(each for each in names if each != backends.DEMO_USER and not taken(username=each).exists())
    )


def _set_roles(account: User, claims: dict[str, Any]) -> None:
    """Sets the account's roles by OIDC_ROLES; without it, administrators assign them."""
    mapping = roles_by_group()
    if not mapping:
        return
    wanted = set().union(*(mapping.get(group, set()) for group in read_groups(claims)))
    groups = {group.name: group for group in Group.objects.filter(name__in=[role.name for role in ROLES])}
    held = set(account.groups.values_list("name", flat=True)) & groups.keys()
    account.groups.remove(*(groups[name] for name in held - wanted))
    account.groups.add(*(groups[name] for name in wanted - held))


def _verified_email(claims: dict[str, Any]) -> str:
    email = _text(claims, "email", 254)
    if claims.get("email_verified") not in (True, "true"):  # may be of any type
        return ""
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email


def _text(claims: dict[str, Any], name: str, longest: int = 150) -> str:
    value = claims.get(name)
    return "".join(each for each in value if each.isprintable())[:longest] if isinstance(value, str) else ""


def _provider() -> str:
    return settings.OIDC_NAME[:1].upper() + settings.OIDC_NAME[1:]


def _refused(request: HttpRequest, reason: str, text: str) -> HttpResponse:
    record(Action.SIGN_IN, Outcome.REFUSED, detail={"by": "single sign-on", "reason": reason})
    return problem_page(request, 403, "You are not signed in", f"{text} Try again from the sign-in page.", again=True)


def _unreachable(request: HttpRequest, error: Exception) -> HttpResponse:
    _log.error("The identity provider can't be used: %s", error)
    text = f"{_provider()} can't be reached, or its answer is not valid. Try again in a moment."
    return problem_page(request, 503, "You are not signed in", text, again=True)
