"""Say which account of Jira is whose, so that a move there may count as that person's."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actions import record as audit
from reviews.inbound.actions import receiving as inbound
from weighbridge.core.errors import Refused


class Command(BaseCommand):
    """`manage.py link_jira_account USER ACCOUNT_ID`."""

    help = "Link a user to an account of Jira by its account id; an empty id takes the link away."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and which."""
        parser.add_argument("user")
        parser.add_argument("account_id", help='For example 5b10ac8d82e05b22cc7d4ef5; "" unlinks.')

    def handle(self, *args: Any, **options: Any) -> None:
        """Link, and say so."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}; make one in the admin first.")
        try:
            with audit.origin("command"):
                row = inbound.identify(user=user, account_id=options["account_id"], by=None, now=timezone.now())
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        what = f"is {row.account_id} in Jira" if row else "has no account in Jira"
        self.stdout.write(f"{user.username} {what}.")
