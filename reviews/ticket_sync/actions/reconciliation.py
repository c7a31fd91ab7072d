"""Compare every ticket with the tracker, and repair the effects of lost deliveries."""

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from reviews.ticket_sync.actions import receiving as inbound
from reviews.tickets import actions as effects
from reviews.tickets.domain import ReconciliationMode
from reviews.tickets.ports import TicketStatus
from reviews.tickets.queries.mirror import Differences, differences

KIND, DONE = "tickets.reconcile", "tickets.reconciled"
_JIRA = ("integration", "jira")


def request_reconciliation(
    *, mode: ReconciliationMode, occasion: str, by: User | None = None, now: datetime
) -> OutboxMessage:
    """Queue a comparison. Two calls with the same `occasion` queue one."""
    key = f"{KIND}:{occasion}"
    with transaction.atomic():
        if (existing := OutboxMessage.objects.filter(key=key).first()) is not None:
            return existing
        payload = {"mode": mode.value, "by": by.pk if by else None}
        message = outbox.enqueue(kind=KIND, key=key, lane=KIND, payload=payload, now=now)
        audit.record(kind="tickets.reconciliation_requested", by=by, subject=_JIRA, details={"mode": mode}, now=now)
    return message


def reconcile(
    *,
    mode: ReconciliationMode,
    seen: Mapping[str, TicketStatus],
    statuses: Mapping[str, str],
    by: User | None = None,
    now: datetime,
) -> Differences:
    """Compare every linked ticket with `seen` (by remote id), repair according to `mode`, and record the counts.

    Pull reads changed and missing tickets again. Push moves tickets back to the status that we set.
    """
    result = differences(seen=seen, statuses=statuses)
    with transaction.atomic():
        if mode is ReconciliationMode.PULL:
            for ticket in (*result.changed, *result.gone):
                inbound.request_read(ticket=ticket, occasion=f"reconcile:{now.isoformat()}", by=by, now=now)
        elif mode is ReconciliationMode.PUSH:
            for ticket, occasion in result.astray:
                reason = f"The ticket was in status {seen[ticket.remote_id].status}, which the review did not set."
                effects.notify_ticket(ticket=ticket, occasion=occasion, reason=reason, by=by, now=now)
        audit.record(kind=DONE, by=by, subject=_JIRA, details={"mode": mode} | result.counts, now=now)
    return result
