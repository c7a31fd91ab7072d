"""Write the feed as a file for mirrors, which serve it to gates that cannot reach this server."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.queries.keys import public_key
from reviews.feed.queries import entries, heads
from weighbridge.client.feed.document import verified_feed, write_feed
from weighbridge.core.errors import Refused


class Command(BaseCommand):
    """`manage.py write_feed PATH`."""

    help = "Verify the feed, and write it with a fresh head to a file. Run it more often than WEIGHBRIDGE_FEED_HEAD_S."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("path", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file and say what it contains."""
        head = heads.head_at(timezone.now())
        envelope, rows = heads.signed_head(head), entries.first_entries(size=head.size)
        try:
            feed = verified_feed(envelope, rows, keys=[public_key()])
            write_feed(options["path"], envelope=envelope, entries=feed.entries)
        except Refused as refused:
            raise CommandError(refused.reason) from refused
        self.stdout.write(f"{head.size} entries, root {head.root}, valid until {head.expires_at:%Y-%m-%d %H:%M:%S} UTC")
