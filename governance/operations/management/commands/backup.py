"""Write a backup to an empty folder: the database, the files, the keys, and a list of digests."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from governance.inventory.actions.stored_files import in_bucket
from governance.operations.management import backup_format as keeping


class Command(BaseCommand):
    """`manage.py backup FOLDER`."""

    help = "Write the database, the files and the keys to an empty folder. The application may be running."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("folder", type=Path)
        text = "Omit the private keys. Store them in another place."
        parser.add_argument("--without-keys", action="store_true", help=text)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the backup, the database first: a file without a row is harmless, but a row without a file is not."""
        folder: Path = options["folder"]
        keeping.begin(folder)
        keeping.dump(folder / keeping.DUMP)
        for name, place in keeping.folders(with_keys=not options["without_keys"]).items():
            keeping.copy(place, folder / name)
        listed = keeping.write_list(folder, at=timezone.now())
        files, events = len(listed["files"]), listed["events"]
        self.stdout.write(f"{files} files and {events} audit events are backed up in {folder}.")
        if in_bucket():
            self.stdout.write("The artifacts are in a bucket, and not in this backup. Back up the bucket as well.")
