"""Records security events of accounts and notifies the owners.

Django and allauth make the changes themselves; no secrets are recorded.
"""

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
) -> None:
    """Record a security event of the account of `user`, who is None if the account is unknown. If mail is configured,
    the owner is notified, even of their own changes.
    """
    subject = user.username if user else NOBODY
    with transaction.atomic():
        event = audit.record(kind=happening.value, by=by, subject=("person", subject), details=details, now=now)
        if user is not None and user.email and happening in MAIL_TEXTS and settings.WEIGHBRIDGE["HAS_MAIL"]:
            payload = {"user": user.pk, "happening": happening.value, "at": now.isoformat()}
            outbox.enqueue(
                kind=TELL, key=f"account:{event.position}", lane=f"person:{user.pk}", payload=payload, now=now
            )
