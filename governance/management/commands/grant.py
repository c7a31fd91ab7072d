"""Grant a role to a user, making the user and the team where they are missing."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from governance import audit
from governance.actions import people
from governance.domain.roles import Role


class Command(BaseCommand):
    """`manage.py grant USER ROLE [--team SLUG]`."""

    help = "Grant a role: requester (for a team), reviewer, platform_lead, finance, admin or auditor."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, what, and for which team."""
        parser.add_argument("user")
        parser.add_argument("role", choices=[role.value for role in Role])
        parser.add_argument("--team", default="", help="Slug of the team; needed for requesters.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant it, and say so."""
        now = timezone.now()
        with audit.origin("command"):
            user = User.objects.get(username=options["user"])
            slug = options["team"]
            team = (
                people.create_team(slug=slug, name=slug.replace("-", " ").title(), by=None, now=now) if slug else None
            )
            people.grant_role(user=user, role=Role(options["role"]), team=team, by=None, now=now)
        self.stdout.write(f"{user.username} is now {options['role']}{' of ' + slug if slug else ''}.")
