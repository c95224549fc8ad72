"""What Django itself tells of accounts: signing in and out, and what somebody may do.

An account or a role that is changed and can't be recorded is not changed: in the middle of a transaction, a row of the
trail that failed would undo it anyway, and nobody would be told."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.http import HttpRequest

from threads.audit.record import Action, Actor, Outcome, acting, actor, must, record

from . import lockouts

_WATCHED = ("username", "is_active", "is_superuser", "is_staff", "email")


@receiver(user_logged_in)
def _signed_in(request: HttpRequest | None, user: User, **_signal: Any) -> None:
    with acting(_as(user)):
        record(Action.SIGN_IN)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest | None, user: User | None, **_signal: Any) -> None:
    if user is not None:
        with acting(_as(user)):
            record(Action.SIGN_OUT)


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any) -> None:
    """The name is kept where an account has it. Else it may be a password, typed into the wrong field. What is refused
    unseen has one row in all, and one when that has ended."""
    typed = str(credentials.get("username") or "")
    account = User.objects.filter(username=typed).first() if "\0" not in typed else None
    named = account.username if account else "(no such account)"
    if request is None or not lockouts.is_recorded(request, credentials, named):
        record(Action.SIGN_IN, Outcome.REFUSED, detail={"account": named})


@receiver(pre_save, sender=User)
def _before(instance: User, **_signal: Any) -> None:
    known = User.objects.filter(pk=instance.pk).first() if instance.pk else None
    instance._was = known  # type: ignore[attr-defined]  # noqa: SLF001


@receiver(post_save, sender=User)
def _saved(instance: User, created: bool, raw: bool, **_signal: Any) -> None:
    was: User | None = getattr(instance, "_was", None)
    if created or was is None:
        must(Action.ACCOUNT, Outcome.DONE, detail={"account": instance.username, "change": "made"})
        return
    changed = {
        name: [getattr(was, name), getattr(instance, name)]
        for name in _WATCHED
        if getattr(was, name) != getattr(instance, name)
    }
    if was.password != instance.password:
        changed["password"] = ["…", "changed"]
    if changed:
        must(
            Action.ACCOUNT, Outcome.DONE, detail={"account": instance.username, "change": "changed", "fields": changed}
        )


@receiver(post_delete, sender=User)
def _deleted(instance: User, **_signal: Any) -> None:
    must(Action.ACCOUNT, Outcome.DONE, detail={"account": instance.username, "change": "deleted"})


_TOLD = {"post_add": "given", "post_remove": "taken", "pre_clear": "all taken"}


@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=User.user_permissions.through)
def _roles(instance: Any, action: str, pk_set: set[Any] | None, model: Any, reverse: bool, **_signal: Any) -> None:
    """From either side: an account that is given roles, and a role that is given accounts."""
    if action not in _TOLD or (action != "pre_clear" and not pk_set):
        return
    if pk_set:
        theirs = [str(each) for each in model.objects.filter(pk__in=pk_set)]
    else:
        theirs = [str(each) for each in instance.user_set.all()] if reverse else []
    accounts, roles = (theirs, [str(instance)]) if reverse else ([str(instance)], theirs)
    for account in accounts:
        must(Action.ROLES, Outcome.DONE, detail={"account": account, "change": _TOLD[action], "roles": roles})


@receiver(m2m_changed, sender=Group.permissions.through)
def _rights(instance: Any, action: str, pk_set: set[Any] | None, reverse: bool, **_signal: Any) -> None:
    if action not in _TOLD or reverse or not pk_set:
        return
    rights = sorted(Permission.objects.filter(pk__in=pk_set).values_list("codename", flat=True))
    record(Action.ROLES, detail={"role": str(instance), "change": _TOLD[action], "rights": rights})


@receiver(pre_delete, sender=Group)
def _role_deleted(instance: Group, **_signal: Any) -> None:
    """Who had it loses what it gave, and Django tells of none of them."""
    for account in instance.user_set.order_by("pk"):
        must(Action.ROLES, Outcome.DONE, detail={"account": str(account), "change": "taken", "roles": [str(instance)]})
    must(Action.ROLES, Outcome.DONE, detail={"role": str(instance), "change": "deleted"})


def _as(user: User) -> Actor:
    """The one who signs in or out: the request was nobody's before, or will be."""
    now = actor()
    return Actor(user.get_username(), str(user.pk), now.address, now.request_id)
