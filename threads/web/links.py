"""Addresses of the desk's own pages: a list, a conversation, an item, a user's threads."""

from __future__ import annotations

from functools import cache
from urllib.parse import quote, quote_plus, urlencode

from django.urls import reverse

from threads.chatkit import MAX_USER
from threads.sources.query import ItemQuery, ThreadQuery


def list_url(query: ThreadQuery) -> str:
    """The address of a list of threads."""
    encoded = query.encoded()
    return f"{_list_path()}?{encoded}" if encoded else _list_path()


def thread_url(thread_id: str, list_parameter: str = "") -> str | None:
    """The address of a conversation, with what `list_parameter` returns. None for an id of dots alone: browsers
    resolve "." and ".." as path segments."""
    return f"{_list_path()}{quoted(thread_id)}/{list_parameter}" if thread_id.strip(".") else None


def items_url(query: ItemQuery, thread_address: str, encoded_list: str = "") -> str:
    """The address of a page of items. `encoded_list` is the encoded query of the list that the conversation was opened
    from."""
    encoded = "&".join(filter(None, [query.encoded(), urlencode({"list": encoded_list}) if encoded_list else ""]))
    return f"{thread_address}?{encoded}" if encoded else thread_address


def item_anchor(item_id: str) -> str:
    """The id of an item's element on the page."""
    return f"item-{quoted(item_id)}"


def item_url(item_id: str, thread_address: str, encoded_list: str = "") -> str:
    """The address that opens the conversation at an item; `encoded_list` as in `items_url`."""
    return f"{items_url(ItemQuery(at=item_id), thread_address, encoded_list)}#{quote(item_anchor(item_id))}"


def quoted(text: str) -> str:
    """Any text as one path segment or fragment of an address."""
    return quote(text, safe="")


def list_parameter(query: ThreadQuery) -> str:
    """The query part of a conversation's address that names the list it was opened from; "" for all threads."""
    encoded = query.encoded()
    return f"?{urlencode({'list': encoded})}" if encoded else ""


@cache
def _list_path() -> str:
    # Every row needs it, and resolving it costs more than the rest of the row.
    return reverse("threads")


def user_url(user: str, encoded_filter: str) -> str | None:
    """The list of a user's threads under the same filter. None where the API does not accept such a user id."""
    if not user or len(user) > MAX_USER:
        return None
    return f"{_list_path()}?user={quote_plus(user)}" + (f"&{encoded_filter}" if encoded_filter else "")
