"""Rights and roles of accounts. A right is a Django permission; a role is a Django group with some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied

ViewT = TypeVar("ViewT", bound=Callable[..., Any])


class Right(StrEnum):
    """What an account may do, by the names of Django's permissions."""

    READ = "threads.read"
    EXPORT = "threads.export"
    ERASE = "threads.erase"
    IDENTIFY = "threads.identify"
    AUDIT = "threads.audit"
    SYNC = "archive.sync"
    ADMINISTER = "auth.change_user"


class MissingRightError(PermissionDenied):
    """The account has none of the rights that are needed."""

    def __init__(self, *rights: Right) -> None:
        super().__init__()
        self.rights = rights


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of rights. `words` describes it on the page where administrators assign roles."""

    name: str
    words: str
    rights: tuple[str, ...]


_ACCOUNTS = ("auth.view_user", "auth.add_user", "auth.change_user", "auth.delete_user", "auth.view_group")

ROLES = (
    Role("Viewer", "Finds and reads threads. Ids of customers are shortened where that is switched on.", (Right.READ,)),
    Role(
        "Exporter",
        "Finds and reads threads, and exports them: one, a filtered list, or all of a customer.",
        (Right.READ, Right.IDENTIFY, Right.EXPORT),
    ),
    Role(
        "Eraser",
        "Finds and reads threads, and erases them permanently: one, several, or all of a customer.",
        (Right.READ, Right.IDENTIFY, Right.ERASE),
    ),
    Role("Auditor", "Reads the audit log: who saw, exported or erased what.", (Right.AUDIT, Right.IDENTIFY)),
    Role(
        "Administrator",
        "Does all of the above, manages accounts and roles, and starts a sync.",
        (*Right, *(each for each in _ACCOUNTS if each != Right.ADMINISTER)),
    ),
)
"""All roles. After each `migrate`, the groups of these names are set to these rights."""


def needs(right: Right, *others: Right) -> Callable[[ViewT], ViewT]:
    """Marks a view as open to accounts with one of these rights. `dashboard.accounts.middleware` enforces it, and
    refuses everybody if a view has no mark."""

    def decorate(view: ViewT) -> ViewT:
        view.rights = (right, *others)  # type: ignore[attr-defined]
        return view

    return decorate


def for_every_account(view: ViewT) -> ViewT:
    """Marks a view as open to every signed-in account, with or without a role."""
    view.rights = ()  # type: ignore[attr-defined]
    return view


def has_right_now(key: int | str, right: Right) -> bool:
    """Whether the account with this primary key has a right now: for background jobs, since an account may lose a right
    after it starts one. Requests have `dashboard.accounts.fresh_rights`."""
    found = User.objects.filter(pk=key).first()
    # ModelBackend caches permissions on the object, so it is loaded anew.
    return found is not None and found.has_perm(right)


def least_roles(rights: Iterable[str]) -> list[str]:
    """For each of these rights the first role that has it."""
    return list(dict.fromkeys(next(role.name for role in ROLES if right in role.rights) for right in rights))


def role_names(user: User | AnonymousUser) -> list[str]:
    """The names of an account's roles, in the order of `ROLES`."""
    held = set(user.groups.values_list("name", flat=True))
    return [role.name for role in ROLES if role.name in held]


def create_roles(**_signal: Any) -> None:
    """Creates the groups of `ROLES` and sets their rights. Receives `post_migrate`, when all permissions exist."""
    from django.contrib.auth.models import Group, Permission  # noqa: PLC0415

    known = {f"{each.content_type.app_label}.{each.codename}": each for each in _permissions(Permission)}
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role.name)
        group.permissions.set([known[str(right)] for right in role.rights])


def _permissions(model: Any) -> list[Any]:
    labels = {right.partition(".")[0] for role in ROLES for right in role.rights}
    return list(model.objects.filter(content_type__app_label__in=labels).select_related("content_type"))


def last_migrated_app() -> Any:
    """The application that gets `post_migrate` last: Django sends it to each application with models, in order."""
    return [each for each in apps.get_app_configs() if each.models_module is not None][-1]
