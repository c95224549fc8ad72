"""Saved views of the list: who sees, changes and deletes which, cached for a few seconds in each process."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

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
from threads.archive.search.source import StateCount
from threads.lib.ttl_cache import TTLCache
from threads.models import MAX_NAME, SavedView
from threads.sources.query import ThreadQuery

from . import links

MAX_VIEWS = 100
"""Saved views per account."""

MAX_QUERY = 8000
"""Characters of a query that fit into the first line of a request."""

_COUNTED = {"status", "has_reason", "order", "limit"}
"""Parameters of the views whose threads the stored counters tell. Others would cost a query each."""

_TYPED = {"user", "reason", "q"}
"""Filters that hold words somebody typed."""


class ViewRefusedError(Exception):
    """A view that can't be saved; the message tells the reader what to change."""


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A saved view as the page lists it. A URL is None where this reader may not do that, `count` where it is not
    stored."""

    name: str
    url: str | None
    count: int | None
    current: bool
    shared: bool
    owner: str
    mine: bool
    delete_url: str | None
    share_url: str | None


@dataclass(frozen=True, slots=True)
class Tab:
    """A view that every account has. `count` is None where there is no archive."""

    name: str
    url: str
    count: int | None
    current: bool


@dataclass(frozen=True, slots=True)
class _VisibleViews:
    """The views that one account sees. `may_delete` applies to views that others share."""

    views: tuple[SavedView, ...] = ()
    may_delete: bool = False


_cache: TTLCache[_VisibleViews] = TTLCache(settings.SESSION_RECHECK)


def context(
    user: User, query: ThreadQuery | None, counts: Sequence[StateCount] | None, *, fresh: bool = False
) -> dict[str, Any]:
    """The context of `threads/_views.html` beside the list of `query`: tabs, saved views, and the query to save.

    `query` is None for an address that is no valid list and so can't be saved, `counts` without an archive. `fresh`
    bypasses this process's cache.
    """
    current = None if query is None else query.first().encoded()
    visible = _visible_to(user, fresh=fresh)
    rows = [_row(view, user, current, visible.may_delete, counts) for view in visible.views]
    if masking.applies_to(user):
        rows = [row if row.mine else _masked(row) for row in rows]
    shown = None if query is None or any(row.current for row in rows) else query
    return {"built_in": _built_in(query or ThreadQuery(), shown, counts), "saved": rows, "save_query": current}


def save(user: User, name: str, query: ThreadQuery, *, shared: bool) -> tuple[SavedView, bool]:
    """Saves a view; returns it, and whether it replaced the account's own view of that name. Raises
    `ViewRefusedError`."""
    # Names that look the same are the same.
    name = " ".join(unicodedata.normalize("NFC", name).split())
    encoded = query.first().encoded()
    if not name:
        raise ViewRefusedError("A view needs a name. Go back and give it one.")
    if "\0" in name:
        raise ViewRefusedError("A name can't have a NUL character in it. Go back and type it anew.")
    if len(name) > MAX_NAME:
        raise ViewRefusedError(
            f"A name has at most {MAX_NAME} characters. This one has {len(name)}: go back and shorten it."
        )
    if len(encoded) > MAX_QUERY:
        raise ViewRefusedError(
            "This list is filtered by too long a text to be kept. Go back and shorten what is searched."
        )
    with transaction.atomic():
        # One save per account at a time, or two that count 99 make 101.
        owner = User.objects.select_for_update().get(pk=user.pk)
        own = SavedView.objects.filter(owner=owner)
        if not own.filter(name=name).exists() and own.count() >= MAX_VIEWS:
            raise ViewRefusedError(
                f"You have {MAX_VIEWS} saved views, and more are not kept. Go back and delete one first."
            )
        view, created = SavedView.objects.update_or_create(
            owner=owner, name=name, defaults={"query": encoded, "shared": shared}
        )
    _cache.clear()
    return view, not created


def share(user: User, pk: int, *, shared: bool) -> SavedView:
    """Shares the account's own view with the team, or stops sharing it. Raises Http404 for a view that the account does
    not see, `PermissionDenied` for somebody else's."""
    view = _get(user, pk)
    if view.owner_id != user.pk:
        raise PermissionDenied
    view.shared = shared
    view.save(update_fields=["shared"])
    _cache.clear()
    return view


def delete(user: User, pk: int) -> SavedView:
    """Deletes the account's own view, or with the permission for it one that somebody else shares. Raises as
    `share`."""
    view = _get(user, pk)
    if view.owner_id != user.pk and not _may_delete(user):
        raise PermissionDenied
    SavedView.objects.filter(pk=pk).delete()
    _cache.clear()
    return view


def view_url(view: SavedView) -> str:
    """The list that a view stands for."""
    all_threads = links.list_url(ThreadQuery())
    return f"{all_threads}?{view.query}" if view.query else all_threads


def _get(user: User, pk: int) -> SavedView:
    view = SavedView.objects.filter(Q(owner=user.pk) | Q(shared=True), pk=pk).first()
    if view is None:
        raise Http404
    return view


def _may_delete(user: User) -> bool:
    return user.has_perm("threads.delete_savedview")


def _visible_to(user: User, *, fresh: bool) -> _VisibleViews:
    key = str(user.pk)
    visible = None if fresh else _cache.get(key)
    if visible is None:
        views = sorted(
            SavedView.objects.filter(Q(owner=user.pk) | Q(shared=True)).select_related("owner"),
            key=lambda view: (view.name.casefold(), view.owner_id != user.pk, view.owner.get_username()),
        )
        has_others = any(view.owner_id != user.pk for view in views)
        visible = _VisibleViews(tuple(views), may_delete=has_others and _may_delete(user))
        _cache.put(key, visible)
    return visible


def _built_in(query: ThreadQuery, shown: ThreadQuery | None, counts: Sequence[StateCount] | None) -> list[Tab]:
    """The views that every account has, in the order and page size of `query`. `shown` is the list that may be one of
    them."""
    base = query.unfiltered()
    names: dict[str, str | None] = {"All": None}
    if counts is not None:
        names |= {"Locked": "locked", "Closed": "closed"}
    views = {name: base.of_status(status) for name, status in names.items()}
    return [
        Tab(name, links.list_url(view), _sum(counts, view.status, None), shown is not None and view == shown.first())
        for name, view in views.items()
    ]


def _row(
    view: SavedView, user: User, current: str | None, may_delete: bool, counts: Sequence[StateCount] | None
) -> ViewRow:
    mine = view.owner_id == user.pk
    return ViewRow(
        name=view.name,
        url=view_url(view),
        count=_saved_count(view, counts),
        current=view.query == current,
        shared=view.shared,
        owner=view.owner.get_username(),
        mine=mine,
        delete_url=reverse("delete-view", args=[view.pk]) if mine or may_delete else None,
        share_url=reverse("share-view", args=[view.pk]) if mine else None,
    )


def _saved_count(view: SavedView, counts: Sequence[StateCount] | None) -> int | None:
    named = dict(parse_qsl(view.query))
    has_reason = {"yes": True, "no": False}.get(named.get("has_reason", ""))
    return _sum(counts, named.get("status"), has_reason) if named.keys() <= _COUNTED else None


def _sum(counts: Sequence[StateCount] | None, status: str | None, has_reason: bool | None) -> int | None:
    """The threads that pass these filters; None without an archive."""
    return None if counts is None else sum(each.threads for each in counts if each.fits(status, has_reason))


def _masked(row: ViewRow) -> ViewRow:
    """Somebody else's view for a masked account: its address may hold a user id, or words that somebody typed."""
    query = urlsplit(row.url or "").query
    is_revealing = not _TYPED.isdisjoint(parse_qs(query)) or masking.has_email(query)
    return replace(row, name=masking.text(row.name), url=None if is_revealing else row.url)


@receiver([post_save, post_delete], sender=SavedView)
@receiver([post_save, post_delete], sender=User)
def _clear_cache(**_signal: Any) -> None:
    # An account's new name is on its views, and deleting it deletes them.
    _cache.clear()
