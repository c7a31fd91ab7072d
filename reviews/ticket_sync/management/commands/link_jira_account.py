"""Link a user to a Jira account, so that moves by this account count as moves by the user."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actions import record as audit
from reviews.ticket_sync.actions.accounts import link_account
from reviews.tickets.queries.sites import active_sites
from weighbridge.core.errors import Refused


class Command(BaseCommand):
    """`manage.py link_jira_account USER ACCOUNT_ID [--site NAME]`."""

    help = "Link a user to a Jira account by its account id; an empty id removes the link."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the user and the account id."""
        parser.add_argument("user")
        parser.add_argument("account_id", help='For example 5b10ac8d82e05b22cc7d4ef5; "" removes the link.')
        parser.add_argument("--site", default="", help="The name of the ticket site; needed if there are several.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Link or unlink, and print the result."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}; create the user in the admin first.")
        sites = [site for site in active_sites() if options["site"] in {"", site.name}]
        if len(sites) != 1:
            raise CommandError("Name one ticket site with --site: " + ", ".join(site.name for site in active_sites()))
        try:
            with audit.origin("command"):
                row = link_account(
                    site=sites[0], user=user, account_id=options["account_id"], by=None, now=timezone.now()
                )
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        what = f"is linked to Jira account {row.account_id}" if row else "is not linked to a Jira account"
        self.stdout.write(f"{user.username} {what}.")
