"""Records security events of accounts, which Django and allauth change themselves, and notifies the owners."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from governance.accounts.domain import MAIL_TEXTS, SecurityEvent
from governance.audit.actions import record as audit
from governance.jobs import outbox

NOBODY, TELL = "an unknown account", "account.tell"


def record_security_event(
    *,
    happening: SecurityEvent,
    user: User | None,
    by: User | None,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Record an event of the account of `user`, None if it is unknown, and notify the owner, even of own changes.

    No secret may be in `details`.
    """
    subject = user.username if user else NOBODY
    with transaction.atomic():
        event = audit.record(
            kind=happening.value, by=by, subject=("person", subject), details=details, reason=reason, now=now
        )
        if user is not None and user.email and happening in MAIL_TEXTS and settings.WEIGHBRIDGE["HAS_MAIL"]:
            payload = {"user": user.pk, "happening": happening.value, "at": now.isoformat()}
            key, lane = f"account:{event.position}", f"person:{user.pk}"
            outbox.enqueue(kind=TELL, key=key, lane=lane, payload=payload, now=now)
