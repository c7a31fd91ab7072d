"""What happens to the ways in of an account, put on record and told to its owner; Django and allauth do it.

No secret of it is written down.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from governance.accounts.domain import TOLD, Happening
from governance.audit.actions import record as audit
from governance.jobs import outbox

NOBODY, TELL = "an unknown account", "account.tell"


def note(
    *, happening: Happening, user: User | None, by: User | None, now: datetime, details: Mapping[str, Any] | None = None
) -> None:
    """Record what happened to the account of `user`; None where whoever was named has none.

    Where mail can be sent its owner is told as well, whoever did it.
    """
    subject = user.username if user else NOBODY
    with transaction.atomic():
        event = audit.record(kind=happening.value, by=by, subject=("person", subject), details=details, now=now)
        if user is not None and user.email and happening in TOLD and settings.WEIGHBRIDGE["HAS_MAIL"]:
            payload = {"user": user.pk, "happening": happening.value, "at": now.isoformat()}
            outbox.enqueue(
                kind=TELL, key=f"account:{event.position}", lane=f"person:{user.pk}", payload=payload, now=now
            )
