"""Verify the audit trail: exit 0 when it is whole, 1 with what is wrong when it is not."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit.actions import record as audit
from governance.audit.domain import checkpoint
from governance.audit.models import Checkpoint
from governance.audit.queries import checkpoints, trail
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid


class Command(BaseCommand):
    """`manage.py audit verify [--checkpoint FILE_OR_TEXT] [--public-key FILE] [--offline]`."""

    help = "Verify the hash chain of the audit trail and its signed checkpoints, or one checkpoint printed in a packet."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to verify, and with which keys."""
        parser.add_argument("what", choices=["verify"])
        parser.add_argument(
            "--checkpoint", default="", help="A checkpoint as a packet prints it, or a file that holds it."
        )
        parser.add_argument(
            "--public-key",
            action="append",
            default=[],
            metavar="FILE",
            help="A public key (PEM) that signed checkpoints, beside this installation's own; may be given again.",
        )
        parser.add_argument(
            "--offline", action="store_true", help="Verify the signature of --checkpoint alone, without the trail."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what is wrong, line by line, or that all is well."""
        keys = self._keys(options["public_key"])
        if options["checkpoint"]:
            faults, said = self._of_one(options["checkpoint"], keys, is_offline=options["offline"])
        elif options["offline"]:
            raise CommandError("Give the checkpoint to verify offline with --checkpoint.")
        else:
            faults, said = self._of_all(keys)
        for fault in faults:
            self.stderr.write(self.style.ERROR(fault))
        if faults:
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(said))

    def _of_all(self, keys: dict[str, str]) -> tuple[list[str], str]:
        broken = audit.first_broken()
        faults = [f"The chain is broken at event {broken[0]}: {broken[1]}"] if broken else []
        faults += checkpoints.faults(public_keys=keys.values())
        head = trail.head()
        count, digest = (head.position, head.hash) if head else (0, "empty")
        signed = f"Checkpoints: {Checkpoint.objects.count()}, none contradicted."
        return faults, f"{count} events, chain whole, head {digest}. {signed}"

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
            raise CommandError("The file holds no text.") from error
        said = signed.checkpoint
        words = f"Genuine: after event {said.count} of {said.at:%Y-%m-%d %H:%M:%S} UTC the head was {said.head}"
        if is_offline:
            missing = f"The checkpoint names the key {signed.key_id}; give its public half with --public-key."
            return ([] if key else [missing]), f"{words}. The trail was not asked."
        faults, whole = self._of_all(keys)
        return [*checkpoints.faults_of([signed], keys=keys), *faults], f"{words}, and it still is. {whole}"

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
    except (OSError, ValueError):  # a printed checkpoint is longer than a file name may be
        return False
