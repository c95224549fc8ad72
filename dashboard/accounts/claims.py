"""Roles by single sign-on: which groups OIDC_ROLES maps to which roles, and the groups that a sign-in brings."""

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

NOT_THERE, NO_LIST = "is not there", "is neither a text nor a list"
_MOST_NAMES, _LONGEST_NAME = 40, 60

_log = logging.getLogger(__name__)


def roles() -> dict[str, set[str]]:
    """The roles that each group of the provider stands for. Raises `ImproperlyConfigured`."""
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


def groups(claims: Claims) -> list[str]:
    """The groups in OIDC_ROLES_CLAIM. Where there are none to be had, the log and `doctor` say so, with the names of
    the claims that are there, and no value."""
    name = settings.OIDC_ROLES_CLAIM
    there, told = _claim(claims, name)
    problem = NOT_THERE if not there else "" if isinstance(told, str | list) else NO_LIST
    names = list(_shown(_names(claims))) if problem else []
    RolesClaim.objects.update_or_create(
        pk=1, defaults={"claim": name, "problem": problem, "names": names, "at": timezone.now()}
    )
    if problem:
        _log.warning(
            "Single sign-on: the claim %s %s, so it gives no role. The claims are: %s", name, problem, ", ".join(names)
        )
        return []
    return [told] if isinstance(told, str) else [str(each) for each in told]


def _pairs(value: str) -> Iterator[tuple[str, set[str]]]:
    """Groups with the names of their roles, as they are set: a JSON object, or parts between commas."""
    if not value.startswith("{"):
        for each in filter(None, (part.strip() for part in value.split(","))):
            group, _, named = each.rpartition("=")
            yield group.strip(), _named(named)
        return
    try:
        pairs = json.loads(value, object_pairs_hook=list)
    except ValueError as error:
        raise ImproperlyConfigured(f"OIDC_ROLES begins with {{ and is no JSON object: {error}.") from error
    for group, given in pairs:
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise ImproperlyConfigured(f"OIDC_ROLES has no role, and no list of roles, for {group!r}.")
        yield group.strip(), set().union(*map(_named, texts)) or {""}


def _named(text: str) -> set[str]:
    return {name.strip() for name in text.split("+")}


def _claim(claims: Claims, name: str) -> tuple[bool, Any]:
    """Whether there is a claim of this name, and its value: one of the very name first, for names have dots in them
    (`https://example.com/roles`), else a path of names with dots between (`realm_access.roles`)."""
    if name in claims:
        return True, claims[name]
    for place, sign in enumerate(name):
        inner = claims.get(name[:place]) if sign == "." else None
        if isinstance(inner, dict):
            found = _claim(inner, name[place + 1 :])
            if found[0]:
                return found
    return False, None


def _names(claims: Claims) -> Iterator[str]:
    for name, value in claims.items():
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value)


def _shown(names: Iterator[str]) -> Iterator[str]:
    for name in islice(names, _MOST_NAMES):
        shown = "".join(each if each.isprintable() else "?" for each in name)
        yield shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…"
    if more := sum(1 for _ in names):
        yield f"and {more} more"
