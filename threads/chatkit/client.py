"""The four calls of OpenAI's hosted ChatKit threads API.

`GET /chatkit/threads`, `GET /chatkit/threads/{id}`, `GET /chatkit/threads/{id}/items` and
`DELETE /chatkit/threads/{id}`, as in OpenAI's published OpenAPI document. Every method raises a `ChatKitError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import quote

from requests.adapters import BaseAdapter

from . import decode, faults
from .errors import NotFound
from .items import item
from .parse import parse
from .transport import BearerKey, Limits, Reply, Transport
from .types import MAX_LIMIT, Deletion, Order, Page, Thread, ThreadItem

BETA = "chatkit_beta=v1"


@dataclass(frozen=True, slots=True)
class Account:
    """Which upstream, and as whom. `base_url` ends in `/v1`; the key is left out of the repr."""

    key: str = field(repr=False)
    base_url: str = "https://api.openai.com/v1"
    organization: str | None = None
    project: str | None = None


class ChatKitClient:
    """One upstream. Safe to use from many threads at once; keeps `pool_size` connections open."""

    def __init__(
        self,
        account: Account,
        *,
        limits: Limits | None = None,
        pool_size: int = 16,
        proxy: str | None = None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        headers = {"OpenAI-Beta": BETA, "User-Agent": f"threadkeeper/{_version()}"}
        if account.organization:
            headers["OpenAI-Organization"] = account.organization
        if account.project:
            headers["OpenAI-Project"] = account.project
        self._auth = BearerKey(account.key)
        self._threads = account.base_url.rstrip("/") + "/chatkit/threads"
        self._transport = Transport(
            self._threads,
            self._auth,
            headers,
            limits=limits or Limits(),
            pool_size=pool_size,
            proxy=proxy,
            adapter=adapter,
        )

    def list_threads(
        self,
        *,
        user: str | None = None,
        order: Order = "desc",
        limit: int = 20,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[Thread]:
        """Up to `limit` (1 to 100) threads in `order`, those after `after` in that order, of `user` alone.

        What `before` means is open: see docs/adr/0001. `Retired` where the endpoint is gone; `NotFound` where
        the cursor's thread is.
        """
        params = _list_params(order, limit, after, before) | ({"user": user} if user else {})
        reply = self._get(self._threads, params)
        with faults.of(reply, self._auth.hide, cursor=after or before, collection=True):
            page = decode.page(parse(reply.body), decode.thread, limit=limit)
            return decode.checked(page, cursor=after)

    def retrieve_thread(self, thread_id: str) -> Thread:
        """One thread, without its items. `NotFound` where there is none with this id."""
        reply = self._get(self._address(thread_id))
        with faults.of(reply, self._auth.hide):
            return decode.whole_thread(parse(reply.body))

    def list_items(
        self,
        thread_id: str,
        *,
        order: Order = "desc",
        limit: int = 20,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[ThreadItem]:
        """Up to `limit` (1 to 100) items of one thread, as `list_threads` does for threads."""
        reply = self._get(self._address(thread_id) + "/items", _list_params(order, limit, after, before))
        with faults.of(reply, self._auth.hide):
            return decode.checked(decode.page(parse(reply.body), item, limit=limit), cursor=after)

    def delete_thread(self, thread_id: str) -> Deletion:
        """Removes a thread, its items and stored attachments. Sent once: a time-out leaves it open what happened."""
        reply = self._transport.send("DELETE", self._address(thread_id))
        with faults.of(reply, self._auth.hide):
            return decode.deletion(parse(reply.body))

    def close(self) -> None:
        self._transport.close()

    def _get(self, url: str, params: dict[str, str] | None = None) -> Reply:
        return self._transport.send("GET", url, params)

    def _address(self, thread_id: str) -> str:
        """An id is any text, but "." and ".." would be resolved as path segments, to another resource."""
        if thread_id.strip(".") == "":
            raise NotFound("there is no thread with this id")
        return f"{self._threads}/{quote(thread_id, safe='')}"


def _list_params(order: Order, limit: int, after: str | None, before: str | None) -> dict[str, str]:
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit is {limit}, not between 1 and {MAX_LIMIT}")
    params = {"limit": str(limit), "order": order}
    return params | {name: value for name, value in (("after", after), ("before", before)) if value}


def _version() -> str:
    try:
        return version("threadkeeper")
    except PackageNotFoundError:
        return "0"
