"""Audit events of tickets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.audit.actions import record as audit
from reviews.tickets.models import Ticket


def record_ticket_event(
    *,
    kind: str,
    ticket: Ticket,
    by: User | None,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append an event about a ticket, with its request or action item as the subject."""
    audit.record(kind=kind, by=by, subject=ticket.subject, details=details, reason=reason, now=now)
