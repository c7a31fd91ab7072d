"""Compare every ticket with the tracker: report the differences, read the tickets again, or move them back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.enums import JobState
from reviews.ticket_sync.actions import reconciliation
from reviews.tickets.domain import ReconciliationMode
from reviews.tickets.queries.mirror import last_reconciliation


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
        """Compare now, and print the counts."""
        autodiscover_modules("tasks")
        now = timezone.now()
        with audit.origin("command"):
            asked = reconciliation.request_reconciliation(
                mode=ReconciliationMode(options["mode"]), occasion=f"command:{now.isoformat()}", now=now
            )
            message = outbox.deliver(pk=asked.pk, now=now)
        if message is None or message.state != JobState.DONE:
            asked.refresh_from_db()
            raise CommandError(f"Not compared yet: {asked.error or 'an earlier comparison is still running.'}")
        found = last_reconciliation()
        if found is not None:
            self.stdout.write(", ".join(f"{count} {name}" for name, count in found.counts) + f" ({found.mode})")
