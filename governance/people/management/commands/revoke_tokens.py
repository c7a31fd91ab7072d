"""Revoke all API tokens of a user."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.people.actions import people


class Command(BaseCommand):
    """`manage.py revoke_tokens USER`."""

    help = "Revoke all API tokens of a user, for example because one leaked."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke the tokens and print the beginning of each."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        with audit.origin("command"):
            gone = people.end_tokens(user=user, reason=people.ALONE, by=None, now=timezone.now())
        self.stdout.write(f"Revoked {len(gone)} tokens of {user.username}: {', '.join(gone) or 'none was valid'}.")
