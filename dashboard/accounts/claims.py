"""Roles from single sign-on: maps the groups in the OIDC_ROLES_CLAIM claim to roles by OIDC_ROLES."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from threads.roles import ROLES

from .models import RolesClaim

Claims = dict[str, Any]

CLAIM_MISSING, CLAIM_NOT_A_LIST = "is not there", "is neither a text nor a list"
_MAX_NAMES, _MAX_NAME_LENGTH = 40, 60

_log = logging.getLogger(__name__)


def roles_by_group() -> dict[str, set[str]]:
    """OIDC_ROLES as a mapping of provider group to role names. Raises `ImproperlyConfigured`."""
    found: dict[str, set[str]] = {}
    for group, given in _pairs(settings.OIDC_ROLES.strip()):
        if not group or not given <= {role.name for role in ROLES}:
            raise ImproperlyConfigured(
                f"OIDC_ROLES has {group!r} with {'+'.join(sorted(given))!r}; it takes parts such as support=Viewer or "
                "privacy=Eraser+Exporter, between commas, or a JSON object, which groups with a comma in their name "
                f'need: {{"CN=Support,OU=Groups": "Viewer"}}. The roles are {", ".join(role.name for role in ROLES)}.'
            )
        found.setdefault(group, set()).update(given)
    return found


def read_groups(claims: Claims) -> list[str]:
    """The groups in the OIDC_ROLES_CLAIM claim. If it can't be read, logs and stores the names of the claims, without
    values, for `doctor`, and returns none."""
    name = settings.OIDC_ROLES_CLAIM
    found, value = _find_claim(claims, name)
    problem = CLAIM_MISSING if not found else "" if isinstance(value, str | list) else CLAIM_NOT_A_LIST
    names = list(_printable(_claim_names(claims))) if problem else []
    RolesClaim.objects.update_or_create(
        pk=1, defaults={"claim": name, "problem": problem, "names": names, "at": timezone.now()}
    )
    if problem:
        _log.warning(
            "Single sign-on: the claim %s %s, so it gives no role. The claims are: %s", name, problem, ", ".join(names)
        )
        return []
    return [value] if isinstance(value, str) else [str(each) for each in value]


def _pairs(value: str) -> Iterator[tuple[str, set[str]]]:
    """Pairs of group and role names, from a JSON object or comma-separated parts."""
    if not value.startswith("{"):
        for each in filter(None, (part.strip() for part in value.split(","))):
            group, _, named = each.rpartition("=")
            yield group.strip(), _role_names(named)
        return
    try:
        pairs = json.loads(value, object_pairs_hook=list)
    except ValueError as error:
        raise ImproperlyConfigured(f"OIDC_ROLES begins with {{ and is no JSON object: {error}.") from error
    for group, given in pairs:
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise ImproperlyConfigured(f"OIDC_ROLES has no role, and no list of roles, for {group!r}.")
        yield group.strip(), set().union(*map(_role_names, texts)) or {""}


def _role_names(text: str) -> set[str]:
    return {name.strip() for name in text.split("+")}


def _find_claim(claims: Claims, name: str) -> tuple[bool, Any]:
    """Whether the claim exists, and its value. Tries the whole name first, since names may contain dots
    (`https://example.com/roles`), then a dotted path (`realm_access.roles`)."""
    if name in claims:
        return True, claims[name]
    for place, sign in enumerate(name):
        inner = claims.get(name[:place]) if sign == "." else None
        if isinstance(inner, dict):
            found = _find_claim(inner, name[place + 1 :])
            if found[0]:
                return found
    return False, None


def _claim_names(claims: Claims) -> Iterator[str]:
    for name, value in claims.items():
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value)


def _printable(names: Iterator[str]) -> Iterator[str]:
    for name in islice(names, _MAX_NAMES):
        shown = "".join(each if each.isprintable() else "?" for each in name)
        yield shown if len(shown) <= _MAX_NAME_LENGTH else f"{shown[:_MAX_NAME_LENGTH]}…"
    if more := sum(1 for _ in names):
        yield f"and {more} more"
