"""The process's API client, configured from the settings."""

from __future__ import annotations

from functools import cache
from typing import Any, NoReturn

from django.conf import settings

from threads.chatkit import ApiConfig, ChatKitClient, Exchange, Limits, Observer, Retired
from threads.emulator import Emulator, EmulatorAdapter
from threads.lib.process_state import on_reset

observers: list[Observer] = []
"""Callbacks that receive every exchange of `client()`, in the thread that made the call."""


class _NoUpstreamClient(ChatKitClient):
    """The client for ARCHIVE_ONLY: makes no call, and raises `Retired` for each."""

    def _reply(self, *_arguments: Any, **_how: Any) -> NoReturn:
        raise Retired("OpenAI is not asked, since ARCHIVE_ONLY is set")


@cache
def client() -> ChatKitClient:
    """The process's only client. It calls the API at OPENAI_BASE_URL; without a key the emulator at EMULATOR_URL; with
    neither, an emulator inside this process."""
    return make_client(
        Limits(settings.CHATKIT_DEADLINE, settings.CHATKIT_CONNECT, settings.CHATKIT_MAX_BYTES), notify_observers
    )


@on_reset
def _forget(cached: Any = client) -> None:
    """Closes the client. `cached` is bound here, since tests put another function in its place."""
    if cached.cache_info().currsize:
        cached().close()
        cached.cache_clear()


def make_client(limits: Limits, observer: Observer) -> ChatKitClient:
    """A new client of the same upstream, with its own limits and observer."""
    pool = settings.WORKER_CONNECTIONS
    if settings.ARCHIVE_ONLY:
        return _NoUpstreamClient(ApiConfig(""), limits=limits)
    if settings.OPENAI_API_KEY is None and settings.EMULATOR_URL is not None:
        account = ApiConfig("emulator", settings.EMULATOR_URL)
        return ChatKitClient(account, limits=limits, pool_size=pool, observer=observer)
    if settings.OPENAI_API_KEY is None:
        emulator = Emulator(threads=settings.EMULATOR_THREADS, latency_ms=settings.EMULATOR_LATENCY_MS, showcase=True)
        return ChatKitClient(ApiConfig("emulator"), limits=limits, adapter=EmulatorAdapter(emulator), observer=observer)
    account = ApiConfig(
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL, settings.OPENAI_ORG_ID, settings.OPENAI_PROJECT_ID
    )
    return ChatKitClient(account, limits=limits, pool_size=pool, proxy=settings.CHATKIT_PROXY, observer=observer)


def notify_observers(exchange: Exchange) -> None:
    """Passes an exchange on to all `observers`."""
    for observer in observers:
        observer(exchange)
