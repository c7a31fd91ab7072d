"""Comparing every ticket with what is known here, and healing what a lost delivery left."""

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from reviews.inbound.actions import receiving as inbound
from reviews.tickets import actions as effects
from reviews.tickets.domain import ReconciliationMode
from reviews.tickets.ports import Glance
from reviews.tickets.queries.mirror import Differences, differences

KIND, DONE = "tickets.reconcile", "tickets.reconciled"
_JIRA = ("integration", "jira")


def request_reconciliation(
    *, mode: ReconciliationMode, occasion: str, by: User | None = None, now: datetime
) -> OutboxMessage:
    """Ask for a comparison; the same `occasion` twice is one."""
    key = f"{KIND}:{occasion}"
    with transaction.atomic():
        if (asked := OutboxMessage.objects.filter(key=key).first()) is not None:
            return asked
        payload = {"mode": mode.value, "by": by.pk if by else None}
        message = outbox.enqueue(kind=KIND, key=key, lane=KIND, payload=payload, now=now)
        audit.record(kind="tickets.reconciliation_requested", by=by, subject=_JIRA, details={"mode": mode}, now=now)
    return message


def reconcile(
    *,
    mode: ReconciliationMode,
    seen: Mapping[str, Glance],
    statuses: Mapping[str, str],
    by: User | None = None,
    now: datetime,
) -> Differences:
    """Compare every linked ticket with `seen` (by remote id), heal as `mode` says, and record the counts.

    Pull reads what changed there, gone tickets included; push puts back the tickets that stand elsewhere than we put
    them.
    """
    found = differences(seen=seen, statuses=statuses)
    with transaction.atomic():
        if mode is ReconciliationMode.PULL:
            for ticket in (*found.changed, *found.gone):
                inbound.request_read(ticket=ticket, occasion=f"reconcile:{now.isoformat()}", by=by, now=now)
        elif mode is ReconciliationMode.PUSH:
            for ticket, occasion in found.astray:
                reason = f"The ticket stood in {seen[ticket.remote_id].status}, where the review did not put it."
                effects.tell(ticket=ticket, occasion=occasion, reason=reason, by=by, now=now)
        audit.record(kind=DONE, by=by, subject=_JIRA, details={"mode": mode} | found.counts, now=now)
    return found
