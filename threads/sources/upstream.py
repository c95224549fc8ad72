"""The one client of this process, as the settings describe it."""

from __future__ import annotations

from functools import cache
from typing import Any, NoReturn

from django.conf import settings

from threads.chatkit import Account, ChatKitClient, Exchange, Limits, Observer, Retired
from threads.emulator import Emulator, EmulatorAdapter
from threads.lib.process_state import on_reset

observers: list[Observer] = []
"""Who is told of every call that the client of this process makes."""


class _Closed(ChatKitClient):
    """Makes no call: for ARCHIVE_ONLY, where whatever asks the API is answered as by one that is no more."""

    def _reply(self, *_arguments: Any, **_how: Any) -> NoReturn:
        raise Retired("OpenAI is not asked, since ARCHIVE_ONLY is set")


@cache
def client() -> ChatKitClient:
    """Speaks to the API at OPENAI_BASE_URL, or, without a key, to the emulator at EMULATOR_URL, or to one in this very
    process."""
    return made(Limits(settings.CHATKIT_DEADLINE, settings.CHATKIT_CONNECT, settings.CHATKIT_MAX_BYTES), tell)


@on_reset
def _forget(cached: Any = client) -> None:
    """Closes the client. `cached` is bound here, since tests put another function in its place."""
    if cached.cache_info().currsize:
        cached().close()
        cached.cache_clear()


def made(limits: Limits, observer: Observer) -> ChatKitClient:
    """Another client of the same upstream."""
    pool = settings.WORKER_CONNECTIONS
    if settings.ARCHIVE_ONLY:
        return _Closed(Account(""), limits=limits)
    if settings.OPENAI_API_KEY is None and settings.EMULATOR_URL is not None:
        account = Account("emulator", settings.EMULATOR_URL)
        return ChatKitClient(account, limits=limits, pool_size=pool, observer=observer)
    if settings.OPENAI_API_KEY is None:
        emulator = Emulator(threads=settings.EMULATOR_THREADS, latency_ms=settings.EMULATOR_LATENCY_MS, showcase=True)
        return ChatKitClient(Account("emulator"), limits=limits, adapter=EmulatorAdapter(emulator), observer=observer)
    account = Account(
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL, settings.OPENAI_ORG_ID, settings.OPENAI_PROJECT_ID
    )
    return ChatKitClient(account, limits=limits, pool_size=pool, proxy=settings.CHATKIT_PROXY, observer=observer)


def tell(exchange: Exchange) -> None:
    """Tells all of `observers`."""
    for each in observers:
        each(exchange)
