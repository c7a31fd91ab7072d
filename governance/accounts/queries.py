"""Reads of accounts."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from governance.accounts.domain import DEMO_PASSWORD, DEMO_PEOPLE
from governance.people.models import RoleGrant
from governance.people.queries.people import named_like

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def demo_people() -> list[str]:
    """The user names of the demo whose accounts are open and accept its known password."""
    users = User.objects.filter(username__in=DEMO_PEOPLE, is_active=True).order_by("username")
    return [user.username for user in users if user.check_password(DEMO_PASSWORD)]


def accounts(words: str = "") -> QuerySet[User]:
    """Accounts with their roles, open ones first, by user name; each word is in one of the names.

    `has_factor` says whether a second factor is set up.
    """
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    grants = Prefetch("role_grants", RoleGrant.objects.select_related("team").order_by("role", "team__name"))
    rows = User.objects.filter(named_like(words)).annotate(has_factor=Exists(factors))
    return rows.prefetch_related(grants).order_by("-is_active", "username")
