"""Serve the application on this machine: web, workers and tick in one terminal, until Ctrl-C."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone

from governance.operations.management.stack import Stack
from governance.operations.management.supervision import Supervisor

LOOK_EVERY_S, ANSWER_S = 1.0, 10.0


@contextmanager
def _answers_within(limit_s: float) -> Iterator[None]:
    """Limit how long the database may take to answer this process in the block."""
    limited: Any = connection  # `answer_s` is of config.database
    before, limited.answer_s = limited.answer_s, limit_s
    try:
        yield
    finally:
        limited.answer_s = before


class Command(BaseCommand):
    """`manage.py up`."""

    help = "Serve the application on this machine: web, workers and tick in one terminal."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Start all processes, print the URL, keep them at work, and stop them together."""
        logs = Path(settings.VAR_DIR) / "logs"
        url = f"http://127.0.0.1:{options['port']}/"
        environment = {"WEIGHBRIDGE_BASE_URL": url.rstrip("/")}
        with _answers_within(ANSWER_S), Stack(logs=logs, environment=environment) as stack:
            stack.start_all(port=options["port"])
            stack.wait_for(url)
            self.stdout.write(self.style.SUCCESS(f"Weighbridge runs at {url} (logs in {logs}; press Ctrl-C to stop)."))
            supervisor = Supervisor(stack, say=self._say, revive=settings.EMBEDDED_DATABASE)
            try:
                while True:
                    time.sleep(LOOK_EVERY_S)
                    supervisor.look()
            except KeyboardInterrupt:
                self.stdout.write("Stopping.")

    def _say(self, sentence: str) -> None:
        self.stderr.write(f"{timezone.localtime():%H:%M:%S} {sentence}")
        self.stderr.flush()
