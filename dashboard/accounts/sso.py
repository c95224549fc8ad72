"""Signing in with the company's own accounts: who comes gets one here, and the roles that their groups stand for.

Nothing of this is there unless OIDC_ISSUER is set. See docs/adr/0015.
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

from threads.audit.record import SYSTEM, Action, Outcome, acting, actor, record
from threads.lib.db import give_back
from threads.roles import ROLES
from threads.web.error_page import problem
from threads.web.fetch_metadata import linked

from . import backends, sessions
from .claims import groups, roles
from .models import Identity
from .sign_in import onward

_BY = f"{SYSTEM[:-1]}, single sign-on)"
"""Who makes accounts and gives roles, in the trail."""
_AT_THE_PROVIDER = 15 * 60
"""Seconds that signing in there may take."""
_STATES, _NEXT = "oidc_states", "oidc_login_next"
"""Where the library keeps, in the session, what it has asked and where to go on."""
_NAME = 140
"""Characters of an account's name: 150 at the most, and some for a number behind it."""

_log = logging.getLogger(__name__)


def check() -> None:
    """Stops the start where what is set can't work. Raises `ImproperlyConfigured`."""
    if not settings.OIDC_ISSUER:
        return
    roles()
    try:
        from . import oidc  # noqa: F401, PLC0415  # an extra
    except ImportError as error:
        raise ImproperlyConfigured(
            "OIDC_ISSUER needs the package mozilla-django-oidc: pip install -r requirements-all.txt."
        ) from error


@linked
@login_not_required
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Sends the browser to the provider, which sends it back to `callback`."""
    if not settings.OIDC_ISSUER:
        raise Http404
    if request.user.is_authenticated:
        return HttpResponseRedirect(onward(request, request.GET.get("next", "")))
    from . import oidc  # noqa: PLC0415

    try:
        response: HttpResponse = oidc.Begin.as_view()(request)
    except oidc.UnreachableError as error:
        return _unreachable(request, error)
    request.session.set_expiry(_AT_THE_PROVIDER)
    return response


@linked
@login_not_required
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends the browser back to, with a code that says who is in front of it."""
    if not settings.OIDC_ISSUER:
        raise Http404
    from . import oidc  # noqa: PLC0415

    asked, url = _asked(request)
    if asked is None:
        text = "It was begun in another browser, or too long ago."
        return _refused(request, "nobody here asked for it", text)
    give_back()  # the provider may take its time
    try:
        claims = oidc.Provider().person(request, nonce=asked["nonce"], code_verifier=asked["code_verifier"])
    except oidc.UnreachableError as error:
        return _unreachable(request, error)
    except oidc.RefusedError as refusal:
        return _refused(request, str(refusal), f"{_provider()} did not confirm who you are.")
    try:
        account = account_of(claims)
    except IntegrityError:  # the same person, twice at once, for the first time
        account = account_of(claims)
    if account is None:
        return _refused(request, "account closed", "Ask an administrator.")
    for name in (_STATES, _NEXT):
        request.session.pop(name, None)
    login(request, account, backend=backends.ACCOUNTS)
    return HttpResponseRedirect(onward(request, url))


def _asked(request: HttpRequest) -> tuple[dict[str, Any] | None, str]:
    """What was asked of the provider, which can be answered once; and where to go afterwards."""
    key = request.session.session_key
    # Another process may have sent the browser off.
    sessions.forget([key or ""])
    request.session = session = type(request.session)(key)
    states = dict(session.get(_STATES) or {})
    asked = states.pop(request.GET.get("state", ""), None)
    url = session.get(_NEXT) or ""
    if asked is not None:
        session[_STATES] = states
        session.save()
    return asked, url


def account_of(claims: dict[str, Any]) -> User | None:
    """The account of who the provider says it is, with the roles and the address that it has there now; None where the
    account is closed. The provider and its id for the person decide: never a name or an e-mail address, which an
    account of this desk may have too."""
    issuer, subject = claims["iss"], claims["sub"]
    with acting(replace(actor(), name=_BY)), transaction.atomic():
        known = Identity.objects.select_related("account").filter(issuer=issuer, subject=subject).first()
        if known is not None and not known.account.is_active:
            return None
        account = known.account if known is not None else _made(claims)
        if known is None:
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


def _made(claims: dict[str, Any]) -> User:
    """A new account, of a name that no other has."""
    wanted = _text(claims, "preferred_username") or _verified_email(claims) or claims["sub"]
    name = re.sub(r"[^\w.@+-]", "", unicodedata.normalize("NFKC", wanted))[:_NAME] or "person"
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    taken = User.objects.filter
    return User.objects.create_user(
        next(each for each in names if each != backends.DEMO_USER and not taken(username=each).exists())
    )


def _set_roles(account: User, claims: dict[str, Any]) -> None:
    """Gives and takes the roles there are; where OIDC_ROLES names none, administrators give them."""
    meant = roles()
    if not meant:
        return
    wanted = set().union(*(meant.get(group, set()) for group in groups(claims)))
    ours = {group.name: group for group in Group.objects.filter(name__in=[role.name for role in ROLES])}
    held = set(account.groups.values_list("name", flat=True)) & ours.keys()
    account.groups.remove(*(ours[name] for name in held - wanted))
    account.groups.add(*(ours[name] for name in wanted - held))


def _verified_email(claims: dict[str, Any]) -> str:
    email = _text(claims, "email", 254)
    if claims.get("email_verified") not in (True, "true"):  # it may be anything, a list too
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
    return problem(request, 403, "You are not signed in", f"{text} Try again from the sign-in page.", again=True)


def _unreachable(request: HttpRequest, error: Exception) -> HttpResponse:
    _log.error("The identity provider can't be used: %s", error)
    text = f"{_provider()} does not answer, or not as it should. Trying again in a moment may help."
    return problem(request, 503, "You are not signed in", text, again=True)
