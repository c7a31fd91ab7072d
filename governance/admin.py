"""Django's admin: read-only, but for teams and roles, which are granted and revoked through the same audited actions."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from governance import models
from governance.actions import people
from governance.domain.roles import Role

if TYPE_CHECKING:
    from django.forms import ModelForm

    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


def _acting(request: HttpRequest) -> User:
    """Whoever is logged in; the admin lets nobody else in."""
    return User.objects.get(username=request.user.get_username())


class ReadOnly(ModelAdmin):
    """Shows rows and changes none."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(models.Team)
class TeamAdmin(ReadOnly):
    """Teams; opened here, never renamed or removed."""

    list_display = ("slug", "name")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def save_model(self, request: HttpRequest, obj: models.Team, form: "ModelForm[Any]", change: bool) -> None:
        """Open the team through the action."""
        team = people.create_team(slug=obj.slug, name=obj.name, by=_acting(request), now=timezone.now())
        obj.pk = team.pk


@admin.register(models.RoleGrant)
class RoleGrantAdmin(ReadOnly):
    """Roles; granted and revoked through the actions, which refuse a grant to oneself."""

    list_display = ("user", "role", "team")
    list_filter = ("role", "team")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: models.RoleGrant, form: "ModelForm[Any]", change: bool) -> None:
        """Grant through the action."""
        grant = people.grant_role(
            user=obj.user,
            role=Role(obj.role),
            team=obj.team,
            by=_acting(request),
            now=timezone.now(),
        )
        obj.pk = grant.pk

    def delete_model(self, request: HttpRequest, obj: models.RoleGrant) -> None:
        """Revoke through the action."""
        people.revoke_role(user=obj.user, role=Role(obj.role), team=obj.team, by=_acting(request), now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Revoke each through the action."""
        for grant in queryset:
            self.delete_model(request, grant)


for model in (
    models.ApiToken, models.AuditEvent, models.BudgetAccount, models.ChecklistVersion, models.LedgerEntry,
    models.ModelAsset, models.ModelVersion, models.OutboxMessage, models.PolicyVersion,
):  # fmt: skip
    admin.site.register(model, ReadOnly)
