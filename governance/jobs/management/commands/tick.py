"""Find what is due or was abandoned, once or every few seconds; harmless when run twice, late, or in parallel."""

import logging
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from governance.audit.actions import record as audit
from governance.jobs import outbox

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """`manage.py tick`."""

    help = "Find what is due or was abandoned, and wake workers for it."

    def add_arguments(self, parser: CommandParser) -> None:
        """How often."""
        parser.add_argument("--every", type=float, default=0.0, help="Seconds between ticks; 0 ticks once.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tick; a tick that fails is logged and the next one tries again."""
        autodiscover_modules("tasks")
        while True:
            try:
                with audit.origin("job"):
                    outbox.tick(now=timezone.now())
            except Exception:
                log.exception("A tick failed; the next one tries again.")
                if not options["every"]:
                    raise
            if not options["every"]:
                return
            close_old_connections()
            time.sleep(options["every"])
