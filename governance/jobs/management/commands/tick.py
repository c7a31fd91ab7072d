"""Find due and abandoned work, once or every few seconds. Safe to run twice, late, or in parallel."""

import logging
import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.queries import database_clock

log = logging.getLogger(__name__)


def _tick(*, every: timedelta) -> None:
    now = timezone.now()
    doubt = jobs.observe_clock(now=now, database=database_clock(), every=every)
    if doubt:
        log.error("Nothing is expired, lapsed, closed or deleted. %s", doubt)
    outbox.tick(now=now, trusts_clock=not doubt)


class Command(BaseCommand):
    """`manage.py tick`."""

    help = "Find due and abandoned work, and notify the workers."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--every", type=float, default=0.0, help="Seconds between ticks; 0 means one tick only.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the tick once or in a loop. A failed tick is logged and does not stop the loop."""
        autodiscover_modules("tasks")
        while True:
            try:
                with audit.origin("job"):
                    _tick(every=timedelta(seconds=options["every"]))
            except Exception:
                log.exception("A tick failed. The next tick will try again.")
                if not options["every"]:
                    raise
            if not options["every"]:
                return
            close_old_connections()
            time.sleep(options["every"])
