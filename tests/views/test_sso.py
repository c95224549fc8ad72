"""Signing in with the company's accounts, at a provider that runs beside the test."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client

from dashboard.accounts import claims, sso
from dashboard.accounts.models import DeskSession, Identity, RolesClaim
from dashboard.monitoring.doctor import CheckStatus
from dashboard.monitoring.doctor.local_checks import single_sign_on
from tests.support.accounts import PASSWORD, account
from tests.support.oidc_provider import CLIENT, SECRET, Provider, provider
from tests.support.page import Page
from threads.audit.models import AuditEvent
from threads.emulator import Emulator

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(settings: Any) -> Iterator[Provider]:
    with provider() as made:
        settings.OIDC_ISSUER = made.url
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, SECRET
        settings.OIDC_NAME = "Example & Co"
        settings.OIDC_ROLES = "support=Viewer, privacy=Eraser+Exporter"
        settings.EMULATOR = False
        yield made


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def at_the_provider(address: str) -> str:
    """Where the provider sends the browser that comes with `address`."""
    opener = build_opener(_Stay)
    opener.handle_error["http"][302] = {}  # type: ignore[attr-defined]
    opener.process_response["http"] = []  # type: ignore[attr-defined]
    with opener.open(address, timeout=5) as reply:
        return str(reply.headers["Location"])


def sign_in(client: Client, onward: str = "") -> HttpResponse:
    begun = client.get("/sign-in/sso/", {"next": onward} if onward else {})
    assert begun.status_code == 302
    back = urlsplit(at_the_provider(begun["Location"]))
    assert f"{back.scheme}://{back.netloc}{back.path}" == "http://testserver/sign-in/sso/callback/"
    return client.get(f"{back.path}?{back.query}")  # type: ignore[return-value]


def roles(name: str) -> set[str]:
    return set(User.objects.get(username=name).groups.values_list("name", flat=True))


def refusal(response: HttpResponse, status: int = 403) -> str:
    """What the page says of a sign-in that did not come about."""
    assert response.status_code == status
    shown = Page(response.content.decode(), response.headers)
    assert shown.one("h1").text == "You are not signed in"
    assert shown.one("a", **{"class": "button"}).get("href") == "/sign-in/"
    assert not DeskSession.objects.filter(account__isnull=False).exists()
    return shown.said()


def reasons() -> list[str]:
    found = AuditEvent.objects.filter(action="sign-in", outcome="refused").order_by("id")
    return [row.detail["reason"] for row in found]


def test_without_a_provider_there_is_nothing_of_it(client: Client) -> None:
    assert b"sso" not in client.get("/sign-in/").content
    assert client.get("/sign-in/sso/").status_code == 404
    assert client.get("/sign-in/sso/callback/?code=x&state=y").status_code == 404


def test_one_comes_in_with_the_company_account_and_its_roles(
    client: Client, there: Provider, emulator: Emulator
) -> None:
    there.person |= {"email": "ada@example.com", "email_verified": True, "given_name": "Ada", "family_name": "L"}
    page = client.get("/sign-in/?next=/threads/%3Flimit%3D5")
    shown = Page(page.content.decode(), page.headers)
    assert shown.one("a", href="/sign-in/sso/?next=/threads/%3Flimit%3D5").text == "Sign in with Example & Co"
    response = sign_in(client, "/threads/?limit=5")
    assert (response.status_code, response["Location"]) == (302, "/threads/?limit=5")
    assert client.get("/threads/").status_code == 200
    made = User.objects.get()
    assert (made.username, made.email, made.get_full_name()) == ("ada", "ada@example.com", "Ada L")
    assert not made.has_usable_password()
    assert (made.is_staff, made.is_superuser) == (False, False)
    assert roles("ada") == {"Viewer"}
    assert "oidc_states" not in client.session
    given = AuditEvent.objects.get(action="roles", detail__account="ada")
    assert given.account == "(Threadkeeper, single sign-on)"
    assert given.detail == {"account": "ada", "change": "given", "roles": ["Viewer"]}
    assert AuditEvent.objects.get(action="sign-in").account == "ada"


def test_state_nonce_and_pkce_are_new_each_time(client: Client, there: Provider) -> None:
    for _ in range(2):
        at_the_provider(client.get("/sign-in/sso/")["Location"])
    first, second = there.asked
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 32
        assert first[name] != second[name]


def test_roles_are_given_and_taken_at_each_sign_in(client: Client, there: Provider) -> None:
    there.person["groups"] = ["privacy", "elsewhere"]
    sign_in(client)
    assert roles("ada") == {"Eraser", "Exporter"}
    user = User.objects.get()
    user.groups.create(name="A group of our own")
    there.person["groups"] = "support"
    sign_in(Client())
    assert roles("ada") == {"Viewer", "A group of our own"}
    assert client.get("/audit/").status_code == 403
    told = [row.detail for row in AuditEvent.objects.filter(action="roles", detail__change="taken")]
    assert told == [{"account": "ada", "change": "taken", "roles": ["Exporter", "Eraser"]}] or told == [
        {"account": "ada", "change": "taken", "roles": ["Eraser", "Exporter"]}
    ]
    assert User.objects.count() == 1


def test_who_is_in_no_group_of_ours_is_told_so(client: Client, there: Provider) -> None:
    for groups in (["elsewhere"], [], None, {"support": True}, 7):
        there.person["groups"] = groups
        client = Client()
        assert sign_in(client)["Location"] == "/"
        refused = client.get("/")
        assert refused.status_code == 403
        assert b"Your account has no role yet" in refused.content
        assert roles("ada") == set()


@pytest.mark.parametrize(
    ("claim", "about"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["support"]}}),
        ("resource_access.the.desk.roles", {"resource_access": {"the.desk": {"roles": ["support"]}}}),
        ("https://example.com/roles", {"https://example.com/roles": ["support"]}),
        ("https://example.com/claims.roles", {"https://example.com/claims": {"roles": "support"}}),
        ("a.b", {"a": {"b": ["privacy"]}, "a.b": ["support"]}),
        ("a.b.c", {"a": {"b": {"d": []}}, "a.b": {"c": ["support"]}}),
    ],
)
def test_a_claim_within_another(
    client: Client, there: Provider, settings: Any, caplog: pytest.LogCaptureFixture, claim: str, about: dict[str, Any]
) -> None:
    settings.OIDC_ROLES_CLAIM = claim
    there.person |= about
    sign_in(client)
    assert roles("ada") == {"Viewer"}
    assert "Single sign-on" not in caplog.text
    assert single_sign_on().status is CheckStatus.OK


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({}, "is not there"),
        ({"realm_access": ["support"]}, "is not there"),
        ({"realm_access": {"groups": ["secret value"]}, "x" * 90: 1, "a\nb": 1}, "is not there"),
        ({"realm_access": {"roles": {"support": True}}}, "is neither a text nor a list"),
        ({"realm_access": {"roles": None}}, "is neither a text nor a list"),
    ],
)
def test_a_claim_that_is_not_there_is_said(
    client: Client, there: Provider, settings: Any, caplog: pytest.LogCaptureFixture, about: dict[str, Any], why: str
) -> None:
    settings.OIDC_ROLES_CLAIM = "realm_access.roles"
    assert "nobody has signed in" in single_sign_on().detail
    there.person |= about
    sign_in(client)
    assert roles("ada") == set()
    said = next(each.getMessage() for each in caplog.records if each.name == "dashboard.accounts.claims")
    found = single_sign_on()
    assert found.status is CheckStatus.WARN
    for text in (said, f"{found.detail} {found.advice}"):
        assert f"the claim realm_access.roles {why}" in text
        assert "preferred_username" in text
        assert "secret value" not in text
        assert "\n" not in text
        assert "x" * 61 not in text
        assert "realm_access.groups" in text or "groups" not in about.get("realm_access", {})


def test_of_many_claims_it_says_how_many_more(client: Client, there: Provider) -> None:
    there.person = {name: each for name, each in there.person.items() if name != "groups"}
    there.person |= {f"claim-{number}": number for number in range(100)}
    sign_in(client)
    names = RolesClaim.objects.get().names
    assert len(names) == 41
    assert re.fullmatch(r"and \d+ more", names[-1])


def test_groups_with_commas_in_their_names(client: Client, there: Provider, settings: Any) -> None:
    settings.OIDC_ROLES = (
        '{"CN=Support,OU=Groups": "Viewer", "CN=A+B,DC=x": ["Eraser", "Exporter"], "c": "Auditor+Viewer"}'
    )
    sso.check()
    for groups, given in (
        (["CN=Support,OU=Groups"], {"Viewer"}),
        (["CN=A+B,DC=x", "CN=Support"], {"Eraser", "Exporter"}),
        (["c"], {"Auditor", "Viewer"}),
    ):
        there.person["groups"] = groups
        sign_in(Client())
        assert roles("ada") == given


def test_where_no_group_is_mapped_administrators_give_the_roles(client: Client, there: Provider, settings: Any) -> None:
    settings.OIDC_ROLES = ""
    there.person["groups"] = ["Administrator"]
    sign_in(client)
    assert roles("ada") == set()
    User.objects.get().groups.add(Group.objects.get(name="Viewer"))
    sign_in(Client())
    assert roles("ada") == {"Viewer"}


def test_a_name_or_an_address_takes_nobody_else_s_account_over(client: Client, there: Provider) -> None:
    boss = account("boss", "Administrator", email="boss@example.com")
    there.person |= {"preferred_username": "boss", "email": "boss@example.com", "email_verified": True}
    sign_in(client)
    assert client.session["_auth_user_id"] != str(boss.pk)
    assert roles("boss") == {"Administrator"}
    assert roles("boss-2") == {"Viewer"}
    there.person["sub"] = "u-2"  # somebody else, of whom the provider says the same
    sign_in(Client())
    assert roles("boss-3") == {"Viewer"}
    assert set(Identity.objects.values_list("account__username", "subject")) == {("boss-2", "u-1"), ("boss-3", "u-2")}


@pytest.mark.parametrize(
    ("about", "name", "email"),
    [
        ({"preferred_username": "demo"}, "demo-2", ""),
        ({"preferred_username": "(Threadkeeper)"}, "Threadkeeper", ""),
        ({"preferred_username": "a\0b\u202ec <script>"}, "abcscript", ""),
        ({"preferred_username": "x" * 300}, "x" * 140, ""),
        ({"preferred_username": None, "email": "a@b.example"}, "u-1", ""),
        ({"preferred_username": None, "email": "a@b.example", "email_verified": True}, "a@b.example", "a@b.example"),
        ({"preferred_username": ["ada"], "email": "no address", "email_verified": True}, "u-1", ""),
        ({"preferred_username": "🙂", "email": ["a@b.example"], "email_verified": [True]}, "person", ""),
    ],
)
def test_whatever_somebody_is_called(
    client: Client, there: Provider, about: dict[str, Any], name: str, email: str
) -> None:
    there.person |= about
    assert sign_in(client).status_code == 302
    made = User.objects.get()
    assert (made.username, made.email) == (name, email)


@pytest.mark.parametrize(
    ("claims", "how", "why"),
    [
        ({"nonce": "another"}, {}, "not valid"),
        ({"nonce": None}, {}, "not valid"),
        ({}, {"by": 1}, "not valid"),
        ({}, {"algorithm": "none"}, "not valid"),
        ({}, {"algorithm": "HS256"}, "not valid"),
        ({"exp": int(time.time()) - 3600}, {}, "expired"),
        ({"exp": None}, {}, "not valid"),
        ({"iat": int(time.time()) + 3600}, {}, "not valid"),
        ({"aud": "another client"}, {}, "not valid"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, {}, "not valid"),
        ({"iss": "https://elsewhere.example"}, {}, "not valid"),
        ({"sub": None}, {}, "not valid"),
        ({"sub": "u-2"}, {}, "another form"),
    ],
)
def test_a_token_that_is_not_right_lets_nobody_in(
    client: Client, there: Provider, claims: dict[str, Any], how: dict[str, Any], why: str
) -> None:
    there.claims, there.how = claims, how
    assert "Example & Co did not confirm who you are." in refusal(sign_in(client))
    assert why in reasons()[0]
    assert not User.objects.exists()


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\0b", 7])
def test_an_id_that_can_t_be_kept_is_refused(client: Client, there: Provider, subject: Any) -> None:
    there.person["sub"] = subject
    refusal(sign_in(client))
    assert not User.objects.exists()


def test_somebody_else_s_answer_is_refused(client: Client, there: Provider) -> None:
    begun = client.get("/sign-in/sso/")
    back = urlsplit(at_the_provider(begun["Location"]))
    victim = Client()
    assert "It started in another browser" in refusal(victim.get(f"{back.path}?{back.query}"))  # type: ignore[arg-type]
    victim.get("/sign-in/sso/")
    refusal(victim.get(f"{back.path}?{back.query}"))  # type: ignore[arg-type]
    state = parse_qs(back.query)["state"][0]
    refusal(client.get(back.path, {"state": state, "code": "made up"}))  # type: ignore[arg-type]
    refusal(client.get(f"{back.path}?{back.query}"))  # type: ignore[arg-type]  # a state is good once
    refusal(client.get(back.path))  # type: ignore[arg-type]
    there.error = "access_denied"
    refusal(sign_in(client))
    asked, taken, denied = "nobody here asked for it", "none of its own", "did not let them in"
    for reason, why in zip(reasons(), [asked, asked, taken, asked, asked, denied], strict=True):
        assert why in reason


def test_an_answer_that_names_another_provider_is_refused(client: Client, there: Provider) -> None:
    back = urlsplit(at_the_provider(client.get("/sign-in/sso/")["Location"]))
    refusal(client.get(f"{back.path}?{back.query}&iss=https://elsewhere.example"))  # type: ignore[arg-type]


def test_an_answer_that_took_too_long_is_refused(
    client: Client, there: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.utils import timezone

    back = urlsplit(at_the_provider(client.get("/sign-in/sso/")["Location"]))
    late = timezone.now() + timezone.timedelta(minutes=16)  # type: ignore[attr-defined]
    monkeypatch.setattr(timezone, "now", lambda: late)
    refusal(client.get(f"{back.path}?{back.query}"))  # type: ignore[arg-type]


def test_a_provider_that_is_down_has_a_page_that_says_so(client: Client, there: Provider) -> None:
    there.down = True
    assert "Example & Co can't be reached" in refusal(client.get("/sign-in/sso/"), 503)  # type: ignore[arg-type]
    there.down = False
    back = urlsplit(at_the_provider(client.get("/sign-in/sso/")["Location"]))
    there.down = True
    said = refusal(client.get(f"{back.path}?{back.query}"), 503)  # type: ignore[arg-type]
    assert SECRET not in said


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://elsewhere.example"}, {"token_endpoint": None}, {"jwks_uri": "ftp://127.0.0.1/keys"}],
)
def test_a_provider_that_says_something_else_of_itself_is_not_used(
    client: Client, there: Provider, metadata: dict[str, Any]
) -> None:
    there.metadata = metadata
    refusal(client.get("/sign-in/sso/"), 503)  # type: ignore[arg-type]


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/\\evil.example", "/sign-in/"])
def test_nobody_is_led_off_the_desk(client: Client, there: Provider, onward: str) -> None:
    assert sign_in(client, onward)["Location"] == "/"


def test_a_closed_account_stays_closed(client: Client, there: Provider) -> None:
    sign_in(client)
    user = User.objects.get()
    user.is_active = False
    user.save()
    there.person["groups"] = ["privacy"]
    assert "Ask an administrator" in refusal(sign_in(Client()))
    assert roles("ada") == {"Viewer"}


def test_it_is_a_session_like_any_other(client: Client, there: Provider) -> None:
    account("boss", "Viewer")
    sign_in(client)
    said = client.get("/account/").content.decode()
    assert "You sign in with Example &amp; Co" in said
    assert client.get("/sign-in/sso/")["Location"] == "/"  # signed in already
    client.post("/account/sign-out/")
    assert client.get("/account/").status_code == 302


def test_passwords_can_be_switched_off(client: Client, there: Provider, settings: Any) -> None:
    settings.LOCAL_PASSWORDS = False
    account("boss", "Viewer")
    shown = client.get("/sign-in/").content.decode()
    assert "Password" not in shown
    assert "Sign in with Example" in shown
    assert client.post("/sign-in/", {"username": "boss", "password": PASSWORD}).status_code == 200
    assert client.get("/account/").status_code == 302
    assert sign_in(client).status_code == 302


def test_roles_that_there_are_not_stop_the_start(settings: Any) -> None:
    settings.OIDC_ISSUER = "https://sso.example"
    for value in ("support", "support=Reader", "=Viewer", "support=Viewer+"):
        settings.OIDC_ROLES = value
        with pytest.raises(ImproperlyConfigured, match="OIDC_ROLES has"):
            sso.check()
    for value in (
        '{"support": "Reader"}',
        '{"": "Viewer"}',
        '{"a": []}',
        '{"a": 1}',
        '{"a": {"b": "Viewer"}}',
        '{"a"',
        "{a}",
    ):
        settings.OIDC_ROLES = value
        with pytest.raises(ImproperlyConfigured, match="OIDC_ROLES"):
            sso.check()
    settings.OIDC_ROLES = '{"a": "Viewer", "a": "Eraser"}'
    assert claims.roles_by_group() == {"a": {"Viewer", "Eraser"}}
    settings.OIDC_ROLES = "a=b=Viewer, c=Viewer,c=Eraser"
    assert claims.roles_by_group() == {"a=b": {"Viewer"}, "c": {"Viewer", "Eraser"}}
    sso.check()
