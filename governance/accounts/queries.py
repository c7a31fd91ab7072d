"""Reads of accounts."""

from django.contrib.auth.models import User

from governance.accounts.domain import DEMO_PASSWORD, DEMO_PEOPLE


def demo_people() -> list[str]:
    """The user names of the demo whose accounts are open and accept its known password."""
    users = User.objects.filter(username__in=DEMO_PEOPLE, is_active=True).order_by("username")
    return [user.username for user in users if user.check_password(DEMO_PASSWORD)]
