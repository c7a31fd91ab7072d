"""Checkpoints: the head of the audit trail, signed and kept, and printed in every packet."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance import audit
from governance.domain import attestation, checkpoint
from governance.models import Checkpoint
from governance.queries import checkpoints, trail
from governance.queries.keys import signing_key


def keep(*, by: User | None = None, now: datetime) -> Checkpoint | None:
    """Sign the head of the trail, unless the latest checkpoint names it; the latest then, None where nothing happened.

    The event that announces a checkpoint is the last one it covers, so neither can be taken away alone.
    """
    last, head = checkpoints.latest(), trail.head()
    if head is None or (last is not None and last.count == head.position):
        return last
    key = signing_key()
    with transaction.atomic():
        details = {"key": attestation.key_id(attestation.public_pem(key))}
        event = audit.record(kind=checkpoints.ANNOUNCED, by=by, subject=("audit", "trail"), details=details, now=now)
        said = checkpoint.Checkpoint(event.position, event.hash, event.at)
        signed = checkpoint.sign(said, private_key_pem=key)
        return Checkpoint.objects.create(
            count=said.count, head=said.head, at=said.at, key_id=signed.key_id, signature=signed.signature
        )
