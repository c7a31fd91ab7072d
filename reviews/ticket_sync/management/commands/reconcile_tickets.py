"""Compare every ticket with the tracker: report the differences, read the tickets again, or move them back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.enums import JobState
from reviews.ticket_sync.actions import reconciliation
from reviews.tickets.domain.moves import ReconciliationMode
from reviews.tickets.models import TicketSite
from reviews.tickets.queries.mirror import last_reconciliation
from reviews.tickets.queries.sites import active_sites


class Command(BaseCommand):
    """`manage.py reconcile_tickets [--mode report|pull|push]`."""

    help = (
        "Compare every ticket with the tracker; report changes nothing, pull reads tickets again, push moves them back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the mode."""
        parser.add_argument(
            "--mode", choices=[mode.value for mode in ReconciliationMode], default=ReconciliationMode.REPORT.value
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare now, and print the counts of each site."""
        autodiscover_modules("tasks")
        sites = active_sites()
        if not sites:
            raise CommandError("Not compared: no ticket site is set up. An administrator does this on the pages.")
        for site in sites:
            self._compare(site, ReconciliationMode(options["mode"]))

    def _compare(self, site: TicketSite, mode: ReconciliationMode) -> None:
        now = timezone.now()
        with audit.origin("command"):
            asked = reconciliation.request_reconciliation(
                site=site, mode=mode, occasion=f"command:{now.isoformat()}", now=now
            )
            message = outbox.deliver(pk=asked.pk, now=now)
        if message is None or message.state != JobState.DONE:
            asked.refresh_from_db()
            raise CommandError(
                f"{site.name} is not compared yet: {asked.error or 'an earlier comparison is still running.'}"
            )
        found = last_reconciliation(site)
        if found is not None:
            counts = ", ".join(f"{count} {name}" for name, count in found.counts)
            self.stdout.write(f"{site.name}: {counts} ({found.mode})")
