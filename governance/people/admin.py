"""Django's admin for accounts, teams and roles, which are granted and revoked through the same audited actions.

It cannot bypass the second person: binding roles must be proposed on the page of changes, and administrators cannot
change the password, address or factors of people who have one.
"""

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from governance.people import models
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.queries.people import binds_people
from governance.site.admin import ModelAdmin, ReadOnly

if TYPE_CHECKING:
    from django.forms import ModelForm

    UserAdmin = auth_admin.UserAdmin[User]
else:
    UserAdmin = auth_admin.UserAdmin


def _acting(request: HttpRequest) -> User:
    """The logged-in user; the admin requires a login."""
    return User.objects.get(username=request.user.get_username())


@admin.register(models.Team)
class TeamAdmin(ReadOnly):
    """Teams can be created here, but not renamed or removed."""

    list_display = ("slug", "name")
    has_add_permission = ModelAdmin.has_add_permission

    def save_model(self, request: HttpRequest, obj: models.Team, form: "ModelForm[Any]", change: bool) -> None:
        """Create the team through the action."""
        obj.pk = people.create_team(slug=obj.slug, name=obj.name, by=_acting(request), now=timezone.now()).pk


@admin.register(models.RoleGrant)
class RoleGrantAdmin(ReadOnly):
    """Roles are granted and revoked through the actions, which refuse grants to oneself and binding roles."""

    list_display = ("user", "role", "team")
    list_filter = ("role", "team")
    has_add_permission = ModelAdmin.has_add_permission
    has_delete_permission = ModelAdmin.has_delete_permission

    def save_model(self, request: HttpRequest, obj: models.RoleGrant, form: "ModelForm[Any]", change: bool) -> None:
        """Grant through the action."""
        by, now = _acting(request), timezone.now()
        obj.pk = people.grant_role(user=obj.user, role=Role(obj.role), team=obj.team, by=by, now=now).pk

    def delete_model(self, request: HttpRequest, obj: models.RoleGrant) -> None:
        """Revoke through the action."""
        people.revoke_role(user=obj.user, role=Role(obj.role), team=obj.team, by=_acting(request), now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Revoke each through the action."""
        for grant in queryset:
            self.delete_model(request, grant)


class Guarded(ModelAdmin):
    """Protects the login data of people with binding roles: with it, administrators could confirm their own proposals.

    One administrator can revoke the roles first; granting them again takes two people.
    """

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Use Django's permissions for people without binding roles; otherwise refuse."""
        return not _is_guarded(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Use Django's permissions for people without binding roles; otherwise refuse."""
        return not _is_guarded(obj) and super().has_delete_permission(request, obj)


def _is_guarded(row: Model | None) -> bool:
    """Whether a role binds the owner of an account, a factor or an address."""
    return row is not None and binds_people(row if isinstance(row, User) else row.user)  # type: ignore[attr-defined]  # each of these has one


class AccountAdmin(Guarded, UserAdmin):
    """Accounts are created here, and closed and reopened by the actions for all people."""

    actions = ("close", "reopen")
    readonly_fields = ("is_active",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Keep user names: the audit trail knows people by them, and rules about former owners read the trail."""
        return self.readonly_fields if obj is None else (*self.readonly_fields, "username")

    @admin.action(description="Close the selected accounts")
    def close(self, request: HttpRequest, queryset: Any) -> None:
        """Close each account through the action."""
        for user in queryset:
            people.close_account(user=user, by=_acting(request), now=timezone.now())

    @admin.action(description="Reopen the selected accounts")
    def reopen(self, request: HttpRequest, queryset: Any) -> None:
        """Reopen each account through the action."""
        for user in queryset:
            people.reopen_account(user=user, by=_acting(request), now=timezone.now())


class WayInAdmin(Guarded):
    """Second factors and addresses can be removed for people who lost one, but not added or moved."""

    list_display = ("user",)
    fields = ("user",)
    has_add_permission = ReadOnly.has_add_permission
    has_change_permission = ReadOnly.has_change_permission


admin.site.unregister((User, Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken))
admin.site.register(User, AccountAdmin)
admin.site.register((Authenticator, EmailAddress), WayInAdmin)
