"""What holds for every request, by itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.http import HttpRequest, HttpResponse

from dashboard import middleware
from threads.lib import db


@pytest.mark.parametrize(
    ("options", "atomic", "closed"), [({"pool": {}}, False, True), ({"pool": {}}, True, False), ({}, False, False)]
)
def test_a_connection_goes_back_to_its_pool_before_the_view(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, object], atomic: bool, closed: bool
) -> None:
    done: list[bool] = []
    connection = SimpleNamespace(
        settings_dict={"OPTIONS": options}, in_atomic_block=atomic, close=lambda: done.append(True)
    )
    monkeypatch.setattr(db, "connections", SimpleNamespace(all=lambda initialized_only: [connection]))
    made = middleware.ReleaseConnection(lambda _request: HttpResponse("later"))
    made.process_view(HttpRequest(), lambda: None, (), {})
    assert bool(done) is closed
    assert made(HttpRequest()).status_code == 200
