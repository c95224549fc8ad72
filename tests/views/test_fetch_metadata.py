"""What a page of another site can make a reader's browser ask for: nothing but links to pages. Every address of the
URLconf is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from dashboard.accounts.backends import BACKEND
from tests.support import roles as asked
from tests.support.accounts import account
from threads.audit.models import AuditEvent
from threads.emulator import Emulator
from threads.web.fetch_metadata import FetchMetadataMiddleware

LINK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
ELSEWHERE = ["cross-site", "same-site", "", "of a kind to come"]
WAYS = [
    {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
    {},
]
PAGES = {
    "/", "/threads/", "/threads/<id:thread_id>/", "/step/", "/reports/", "/sync/", "/exports/",
    "/exports/<uuid:pk>/", "/audit/", "/erase/", "/erasures/", "/erasures/<uuid:pk>/", "/account/",
    "/account/password/", "/sign-in/", "/sign-in/sso/", "/sign-in/sso/callback/", "/overview/", "/archive/",
}  # fmt: skip
"""The addresses that links of other sites may lead to, beside those of Django's admin."""

REFUSED = b"Another site sent this request"


@pytest.fixture
def client(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("threads.web.views.sync.request_sync", lambda: None)
    made = Client(raise_request_exception=False)
    made.force_login(account("boss", "Administrator"), backend=BACKEND)
    return made


def _addresses(emulator: Emulator) -> dict[str, str]:
    thread_id = next(iter(emulator.thread_ids()))
    return {each: asked.filled_in(each, thread_id) for each in asked.addresses()}


@pytest.mark.slow
@pytest.mark.django_db
def test_another_site_gets_nothing_from_any_address(client: Client, emulator: Emulator) -> None:
    emulator.calls.clear()
    before = AuditEvent.objects.count()
    let_through = [
        f"{method} {address} {site} {way}"
        for address, path in _addresses(emulator).items()
        for method in ("GET", "POST", "HEAD")
        for site, way in zip(ELSEWHERE + ELSEWHERE[:1], WAYS, strict=True)
        if client.generic(method, path, headers={"Sec-Fetch-Site": site} | way).status_code != 403
    ]
    assert not let_through, "\n".join(let_through)
    assert not emulator.calls
    assert AuditEvent.objects.count() == before


@pytest.mark.django_db
def test_links_lead_to_pages_and_to_nothing_else(client: Client, emulator: Emulator) -> None:
    for address, path in _addresses(emulator).items():
        is_page = address in PAGES or address.startswith("/admin/")
        for site in ("cross-site", "same-site"):
            response = client.get(path, headers={"Sec-Fetch-Site": site} | LINK)
            assert (REFUSED in getattr(response, "content", b"")) is not is_page, address
            assert "attachment" not in response.headers.get("Content-Disposition", ""), address
            assert client.post(path, headers={"Sec-Fetch-Site": site} | LINK).status_code == 403, address


@pytest.mark.django_db
def test_no_address_alone_downloads_but_a_report_and_a_receipt(client: Client, emulator: Emulator) -> None:
    """Those two hold counts and ids, need a page of the desk to be asked for, and change nothing."""
    for address, path in _addresses(emulator).items():
        response = client.get(path)
        if response.headers.get("Content-Disposition", "").startswith("attachment"):
            assert address == "/sync/report/"


@pytest.mark.django_db
@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_the_desk_s_own_pages_and_who_says_nothing_go_on(client: Client, emulator: Emulator, site: str | None) -> None:
    sent = {} if site is None else {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    thread_id = next(iter(emulator.thread_ids()))
    assert client.get("/users/?user=u", headers=sent).status_code == 200
    response = client.post(f"/threads/{thread_id}/", {"format": "json"}, headers=sent)
    assert response.headers["Content-Disposition"] == f'attachment; filename="{thread_id}.json"'
    b"".join(response)


@pytest.mark.django_db
def test_who_is_refused_is_told_what_to_do(client: Client) -> None:
    response = client.get("/users/?user=u", headers={"Sec-Fetch-Site": "cross-site"})
    assert b"open the page in Threadkeeper and press the link or the button there" in response.content


@pytest.mark.parametrize(
    ("trusted", "origin", "method", "refused"),
    [
        (["https://portal.example"], "https://portal.example", "POST", False),
        (["https://*.example"], "https://portal.example", "POST", False),
        (["https://portal.example"], "http://portal.example", "POST", True),
        (["https://portal.example"], "https://evil.example", "POST", True),
        (["https://portal.example"], "https://portal.example", "GET", True),
        ([], "null", "POST", True),
        ([], "", "POST", True),
    ],
)
def test_forms_of_an_origin_that_is_trusted(
    settings: Any, rf: RequestFactory, trusted: list[str], origin: str, method: str, refused: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = trusted
    request = rf.generic(method, "/views/", headers={"Sec-Fetch-Site": "cross-site", "Origin": origin})

    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    let: Callable[..., HttpResponse | None] = FetchMetadataMiddleware(view).process_view
    assert (let(request, view) is not None) is refused
