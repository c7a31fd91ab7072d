"""Verify the audit trail. Exits with 0 if it is unbroken, otherwise with 1 and the reasons."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit.domain import checkpoint
from governance.audit.models import Checkpoint
from governance.audit.queries import checkpoints, trail
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid


class Command(BaseCommand):
    """`manage.py audit verify [--checkpoint FILE_OR_TEXT] [--public-key FILE] [--offline]`."""

    help = "Verify the hash chain of the audit trail and its signed checkpoints, or one checkpoint printed in a packet."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("what", choices=["verify"])
        parser.add_argument("--checkpoint", default="", help="A checkpoint from a packet, or a file that contains it.")
        parser.add_argument(
            "--public-key",
            action="append",
            default=[],
            metavar="FILE",
            help="An additional public key (PEM) for verifying checkpoints; can be repeated.",
        )
        parser.add_argument(
            "--offline", action="store_true", help="Verify only the signature of --checkpoint, without the trail."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the problems, one per line, or a summary."""
        keys = self._keys(options["public_key"])
        if options["checkpoint"]:
            problems, summary = self._of_one(options["checkpoint"], keys, is_offline=options["offline"])
        elif options["offline"]:
            raise CommandError("Give the checkpoint to verify offline with --checkpoint.")
        else:
            problems, summary = self._of_all(keys)
        for problem in problems:
            self.stderr.write(self.style.ERROR(problem))
        if problems:
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(summary))

    def _of_all(self, keys: dict[str, str]) -> tuple[list[str], str]:
        broken = trail.first_broken()
        problems = [f"The chain is broken at event {broken[0]}: {broken[1]}"] if broken else []
        problems += checkpoints.contradictions(public_keys=keys.values())
        head = trail.head()
        count, digest = (head.position, head.hash) if head else (0, "empty")
        signed = f"Checkpoints: {Checkpoint.objects.count()}, none contradicted."
        return problems, f"{count} events, chain unbroken, head {digest}. {signed}"

    def _of_one(self, given: str, keys: dict[str, str], *, is_offline: bool) -> tuple[list[str], str]:
        path = Path(given)
        try:
            signed = checkpoint.read(path.read_text(encoding="utf-8") if _is_file(path) else given)
            key = keys.get(signed.key_id)
            if is_offline and key is not None:
                checkpoint.verify(signed, public_key_pem=key)
        except Invalid as refusal:
            raise CommandError(refusal.reason) from refusal
        except UnicodeDecodeError as error:
            raise CommandError("The file is not a text file.") from error
        statement = signed.checkpoint
        event = f"event {statement.count} of {statement.at:%Y-%m-%d %H:%M:%S} UTC"
        summary = f"Genuine: after {event} the head was {statement.head}"
        if is_offline:
            missing = f"The checkpoint names the key {signed.key_id}. Give its public key with --public-key."
            return ([] if key else [missing]), f"{summary}. The trail was not checked."
        problems, trail_summary = self._of_all(keys)
        problems = [*checkpoints.contradictions_of([signed], keys=keys), *problems]
        return problems, f"{summary}, and the trail still matches it. {trail_summary}"

    def _keys(self, files: list[str]) -> dict[str, str]:
        try:
            given = [Path(file).read_text(encoding="ascii") for file in files]
            return {attestation.key_id(key): key for key in [*given, *checkpoints.own_keys()]}
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The public key cannot be read: {error}") from error
        except Invalid as refusal:
            raise CommandError(refusal.reason) from refusal


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a printed checkpoint is too long for a file name
        return False
