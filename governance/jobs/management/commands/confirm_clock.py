"""Confirm that the clock is right, after the tick distrusted it: what it skipped is done at the next tick."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs.queries import database_clock
from weighbridge.core.errors import Refused


class Command(BaseCommand):
    """`manage.py confirm_clock`."""

    help = "Confirm that the clock of this machine is right, after it jumped or after nothing ran for an hour."

    def handle(self, *args: Any, **options: Any) -> None:
        """Confirm the present time and print it."""
        now = timezone.now()
        try:
            with audit.origin("command"):
                jobs.confirm_clock(now=now, database=database_clock())
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        self.stdout.write(f"Confirmed: it is {now:%Y-%m-%d %H:%M} UTC. The next tick does what was skipped.")
