"""Find due and abandoned work, once or every few seconds. Of several ticks, one is at work and the others stand by."""

import logging
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs import ticks
from governance.jobs.management.tick_lock import lease_of, release_tick_lock, take_tick_lock
from governance.jobs.queries import database_clock

log = logging.getLogger(__name__)


def _tick(*, every: timedelta) -> None:
    now = timezone.now()
    doubt = jobs.observe_clock(now=now, database=database_clock(), every=every)
    if doubt:
        log.error("Nothing is expired, lapsed, closed or deleted. %s", doubt)
    ticks.tick(now=now, trusts_clock=not doubt)


class Command(BaseCommand):
    """`manage.py tick`."""

    help = "Find due and abandoned work, and notify the workers. While another tick is at work, stand by."
    is_at_work: bool | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--every", type=float, default=0.0, help="Seconds between ticks; 0 means one tick only.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the tick once or in a loop. A failed tick is logged and does not stop the loop."""
        autodiscover_modules("tasks")
        every = timedelta(seconds=options["every"])
        try:
            if not every:
                return self._take_turn(every)
            while True:
                with suppress(Exception):
                    self._take_turn(every)
                connection.close_at = None  # however old the connection is, it holds the lock
                close_old_connections()
                time.sleep(options["every"])
        finally:
            with suppress(DatabaseError):  # a database that is away holds no lock
                release_tick_lock()

    def _take_turn(self, every: timedelta) -> None:
        try:
            was_at_work, self.is_at_work = self.is_at_work, take_tick_lock(lease=lease_of(every=every))
            if self.is_at_work != was_at_work:
                log.info("This tick is at work." if self.is_at_work else "Another tick is at work. This one stands by.")
            if self.is_at_work:
                with audit.origin("job"):
                    _tick(every=every)
        except Exception:
            log.exception("A tick failed. The next tick will try again.")
            raise
