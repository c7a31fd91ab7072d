"""Bring an installation back from a folder `backup` wrote, into a place where there is none, and verify its audit
trail.
"""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from governance.operations.management import backup_format as keeping


class Command(BaseCommand):
    """`manage.py restore FOLDER`."""

    help = "Bring back what backup wrote, into an empty database and empty folders, then verify the audit trail."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from."""
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse what is incomplete and what would write over something; then restore, bring up to date, verify."""
        folder: Path = options["folder"]
        keeping.check_whole(folder)
        places = keeping.places(with_keys=(folder / keeping.KEYS).exists())
        keeping.check_empty(places)
        keeping.load(folder / keeping.DUMP)
        for name, place in places.items():
            keeping.copy(folder / name, place)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("audit", "verify", stdout=self.stdout, stderr=self.stderr)
        self.stdout.write(
            "Restored. Effects delivered after the back-up are due again: they are looked up before they are sent."
        )
