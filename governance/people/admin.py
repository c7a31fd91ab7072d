"""Django's admin: read-only, but for teams and roles, which are granted and revoked through the same audited actions.

No door around the second person: a role that binds people is proposed on the page of changes, and whoever holds one
keeps password, address and factors to themselves, so that no administrator confirms in another's name.
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

from governance.audit import models as audit_models
from governance.bills import models as bills_models
from governance.budgets import models as budgets_models
from governance.findings import models as findings_models
from governance.inventory import models as inventory_models
from governance.jobs import models as jobs_models
from governance.people import models as people_models
from governance.people.actions import people
from governance.people.approvals import models as approvals_models
from governance.people.domain.roles import Role
from governance.people.queries.people import binds_people
from governance.rulebook import models as rulebook_models

if TYPE_CHECKING:
    from django.forms import ModelForm

    ModelAdmin = admin.ModelAdmin[Any]
    UserAdmin = auth_admin.UserAdmin[User]
else:
    ModelAdmin = admin.ModelAdmin
    UserAdmin = auth_admin.UserAdmin


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


@admin.register(people_models.Team)
class TeamAdmin(ReadOnly):
    """Teams; opened here, never renamed or removed."""

    list_display = ("slug", "name")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def save_model(self, request: HttpRequest, obj: people_models.Team, form: "ModelForm[Any]", change: bool) -> None:
        """Open the team through the action."""
        team = people.create_team(slug=obj.slug, name=obj.name, by=_acting(request), now=timezone.now())
        obj.pk = team.pk


@admin.register(people_models.RoleGrant)
class RoleGrantAdmin(ReadOnly):
    """Roles; granted and revoked through the actions, which refuse a grant to oneself, and one that takes
    two people.
    """

    list_display = ("user", "role", "team")
    list_filter = ("role", "team")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def save_model(
        self, request: HttpRequest, obj: people_models.RoleGrant, form: "ModelForm[Any]", change: bool
    ) -> None:
        """Grant through the action."""
        grant = people.grant_role(
            user=obj.user,
            role=Role(obj.role),
            team=obj.team,
            by=_acting(request),
            now=timezone.now(),
        )
        obj.pk = grant.pk

    def delete_model(self, request: HttpRequest, obj: people_models.RoleGrant) -> None:
        """Revoke through the action."""
        people.revoke_role(user=obj.user, role=Role(obj.role), team=obj.team, by=_acting(request), now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Revoke each through the action."""
        for grant in queryset:
            self.delete_model(request, grant)


def _holder(row: Model | None) -> User | None:
    """Whose account a row is, or lets somebody into."""
    return row if isinstance(row, User) or row is None else row.user  # type: ignore[attr-defined]  # each of these has one


class Guarded(ModelAdmin):
    """What lets people into an account; of whoever binds others, no administrator changes it.

    With another's password, address or factor one would confirm one's own proposals. Revoke the roles first, which one
    administrator may do; to give them back takes two.
    """

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say, for those who bind nobody."""
        return not self._is_guarded(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As Django's permissions say, for those who bind nobody."""
        return not self._is_guarded(obj) and super().has_delete_permission(request, obj)

    def _is_guarded(self, row: Model | None) -> bool:
        holder = _holder(row)
        return holder is not None and binds_people(holder)


class AccountAdmin(Guarded, UserAdmin):
    """Accounts: opened here; closed by the action, whoever they belong to."""

    actions = ("close",)

    @admin.action(description="Close the selected accounts")
    def close(self, request: HttpRequest, queryset: Any) -> None:
        """Close each through the action."""
        for user in queryset:
            people.close_account(user=user, by=_acting(request), now=timezone.now())


class WayInAdmin(Guarded):
    """Second factors and addresses: removed for whoever lost one, never planted or moved to another account."""

    list_display = ("user",)
    fields = ("user",)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


admin.site.unregister((User, Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken))
admin.site.register(User, AccountAdmin)
admin.site.register((Authenticator, EmailAddress), WayInAdmin)

for model in (
    bills_models.AllocationRule,
    bills_models.AllocationVersion,
    bills_models.Bill,
    bills_models.BillSlice,
    bills_models.ExchangeRate,
    bills_models.SpendLine,
    people_models.ApiToken,
    audit_models.AuditEvent,
    budgets_models.BudgetAccount,
    approvals_models.Change,
    rulebook_models.ChecklistVersion,
    audit_models.Checkpoint,
    budgets_models.CostCentre,
    findings_models.Finding,
    budgets_models.LedgerEntry,
    inventory_models.ModelAsset,
    inventory_models.ModelVersion,
    jobs_models.OutboxMessage,
    rulebook_models.PolicyVersion,
):
    admin.site.register(model, ReadOnly)
