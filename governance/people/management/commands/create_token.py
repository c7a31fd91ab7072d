"""Create an API token for a user and print it once."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from weighbridge.core.errors import Refused


class Command(BaseCommand):
    """`manage.py create_token USER`."""

    help = "Create an API token for a user and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("user")
        parser.add_argument("--days", type=int, default=90, help="How long the token is valid.")
        parser.add_argument(
            "--scope",
            choices=[scope.value for scope in TokenScope],
            default=TokenScope.WRITE.value,
            help="Permissions of the token: read; write (everything its user may do); gate (only ask the gate); "
            "report (only report workloads and usage); or worker (only the work of a benchmark worker).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the token and print it. The token itself is not stored."""
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            missing = f"There is no active user {options['user']!r}."
            raise CommandError(f"{missing} Create one with manage.py createsuperuser or in the admin.")
        days, scope = options["days"], TokenScope(options["scope"])
        try:
            with audit.origin("command"):
                token = people.create_token(user=user, valid_days=days, scope=scope, by=None, now=timezone.now())
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        self.stdout.write(token)
