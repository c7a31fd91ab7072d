"""What reviews record: moving a request by the transition table, and the event that goes with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.audit.actions import record as audit
from reviews.tickets.models import Ticket


def record_of_ticket(
    *,
    kind: str,
    ticket: Ticket,
    by: User | None,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append an event about a ticket, under whatever it is the ticket of."""
    audit.record(kind=kind, by=by, subject=ticket.subject, details=details, reason=reason, now=now)
