"""The upstream that the code under test calls."""

from __future__ import annotations

import pytest

from threads.chatkit import ChatKitClient
from threads.sources import upstream

NOW = 1_790_000_000.0
"""The emulator's clock in tests, in Unix seconds: 2026-09-21 13:33:20 UTC."""


def use_upstream(monkeypatch: pytest.MonkeyPatch, client: ChatKitClient) -> None:
    """Makes `client` the upstream client of this process until the test ends."""
    monkeypatch.setattr(upstream, "client", lambda: client)
