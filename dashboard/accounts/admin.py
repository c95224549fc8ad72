"""Django admin pages for accounts and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from threads.roles import ROLES

from . import active_sessions

_DESCRIPTIONS = {role.name: role.words for role in ROLES}


if TYPE_CHECKING:
    _MultipleChoiceField = forms.ModelMultipleChoiceField[Group]
    _UserAdmin = UserAdmin[User]
else:
    _MultipleChoiceField, _UserAdmin = forms.ModelMultipleChoiceField, UserAdmin


class _RoleField(_MultipleChoiceField):
    def label_from_instance(self, obj: Group) -> str:
        words = _DESCRIPTIONS.get(obj.name)
        return format_html("<strong>{}</strong> <span>{}</span>", obj.name, words) if words else obj.name


class AccountAdmin(_UserAdmin):
    """Accounts with their roles. Only superusers change superusers or single permissions: an Administrator can neither
    make a superuser nor take one's account over."""

    list_display = ("username", "email", "first_name", "last_name", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    filter_horizontal = ("user_permissions",)

    _PERSON: Any = (None, {"fields": ("username", "password")})
    _NAMES: Any = ("Person", {"fields": ("first_name", "last_name", "email")})
    _RIGHTS: Any = ("Roles", {"fields": ("is_active", "groups")})
    _DATES: Any = ("Dates", {"fields": ("last_login", "date_joined")})
    _ABOVE: Any = ("Beyond roles", {"classes": ("collapse",), "fields": ("is_superuser", "user_permissions")})

    actions = ("sign_out_everywhere",)

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def sign_out_everywhere(self, request: HttpRequest, accounts: QuerySet[User]) -> None:
        managed = [each for each in accounts if _may_manage(request, each)]
        ended = sum(active_sessions.end_sessions(each, "signed out by an administrator") for each in managed)
        text = f"Accounts signed out everywhere: {len(managed)}, with {ended} session{'s' if ended != 1 else ''}."
        self.message_user(request, text, messages.SUCCESS)
        if len(managed) < len(accounts):
            self.message_user(
                request, "Superusers were not signed out: only a superuser can do that.", messages.WARNING
            )

    @admin.display(description="Roles")
    def roles(self, account: User) -> str:
        held = [group.name for group in account.groups.all()]
        return ", ".join((["superuser: everything"] if account.is_superuser else []) + held) or "none"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        shown = (self._PERSON, self._NAMES, self._RIGHTS, self._DATES)
        return (*shown, self._ABOVE) if _is_superuser(request) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("last_login", "date_joined")

    def formfield_for_manytomany(self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "groups":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        return _RoleField(
            Group.objects.order_by("id"), required=False, label="Roles", widget=forms.CheckboxSelectMultiple
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_manage(request, obj)


class RoleAdmin(GroupAdmin):
    """Roles, read-only. Only superusers add further groups."""

    list_display = ("name", "words")

    @admin.display(description="May")
    def words(self, group: Group) -> str:
        return _DESCRIPTIONS.get(group.name, "A group of your own: see its permissions.")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request) and (obj is None or obj.name not in _DESCRIPTIONS)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request) and (obj is None or obj.name not in _DESCRIPTIONS)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _may_manage(request: HttpRequest, account: User | None) -> bool:
    return account is None or not account.is_superuser or _is_superuser(request)


admin.site.unregister([User, Group])
admin.site.register(User, AccountAdmin)
admin.site.register(Group, RoleAdmin)
