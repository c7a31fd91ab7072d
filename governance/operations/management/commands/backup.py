"""Write everything an installation is into an empty folder: the database, the files, the keys, and a list
of digests.
"""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from governance.audit.models import AuditEvent
from governance.operations.management import backup_format as keeping


class Command(BaseCommand):
    """`manage.py backup FOLDER`."""

    help = "Write the database, the files and the keys into an empty folder; may run while the application does."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and whether the keys come along."""
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--without-keys", action="store_true", help="Leave the private keys out; keep them somewhere else."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """The database first: a file without a row is litter, a row without its file is a hole."""
        folder: Path = options["folder"]
        keeping.begin(folder)
        keeping.dump(folder / keeping.DUMP)
        for name, place in keeping.places(with_keys=not options["without_keys"]).items():
            keeping.copy(place, folder / name)
        head = AuditEvent.objects.order_by("-position").first()
        files, events = keeping.digests(folder), head.position if head else 0
        said: dict[str, object] = {"schema": keeping.SCHEMA, "at": timezone.now().isoformat(), "files": files}
        said |= {"events": events, "head": head.hash if head else ""}
        (folder / keeping.LIST).write_text(json.dumps(said, indent=1, sort_keys=True) + "\n")
        self.stdout.write(f"{len(files)} files and {events} audit events are kept in {folder}.")
