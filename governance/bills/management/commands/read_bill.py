"""Receive a bill from a file on this machine; a worker reads it."""

from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.bills.actions import bills
from governance.bills.enums import BillKind, BillOrigin
from weighbridge.core.errors import Refused


class Command(BaseCommand):
    """`manage.py read_bill FILE`."""

    help = "Receive a bill (FOCUS as CSV, CSV.gz or Parquet), a scheduler's accounting (CSV) or an export (JSON, CSV)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", choices=BillKind.values, default=BillKind.FOCUS.value)
        parser.add_argument("--cluster", default="", help="Name of the cluster or account; FOCUS bills need none.")
        parser.add_argument("--new", action="store_true", help="Reject the file if it would replace data of a period.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Receive the file and print its state."""
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"The file {path} does not exist.")
        delivery = bills.Delivery(
            kind=BillKind(options["kind"]),
            origin=BillOrigin.COMMAND,
            cluster=options["cluster"],
            refuses_existing=options["new"],
        )
        try:
            with audit.origin("command"), path.open("rb") as file:
                upload = File(file, name=path.name)
                bill = bills.receive(upload=upload, delivery=delivery, by=None, now=timezone.now())
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        self.stdout.write(f"{bill} is {bill.state}: see /bills/{bill.pk}/ for its progress and report.")
