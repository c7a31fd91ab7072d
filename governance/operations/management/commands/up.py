"""Serve the application on this machine: web, workers and tick in one terminal, until Ctrl-C."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from governance.operations.management.stack import Stack


class Command(BaseCommand):
    """`manage.py up`."""

    help = "Serve the application on this machine: web, workers and tick in one terminal."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Start all processes, print the URL, and stop them together."""
        logs = Path(settings.VAR_DIR) / "logs"
        url = f"http://127.0.0.1:{options['port']}/"
        with Stack(logs=logs, environment={"WEIGHBRIDGE_BASE_URL": url.rstrip("/")}) as stack:
            stack.start_all(port=options["port"])
            stack.wait_for(url)
            self.stdout.write(self.style.SUCCESS(f"Weighbridge runs at {url} (logs in {logs}; press Ctrl-C to stop)."))
            try:
                while stack.dead() is None:
                    time.sleep(1)
                log = logs / f"{stack.dead()}.log"
                self.stderr.write(f"The process {stack.dead()} ended. Stopping. Its log: {log}")
            except KeyboardInterrupt:
                self.stdout.write("Stopping.")
