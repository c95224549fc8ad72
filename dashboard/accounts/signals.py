"""Audit events of accounts: sign-in, sign-out, changes of accounts, roles and rights, from Django's signals.

A change that can't be recorded is not made: inside a transaction a failed insert would undo it silently anyway.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.http import HttpRequest

from threads.audit.record import Action, Actor, Outcome, acting_as, actor, record, record_or_raise

from . import lockouts

_RECORDED_FIELDS = ("username", "is_active", "is_superuser", "is_staff", "email")


@receiver(user_logged_in)
def _signed_in(request: HttpRequest | None, user: User, **_signal: Any) -> None:
    with acting_as(_actor(user)):
        record(Action.SIGN_IN)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest | None, user: User | None, **_signal: Any) -> None:
    if user is not None:
        with acting_as(_actor(user)):
            record(Action.SIGN_OUT)


@receiver(user_login_failed)
def _sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any) -> None:
    """Records the typed name only if an account has it: otherwise it may be a password in the wrong field. Attempts
    refused by a lock are counted by `lockouts`."""
    typed = str(credentials.get("username") or "")
    account = User.objects.filter(username=typed).first() if "\0" not in typed else None
    named = account.username if account else "(no such account)"
    if request is None or not lockouts.record_refused_attempt(request, credentials, named):
        record(Action.SIGN_IN, Outcome.REFUSED, detail={"account": named})


@receiver(pre_save, sender=User)
def _remember_previous(instance: User, **_signal: Any) -> None:
    previous = User.objects.filter(pk=instance.pk).first() if instance.pk else None
    instance._previous = previous  # type: ignore[attr-defined]  # noqa: SLF001


@receiver(post_save, sender=User)
def _account_saved(instance: User, created: bool, raw: bool, **_signal: Any) -> None:
    previous: User | None = getattr(instance, "_previous", None)
    if created or previous is None:
        record_or_raise(Action.ACCOUNT, Outcome.DONE, detail={"account": instance.username, "change": "made"})
        return
    changed = {
        name: [getattr(previous, name), getattr(instance, name)]
        for name in _RECORDED_FIELDS
        if getattr(previous, name) != getattr(instance, name)
    }
    if previous.password != instance.password:
        changed["password"] = ["…", "changed"]
    if changed:
        record_or_raise(
            Action.ACCOUNT, Outcome.DONE, detail={"account": instance.username, "change": "changed", "fields": changed}
        )


@receiver(post_delete, sender=User)
def _account_deleted(instance: User, **_signal: Any) -> None:
    record_or_raise(Action.ACCOUNT, Outcome.DONE, detail={"account": instance.username, "change": "deleted"})


_CHANGES = {"post_add": "given", "post_remove": "taken", "pre_clear": "all taken"}


@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=User.user_permissions.through)
def _roles_changed(
    instance: Any, action: str, pk_set: set[Any] | None, model: Any, reverse: bool, **_signal: Any
) -> None:
    """Handles both directions of the relation: roles of an account, and accounts of a role."""
    if action not in _CHANGES or (action != "pre_clear" and not pk_set):
        return
    if pk_set:
        others = [str(each) for each in model.objects.filter(pk__in=pk_set)]
    else:
        others = [str(each) for each in instance.user_set.all()] if reverse else []
    accounts, roles = (others, [str(instance)]) if reverse else ([str(instance)], others)
    for account in accounts:
        record_or_raise(
            Action.ROLES, Outcome.DONE, detail={"account": account, "change": _CHANGES[action], "roles": roles}
        )


@receiver(m2m_changed, sender=Group.permissions.through)
def _rights_changed(instance: Any, action: str, pk_set: set[Any] | None, reverse: bool, **_signal: Any) -> None:
    if action not in _CHANGES or reverse or not pk_set:
        return
    rights = sorted(Permission.objects.filter(pk__in=pk_set).values_list("codename", flat=True))
    record(Action.ROLES, detail={"role": str(instance), "change": _CHANGES[action], "rights": rights})


@receiver(pre_delete, sender=Group)
def _role_deleted(instance: Group, **_signal: Any) -> None:
    """Django sends no `m2m_changed` to the members of a deleted group."""
    for account in instance.user_set.order_by("pk"):
        record_or_raise(
            Action.ROLES, Outcome.DONE, detail={"account": str(account), "change": "taken", "roles": [str(instance)]}
        )
    record_or_raise(Action.ROLES, Outcome.DONE, detail={"role": str(instance), "change": "deleted"})


def _actor(user: User) -> Actor:
    """The account as the actor: the request is anonymous before a sign-in and after a sign-out."""
    current = actor()
    return Actor(user.get_username(), str(user.pk), current.address, current.request_id)
