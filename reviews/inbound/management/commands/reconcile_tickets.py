"""Compare every ticket with the tracker: tell the differences, read them into here, or put the tickets back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.enums import JobState
from reviews.inbound.actions import reconciliation
from reviews.tickets.domain import ReconciliationMode
from reviews.tickets.queries.mirror import last_reconciliation


class Command(BaseCommand):
    """`manage.py reconcile_tickets [--mode report|pull|push]`."""

    help = "Compare every ticket with the tracker; report changes nothing, pull reads anew, push puts tickets back."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do with a difference."""
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
            raise CommandError(f"Not compared yet: {asked.error or 'an earlier comparison is under way.'}")
        found = last_reconciliation()
        if found is not None:
            self.stdout.write(", ".join(f"{count} {name}" for name, count in found.counts) + f" ({found.mode})")
