"""Add a ticket site with one route for every ticket, without the pages: for installations set up by scripts."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from governance.audit.actions import record as audit
from reviews.ticket_sync.actions import routes, sites
from reviews.ticket_sync.queries.asking import detected, first_health
from reviews.ticket_sync.rules import check_credential
from reviews.tickets.models import Access, TicketRoute, TicketSite
from weighbridge.core.errors import Invalid, Refused


class Command(BaseCommand):
    """`manage.py add_ticket_site URL --project KEY --token-file FILE [--account EMAIL]`."""

    help = "Add a Jira site, test it, and open every ticket in one of its projects. The pages can do more."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address, the credential, the project and what maps to what."""
        parser.add_argument("url", help="For example https://acme.atlassian.net.")
        parser.add_argument("--name", default="Jira", help="The name on pages.")
        parser.add_argument("--token-file", type=Path, required=True, help="A file with the token, in one line.")
        parser.add_argument("--account", default="", help="The e-mail address of the account; only for Jira Cloud.")
        parser.add_argument("--project", required=True, help="The key of the project.")
        parser.add_argument("--issue-type", default="Task", help="The issue type of the tickets.")
        parser.add_argument("--status", action="append", default=[], metavar="STATE=STATUS", help="May be repeated.")
        parser.add_argument("--settle-s", type=int, default=45, help="How long the search may lag, in seconds.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask the server what it is, test the connection, then store everything, activated; nothing of what fails."""
        try:
            with audit.origin("command"):
                site = self._add(**options)
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        except OSError as error:
            raise CommandError(f"The file of the token cannot be read: {error.strerror}.") from error
        self.stdout.write(f"{site.name} is active: {site.server} at {site.base_url}.")

    def _add(self, **options: Any) -> TicketSite:
        """Jira is asked before anything is stored: everybody who is recorded waits for a transaction that stores."""
        url, account = options["url"].strip().rstrip("/"), options["account"].strip()
        server, settle_s = detected(url), options["settle_s"]
        token = options["token_file"].read_text(encoding="utf-8").strip()
        asked = TicketSite(base_url=url, flavor=server.flavor, server=server.words, settle_s=settle_s, account=account)
        access = Access.ACCOUNT if asked.flavor == "cloud" else Access.TOKEN
        given = {"access": access, "account": account, "credential": token}
        check_credential(site=asked, **given)
        spec = routes.RouteSpec(project=options["project"].strip(), issue_type=options["issue_type"].strip())
        statuses = dict(pair.partition("=")[::2] for pair in options["status"])
        health = first_health(asked, route=TicketRoute(**vars(spec), statuses=statuses), given=token)
        if not health.ok:
            raise Invalid(health.sentence)
        known: dict[str, Any] = {"by": None, "now": timezone.now()}
        with transaction.atomic():
            site = sites.add_site(name=options["name"], url=url, server=server, **known)
            site = sites.set_options(site=site, settle_s=settle_s, comparison="pull", **known)
            route = routes.add_route(site=site, spec=spec, **known)
            routes.map_statuses(route=route, statuses=statuses, moves={}, **known)
            site = sites.store_credential(site=site, health=health, **known, **given)
        # On its own: it locks the tickets that wait, and nobody may lock them who has the head of the audit trail.
        return sites.activate_site(site=site, **known)
