"""The one client of this process, as the settings describe it."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from .chatkit import Account, ChatKitClient, Limits
from .emulator import Emulator, EmulatorAdapter


@cache
def client() -> ChatKitClient:
    """Speaks to the API at OPENAI_BASE_URL, or, without a key, to the emulator at EMULATOR_URL, or to one in this very
    process."""
    limits = Limits(settings.CHATKIT_DEADLINE, settings.CHATKIT_CONNECT, settings.CHATKIT_MAX_BYTES)
    if settings.OPENAI_API_KEY is None and settings.EMULATOR_URL is not None:
        return ChatKitClient(
            Account("emulator", settings.EMULATOR_URL), limits=limits, pool_size=settings.WORKER_CONNECTIONS
        )
    if settings.OPENAI_API_KEY is None:
        emulator = Emulator(threads=settings.EMULATOR_THREADS, latency_ms=settings.EMULATOR_LATENCY_MS, showcase=True)
        return ChatKitClient(Account("emulator"), limits=limits, adapter=EmulatorAdapter(emulator))
    account = Account(
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL, settings.OPENAI_ORG_ID, settings.OPENAI_PROJECT_ID
    )
    return ChatKitClient(account, limits=limits, pool_size=settings.WORKER_CONNECTIONS, proxy=settings.CHATKIT_PROXY)
