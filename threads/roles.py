"""Who may do what. A right is one of Django's permissions; a role is a group of Django's that holds some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

ViewT = TypeVar("ViewT", bound=Callable[..., Any])


class Right(StrEnum):
    """What an account may do: the names by which Django knows the permissions."""

    READ = "threads.read"
    EXPORT = "threads.export"
    ERASE = "threads.erase"
    IDENTIFY = "threads.identify"
    AUDIT = "threads.audit"
    SYNC = "archive.sync"
    ADMINISTER = "auth.change_user"


@dataclass(frozen=True, slots=True)
class Role:
    """`words` say what who has it may do, for the page on which roles are given."""

    name: str
    words: str
    rights: tuple[str, ...]


_ACCOUNTS = ("auth.view_user", "auth.add_user", "auth.change_user", "auth.delete_user", "auth.view_group")

ROLES = (
    Role("Viewer", "Finds and reads threads. Sees user ids shortened where that is switched on.", (Right.READ,)),
    Role(
        "Exporter",
        "Finds and reads threads, and downloads them: one, a filtered list, or all of a user.",
        (Right.READ, Right.IDENTIFY, Right.EXPORT),
    ),
    Role(
        "Eraser",
        "Finds and reads threads, and deletes them for good: one, several, or all of a user.",
        (Right.READ, Right.IDENTIFY, Right.ERASE),
    ),
    Role("Auditor", "Reads the audit trail: who saw, exported or erased what.", (Right.AUDIT, Right.IDENTIFY)),
    Role(
        "Administrator",
        "Does all of the above, gives and takes away accounts and roles, and starts the copying of the archive.",
        (*Right, *(each for each in _ACCOUNTS if each != Right.ADMINISTER)),
    ),
)
"""The roles there are. What a role may do is settled here: each migration sets the groups of these names to it."""


def needs(right: Right, *others: Right) -> Callable[[ViewT], ViewT]:
    """Marks a view as one for accounts that have one of these rights. `dashboard.middleware.Allowed` sees to it, and
    lets nobody in where a view says nothing."""

    def mark(view: ViewT) -> ViewT:
        view.rights = (right, *others)  # type: ignore[attr-defined]
        return view

    return mark


def for_everybody(view: ViewT) -> ViewT:
    """Marks a view as one for whoever is signed in, with or without a role."""
    view.rights = ()  # type: ignore[attr-defined]
    return view


def demand(request: HttpRequest, right: Right) -> None:
    """For a view of which a part needs more than the rest. Raises `PermissionDenied`."""
    if not request.user.has_perm(right):
        raise PermissionDenied


def may_now(key: int | str, right: Right) -> bool:
    """Whether an account has a right at this moment: for a job, whose account may have changed since it was asked for.
    Takes the account's primary key. Requests have `dashboard.accounts.fresh_rights`."""
    found = User.objects.filter(pk=key).first()
    # ModelBackend keeps what it found on the account, so the account is a new one.
    return found is not None and found.has_perm(right)


def names(user: User | AnonymousUser) -> list[str]:
    """The roles of an account, in the order of `ROLES`."""
    held = set(user.groups.values_list("name", flat=True))
    return [role.name for role in ROLES if role.name in held]


def make(**_signal: Any) -> None:
    """Makes the groups of `ROLES`, and sets what they may do. After each migration, when all permissions are there."""
    from django.contrib.auth.models import Group, Permission  # noqa: PLC0415

    known = {f"{each.content_type.app_label}.{each.codename}": each for each in _permissions(Permission)}
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role.name)
        group.permissions.set([known[str(right)] for right in role.rights])


def _permissions(model: Any) -> list[Any]:
    labels = {right.partition(".")[0] for role in ROLES for right in role.rights}
    return list(model.objects.filter(content_type__app_label__in=labels).select_related("content_type"))


def last_application() -> Any:
    """The one that Django tells last that the migrations are through: it tells those that have models."""
    return [each for each in apps.get_app_configs() if each.models_module is not None][-1]


def account(request: HttpRequest) -> User:
    """Who asks, in a view that nobody reaches without having signed in."""
    return cast(User, request.user)
