"""People: teams, the roles granted to users, and tokens for programs."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.people.domain.roles import Role
from governance.people.domain.scopes import TokenScope

SCOPES = [(scope.value, scope.value) for scope in TokenScope]
ROLES = [(role.value, role.value.replace("_", " ")) for role in Role]


class Team(models.Model):
    """A team that files requests and owns models and budgets."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.name


class RoleGrant(models.Model):
    """A role of a user: requester for one team, all others for the whole organization."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="role_grants")
    role = models.CharField(max_length=20, choices=ROLES)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="role_grants")

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "role", "team", name="one_grant", nulls_distinct=False),
            models.CheckConstraint(
                name="requesters_have_a_team",
                condition=Q(role=Role.REQUESTER, team__isnull=False) | (~Q(role=Role.REQUESTER) & Q(team__isnull=True)),
            ),
            models.CheckConstraint(name="known_role", condition=Q(role__in=[role.value for role in Role])),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class ApiToken(models.Model):
    """An API token that acts as its user. Only the hash is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    scope = models.CharField(max_length=6, choices=SCOPES, default=TokenScope.WRITE, db_default=TokenScope.WRITE.value)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="known_scope", condition=Q(scope__in=[scope.value for scope in TokenScope])),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"
