"""The accounts' pages, as an Administrator has them who is no superuser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from tests.support.accounts import PASSWORD, account
from threads.roles import ROLES, Right, create_roles

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(account("grace", "Administrator"))
    return client


def _change(user: User) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])


def _sent(user: User, **changed: object) -> dict[str, object]:
    return {"username": user.username, "is_active": "on", "groups": [each.pk for each in user.groups.all()]} | changed


def _role(name: str) -> int:
    return Group.objects.get(name=name).pk


def test_the_accounts_are_listed_with_their_roles(admin: Client) -> None:
    account("linus", "Viewer", "Auditor")
    said = admin.get(reverse("admin:auth_user_changelist")).content.decode()
    assert "Viewer, Auditor" in said
    assert "Administrator" in said


def test_the_roles_are_boxes_with_what_they_mean_in_words(admin: Client) -> None:
    said = admin.get(_change(account("linus", "Viewer"))).content.decode()
    for role in ROLES:
        assert f"<strong>{role.name}</strong> <span>{role.words}</span>" in said
    boxes = [line for line in said.splitlines() if 'name="groups"' in line]
    assert len(boxes) == len(ROLES)
    assert all('type="checkbox"' in box for box in boxes)
    assert sum("checked" in box for box in boxes) == 1


@pytest.mark.parametrize(
    "name", ["index", "auth_user_changelist", "auth_user_add", "auth_group_changelist", "auth_user_change"]
)
def test_each_page_has_the_desk_s_colours_and_leads_back(admin: Client, name: str) -> None:
    arguments = [User.objects.get().pk] if name.endswith("user_change") else []
    said = admin.get(reverse(f"admin:{name}", args=arguments)).content.decode()
    assert said.index("admin/css/base.css") < said.index("/static/css/tokens.css") < said.index("/static/css/admin.css")
    assert '<a href="/">Back to the desk</a>' in said
    assert "theme.js" not in said, "the desk follows the system's theme, and so does this"


def test_a_role_is_given_and_taken(admin: Client) -> None:
    linus = account("linus", "Viewer")
    assert not linus.has_perm(Right.AUDIT)
    assert admin.post(_change(linus), _sent(linus, groups=[_role("Auditor")])).status_code == 302
    linus = User.objects.get(pk=linus.pk)
    assert [each.name for each in linus.groups.all()] == ["Auditor"]
    assert linus.has_perm(Right.AUDIT)
    assert not linus.has_perm(Right.READ)


def test_an_account_is_made_and_signs_in_and_may_do_nothing_yet(admin: Client) -> None:
    sent = {"username": "newcomer", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert admin.post(reverse("admin:auth_user_add"), sent).status_code == 302
    client = Client()
    assert client.post("/sign-in/", {"username": "newcomer", "password": PASSWORD}).status_code == 302
    assert client.get("/threads/").status_code == 403


def test_no_password_hash_is_shown(admin: Client) -> None:
    linus = account("linus", "Viewer")
    said = admin.get(_change(linus)).content.decode()
    _, salt, digest = linus.password.split("$")
    assert salt not in said
    assert digest not in said


def test_nobody_makes_a_superuser_or_gives_single_permissions(admin: Client) -> None:
    linus = account("linus", "Viewer")
    said = admin.get(_change(linus)).content.decode()
    for field in ("is_superuser", "user_permissions", "is_staff"):
        assert f'name="{field}"' not in said
    everything = [each.pk for each in Permission.objects.all()]
    forged = _sent(linus, is_superuser="on", is_staff="on", user_permissions=everything)
    assert admin.post(_change(linus), forged).status_code == 302
    linus = User.objects.get(pk=linus.pk)
    assert not linus.is_superuser
    assert not linus.is_staff
    assert not linus.user_permissions.exists()
    own = User.objects.get(username="grace")
    admin.post(_change(own), _sent(own, is_superuser="on"))
    assert not User.objects.get(username="grace").is_superuser


def test_a_superuser_s_account_is_not_taken_over(admin: Client) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    before = root.password
    admin.post(_change(root), _sent(root, username="mine", is_active=""))
    sent = {"usable_password": "true", "password1": "another long one", "password2": "another long one"}
    assert admin.post(reverse("admin:auth_user_password_change", args=[root.pk]), sent).status_code == 403
    assert admin.post(reverse("admin:auth_user_delete", args=[root.pk]), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    admin.post(reverse("admin:auth_user_changelist"), action)
    there = User.objects.get(pk=root.pk)
    assert (there.username, there.password, there.is_active) == ("root", before, True)


def test_what_the_roles_may_do_is_not_changed(admin: Client) -> None:
    viewer = Group.objects.get(name="Viewer")
    address = reverse("admin:auth_group_change", args=[viewer.pk])
    assert admin.get(address).status_code == 200
    assert admin.post(address, {"name": "Viewer", "permissions": []}).status_code == 403
    assert admin.post(reverse("admin:auth_group_add"), {"name": "Gods"}).status_code == 403
    assert admin.post(reverse("admin:auth_group_delete", args=[viewer.pk]), {"post": "yes"}).status_code == 403
    assert viewer.permissions.count() == 1


def test_a_superuser_makes_groups_but_leaves_the_roles_as_they_are(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", password=PASSWORD))
    assert client.post(reverse("admin:auth_group_add"), {"name": "Controllers"}).status_code == 302
    viewer = Group.objects.get(name="Viewer")
    address = reverse("admin:auth_group_change", args=[viewer.pk])
    assert client.post(address, {"name": "Viewer", "permissions": []}).status_code == 403
    viewer.permissions.clear()
    create_roles()
    assert [each.codename for each in viewer.permissions.all()] == ["read"]


def test_who_is_no_administrator_any_more_changes_nothing(admin: Client) -> None:
    """Whatever this process remembers of the account, when another has changed it."""
    linus = account("linus", "Viewer")
    assert admin.get(_change(linus)).status_code == 200
    User.groups.through.objects.filter(user__username="grace").delete()
    sent = {"username": "newcomer", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert admin.post(reverse("admin:auth_user_add"), sent, follow=True).status_code == 403
    assert admin.post(_change(linus), _sent(linus, groups=[_role("Administrator")]), follow=True).status_code == 403
    assert not User.objects.filter(username="newcomer").exists()
    assert [each.name for each in linus.groups.all()] == ["Viewer"]


def test_who_is_no_superuser_any_more_makes_none(client: Client) -> None:
    root = account("root", "Administrator", is_superuser=True)
    client.force_login(root)
    assert 'name="is_superuser"' in client.get(_change(root)).content.decode()
    User.objects.filter(pk=root.pk).update(is_superuser=False)
    assert client.post(_change(root), _sent(root, is_superuser="on")).status_code == 302
    assert not User.objects.get(pk=root.pk).is_superuser


@pytest.mark.parametrize("role", [role.name for role in ROLES if role.name != "Administrator"])
def test_others_get_no_further_than_a_refusal(role: str, client: Client) -> None:
    client.force_login(account("linus", role))
    for address in ("/admin/", reverse("admin:auth_user_changelist"), reverse("admin:auth_group_changelist")):
        assert client.get(address, follow=True).status_code == 403
