"""Grant a role to a user, and create the team if it is missing."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.people.actions import people
from governance.people.domain.roles import Role
from weighbridge.core.errors import Refused


class Command(BaseCommand):
    """`manage.py grant USER ROLE [--team SLUG]`."""

    help = "Grant a role: requester (for a team), reviewer, platform_lead, finance, admin or auditor."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("user")
        parser.add_argument("role", choices=[role.value for role in Role])
        parser.add_argument("--team", default="", help="Slug of the team; required for requesters.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant the role and print the result."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            missing = f"There is no user {options['user']!r}."
            raise CommandError(f"{missing} Create one with manage.py createsuperuser or in the admin.")
        now, slug = timezone.now(), options["team"]
        try:
            with audit.origin("command"), transaction.atomic():
                name = slug.replace("-", " ").title()
                team = people.create_team(slug=slug, name=name, by=None, now=now) if slug else None
                people.grant_role(user=user, role=Role(options["role"]), team=team, by=None, now=now)
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        self.stdout.write(f"{user.username} is now {options['role']}{' of ' + slug if slug else ''}.")
