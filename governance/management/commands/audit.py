"""Verify the audit trail: exit 0 when the chain is whole, 1 with the first bad row when it is not."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance import audit
from governance.models import AuditEvent


class Command(BaseCommand):
    """`manage.py audit verify`."""

    help = "Verify the hash chain of the audit trail."

    def add_arguments(self, parser: CommandParser) -> None:
        """Only one thing can be asked."""
        parser.add_argument("what", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Name the first bad row, or the head of the whole chain."""
        broken = audit.first_broken()
        if broken is not None:
            position, reason = broken
            self.stderr.write(self.style.ERROR(f"The chain is broken at event {position}: {reason}"))
            sys.exit(1)
        head = AuditEvent.objects.order_by("-position").first()
        count, digest = (head.position, head.hash) if head else (0, "empty")
        self.stdout.write(self.style.SUCCESS(f"{count} events, chain whole, head {digest}."))
