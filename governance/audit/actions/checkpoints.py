"""Checkpoints: the head of the audit trail, signed and kept, and printed in every packet."""

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.audit.domain import checkpoint
from governance.audit.models import Checkpoint
from governance.audit.queries import checkpoints, trail
from governance.audit.queries.keys import signing_key
from weighbridge.core import attestation


def keep(*, by: User | None = None, now: datetime) -> Checkpoint | None:
    """Sign the head of the trail, unless the latest checkpoint names it; the latest then, None where nothing happened.

    The event that announces a checkpoint is the last one it covers, so neither can be taken away alone. It also says
    which settings bind people at that moment.
    """
    last, head = checkpoints.latest(), trail.head()
    if head is None or (last is not None and last.count == head.position):
        return last
    key = signing_key()
    with transaction.atomic():
        details = {"key": attestation.key_id(attestation.public_pem(key)), **_in_force()}
        event = audit.record(kind=checkpoints.ANNOUNCED, by=by, subject=("audit", "trail"), details=details, now=now)
        said = checkpoint.CheckpointStatement(event.position, event.hash, event.at)
        signed = checkpoint.sign(said, private_key_pem=key)
        return Checkpoint.objects.create(
            count=said.count, head=said.head, at=said.at, key_id=signed.key_id, signature=signed.signature
        )


def _in_force() -> dict[str, object]:
    """The settings of the server that bind people, which only an operator changes: each decision tells what
    held then.
    """
    return {
        "second_factor_required": settings.WEIGHBRIDGE["REQUIRE_MFA"],
        "identity_provider": urlsplit(settings.OIDC_SERVER_URL).hostname or "",
    }
