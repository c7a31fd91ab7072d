"""Writes of checkpoints. A checkpoint is the signed head of the audit trail; every packet contains one."""

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


def sign_head(*, by: User | None = None, now: datetime) -> Checkpoint | None:
    """Sign the head of the trail and store it as a checkpoint, unless the latest checkpoint already names it.

    Returns that checkpoint; None for an empty trail. The audit event of a checkpoint is the last event that it covers,
    so neither can be removed alone; it records the settings that bind people at that time.
    """
    last, head = checkpoints.latest(), trail.head()
    if head is None or (last is not None and last.count == head.position):
        return last
    key = signing_key()
    with transaction.atomic():
        details = {"key": attestation.key_id(attestation.public_pem(key)), **_in_force()}
        event = audit.record(kind=checkpoints.ANNOUNCED, by=by, subject=("audit", "trail"), details=details, now=now)
        statement = checkpoint.CheckpointStatement(event.position, event.hash, event.at)
        signed = checkpoint.sign(statement, private_key_pem=key)
        return Checkpoint.objects.create(**vars(statement), key_id=signed.key_id, signature=signed.signature)


def _in_force() -> dict[str, object]:
    """The server settings that bind people; only an operator can change them."""
    return {
        "second_factor_required": settings.WEIGHBRIDGE["REQUIRE_MFA"],
        "identity_provider": urlsplit(settings.OIDC_SERVER_URL).hostname or "",
    }
