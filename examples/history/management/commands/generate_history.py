"""Fill the database of the recording with ten years of requests."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from examples.history import filling
from weighbridge.core.errors import Refused


class Command(BaseCommand):
    """`manage.py generate_history --requests N`, with the settings of `make try`."""

    help = "Replace the requests of the recording by copies over ten years, in many divisions; nothing is at random."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--requests", type=int, default=10_000, help="How many requests there will be, about.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill, and say how far it is."""
        try:
            count = filling.fill(requests=options["requests"], now=timezone.now(), progress=self._say)
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"\r{count:,} requests of ten years, with everything that belongs to them.")

    def _say(self, share: float, what: str) -> None:
        self.stdout.write(f"\r{share:4.0%} of the requests are written: {what}      ", ending="")
        self.stdout.flush()
