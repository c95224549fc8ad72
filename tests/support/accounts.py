"""Accounts of the desk, with roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

PASSWORD = "a long enough one"


def account(name: str, *roles: str, **about: Any) -> User:
    """Creates an account with these roles. Its password is PASSWORD unless `about` has another."""
    made = User.objects.create_user(name, **{"password": PASSWORD} | about)
    groups = Group.objects.filter(name__in=roles)
    assert len(groups) == len(roles), f"some of these are no roles: {roles}"
    made.groups.add(*groups)
    return made
