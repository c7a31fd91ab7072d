"""Restore a backup into an empty installation, and verify its audit trail."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from governance.inventory.actions.stored_files import in_bucket
from governance.operations.management import backup_format as keeping


class Command(BaseCommand):
    """`manage.py restore FOLDER`."""

    help = "Restore a backup into an empty database and empty folders, then verify the audit trail."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Check that the backup is complete and the target empty; then restore, migrate and verify."""
        folder: Path = options["folder"]
        keeping.check_complete(folder)
        places = keeping.folders(with_keys=(folder / keeping.KEYS).exists())
        keeping.check_empty(places)
        if in_bucket():
            keeping.check_bucket()
        keeping.load(folder / keeping.DUMP)
        for name, place in places.items():
            keeping.copy(folder / name, place)
        if in_bucket():
            keeping.upload(folder / "artifacts")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("audit", "verify", stdout=self.stdout, stderr=self.stderr)
        due = "Effects that were delivered after the backup are due again. Each one is checked before it is sent."
        self.stdout.write(f"Restored. {due}")
        if not (in_bucket() or (folder / "artifacts").is_dir()):
            self.stdout.write("The backup holds no artifacts. If they are in a bucket, set WEIGHBRIDGE_ARTIFACTS.")
