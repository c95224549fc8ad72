"""Views of the list that were saved: which of them somebody sees, and who may change what."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import Http404
from django.urls import reverse

from threads import masking
from threads.lib.ttl_cache import Remembered
from threads.models import MAX_NAME, SavedView
from threads.sources.query import ThreadQuery

from . import links

MOST = 100
"""Views that one person may keep."""
MAX_QUERY = 8000
"""Characters of a query that still fit into the first line of a request."""


_TYPED = {"user", "reason", "q"}
"""What a list is filtered by in somebody's words."""


class RefusedError(Exception):
    """A view that can't be saved as asked; in a sentence that says what to change."""


@dataclass(frozen=True, slots=True)
class Row:
    """A view in the list of them. An address is None where this reader may not do that."""

    name: str
    url: str | None
    current: bool
    shared: bool
    owner: str
    mine: bool
    delete_url: str | None
    share_url: str | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one person sees, as the database had it. `may_delete` is about the shared ones of others."""

    views: tuple[SavedView, ...] = ()
    may_delete: bool = False


_seen: Remembered[_Seen] = Remembered(settings.SESSION_RECHECK)


def context(user: User, query: ThreadQuery | None, *, anew: bool = False) -> dict[str, Any]:
    """What `threads/_views.html` shows beside the list of `query`; None for an address that is no list, which can't be
    saved. `anew` asks the database, whatever this process remembers."""
    here = None if query is None else query.first().encoded()
    seen = _seen_by(user, anew=anew)
    rows = [_row(view, user, here, seen.may_delete) for view in seen.views]
    if masking.is_due(user):
        rows = [each if each.mine else _masked(each) for each in rows]
    return {"saved": rows, "save_query": here}


def save(user: User, name: str, query: ThreadQuery, *, shared: bool) -> tuple[SavedView, bool]:
    """Keeps a view; and whether it took the place of one's own of that name. RefusedError where it can't be kept."""
    # Two names that look the same are the same.
    name = " ".join(unicodedata.normalize("NFC", name).split())
    encoded = query.first().encoded()
    if not name:
        raise RefusedError("A view needs a name. Go back and give it one.")
    if "\0" in name:
        raise RefusedError("A name can't have a NUL character in it. Go back and type it anew.")
    if len(name) > MAX_NAME:
        raise RefusedError(
            f"A name has at most {MAX_NAME} characters. This one has {len(name)}: go back and shorten it."
        )
    if len(encoded) > MAX_QUERY:
        raise RefusedError("This list is filtered by too long a text to be kept. Go back and shorten what is searched.")
    with transaction.atomic():
        # One at a time for each person: who counts to 99 twice would keep 101.
        owner = User.objects.select_for_update().get(pk=user.pk)
        theirs = SavedView.objects.filter(owner=owner)
        if not theirs.filter(name=name).exists() and theirs.count() >= MOST:
            raise RefusedError(f"You have {MOST} saved views, and more are not kept. Go back and delete one first.")
        view, new = SavedView.objects.update_or_create(
            owner=owner, name=name, defaults={"query": encoded, "shared": shared}
        )
    _seen.clear()
    return view, not new


def share(user: User, pk: int, *, shared: bool) -> SavedView:
    """Shares one's own view with the team, or no longer. 404 where there is none that one sees, 403 where it is of
    somebody else."""
    view = _found(user, pk)
    if view.owner_id != user.pk:
        raise PermissionDenied
    view.shared = shared
    view.save(update_fields=["shared"])
    _seen.clear()
    return view


def delete(user: User, pk: int) -> SavedView:
    """Deletes one's own view, or with permission for it one that somebody else shares; else as `share`."""
    view = _found(user, pk)
    if view.owner_id != user.pk and not _may_delete(user):
        raise PermissionDenied
    SavedView.objects.filter(pk=pk).delete()
    _seen.clear()
    return view


def _found(user: User, pk: int) -> SavedView:
    view = SavedView.objects.filter(Q(owner=user.pk) | Q(shared=True), pk=pk).first()
    if view is None:
        raise Http404
    return view


def _may_delete(user: User) -> bool:
    return user.has_perm("threads.delete_savedview")


def _seen_by(user: User, *, anew: bool) -> _Seen:
    key = str(user.pk)
    seen = None if anew else _seen.get(key)
    if seen is None:
        views = sorted(
            SavedView.objects.filter(Q(owner=user.pk) | Q(shared=True)).select_related("owner"),
            key=lambda view: (view.name.casefold(), view.owner_id != user.pk, view.owner.get_username()),
        )
        others = any(view.owner_id != user.pk for view in views)
        seen = _Seen(tuple(views), may_delete=others and _may_delete(user))
        _seen.put(key, seen)
    return seen


def _row(view: SavedView, user: User, here: str | None, may_delete: bool) -> Row:
    mine = view.owner_id == user.pk
    return Row(
        name=view.name,
        url=address(view),
        current=view.query == here,
        shared=view.shared,
        owner=view.owner.get_username(),
        mine=mine,
        delete_url=reverse("delete-view", args=[view.pk]) if mine or may_delete else None,
        share_url=reverse("share-view", args=[view.pk]) if mine else None,
    )


def _masked(row: Row) -> Row:
    """Somebody else's view for who may not see user ids whole: its address would say the one that it is filtered by, or
    that stands in the words that somebody typed."""
    query = urlsplit(row.url or "").query
    says = not _TYPED.isdisjoint(parse_qs(query)) or masking.has_any(query)
    return replace(row, name=masking.text(row.name), url=None if says else row.url)


def address(view: SavedView) -> str:
    """The list that a view stands for."""
    start = links.address(ThreadQuery())
    return f"{start}?{view.query}" if view.query else start


@receiver([post_save, post_delete], sender=SavedView)
@receiver([post_save, post_delete], sender=User)
def _changed(**_about: Any) -> None:
    """Of an account it may be the name that changed, or all its views that went with it."""
    _seen.clear()
