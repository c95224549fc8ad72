"""Accounts with roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

PASSWORD = "a long enough one"


def account(name: str, *roles: str, **about: Any) -> User:
    """An account with these roles, and PASSWORD to sign in with where nothing else is said."""
    made = User.objects.create_user(name, **{"password": PASSWORD} | about)
    groups = Group.objects.filter(name__in=roles)
    assert len(groups) == len(roles), f"some of these are no roles: {roles}"
    made.groups.add(*groups)
    return made
