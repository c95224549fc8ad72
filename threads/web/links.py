"""Addresses of the desk's own pages: a list, a conversation, an item, a user's threads."""

from __future__ import annotations

from functools import cache
from urllib.parse import quote, quote_plus, urlencode

from django.urls import reverse

from threads.chatkit import MAX_USER
from threads.sources.query import ItemQuery, ThreadQuery


def address(query: ThreadQuery) -> str:
    """The dashboard's own address of a query."""
    encoded = query.encoded()
    return f"{_list_path()}?{encoded}" if encoded else _list_path()


def thread_url(thread_id: str, here: str = "") -> str | None:
    """The address of a conversation, `here` as `from_list` gives it. None for the ids that no address can hold: every
    browser takes "." and ".." for a step up."""
    return f"{_list_path()}{fragment(thread_id)}/{here}" if thread_id.strip(".") else None


def place(query: ItemQuery, address: str, here: str = "") -> str:
    """The address of a page of a conversation. `here` is the encoded query of the list that it was opened from."""
    encoded = "&".join(filter(None, [query.encoded(), urlencode({"list": here}) if here else ""]))
    return f"{address}?{encoded}" if encoded else address


def at(item_id: str, address: str, here: str = "") -> tuple[str, str]:
    """The id of an item's element, and the address that opens the conversation at it; `here` as in `place`."""
    anchor = f"item-{fragment(item_id)}"
    return anchor, f"{place(ItemQuery(at=item_id), address, here)}#{quote(anchor)}"


def fragment(text: str) -> str:
    """Any text as part of an address."""
    return quote(text, safe="")


def from_list(query: ThreadQuery) -> str:
    """What a conversation's address says of the list that it was opened from, so that there is a way back."""
    encoded = query.encoded()
    return f"?{urlencode({'list': encoded})}" if encoded else ""


@cache
def _list_path() -> str:
    """Resolved once: a row asks for it, and resolving costs more than all the rest of the row."""
    return reverse("threads")


def user_url(user: str, same_filter: str) -> str | None:
    """None where the filter would not find this user: an id that the API does not take."""
    if not user or len(user) > MAX_USER:
        return None
    return f"{_list_path()}?user={quote_plus(user)}" + (f"&{same_filter}" if same_filter else "")
