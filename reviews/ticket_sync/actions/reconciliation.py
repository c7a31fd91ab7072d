"""Compare every ticket with the tracker, and repair the effects of lost deliveries."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from reviews.ticket_sync.actions import receiving as inbound
from reviews.tickets import actions as effects
from reviews.tickets.domain.moves import ReconciliationMode
from reviews.tickets.models import TicketRoute, TicketSite
from reviews.tickets.ports import TicketStatus
from reviews.tickets.queries.mirror import Differences, differences, was_pushed_in_vain

KIND, DONE = "tickets.reconcile", "tickets.reconciled"


def request_reconciliation(
    *, site: TicketSite, mode: ReconciliationMode, occasion: str, by: User | None = None, now: datetime
) -> OutboxMessage:
    """Queue a comparison of the tickets of a site. Two calls with the same `occasion` queue one."""
    key = f"{KIND}:{site.pk}:{occasion}"
    with transaction.atomic():
        if (existing := OutboxMessage.objects.filter(key=key).first()) is not None:
            return existing
        payload = {"mode": mode.value, "by": by.pk if by else None, "system": site.pk}
        message = outbox.enqueue(kind=KIND, key=key, lane=key, payload=payload, now=now)
        subject = (effects.SITE, site.name)
        audit.record(kind="tickets.reconciliation_requested", by=by, subject=subject, details={"mode": mode}, now=now)
    return message


def reconcile(
    *,
    site: TicketSite,
    mode: ReconciliationMode,
    seen: Mapping[str, TicketStatus],
    statuses: Callable[[TicketRoute | None], Mapping[str, str]],
    by: User | None = None,
    now: datetime,
) -> Differences:
    """Compare every linked ticket of the site with `seen` (by remote id), repair by `mode`, and record the counts.

    Pull reads changed and missing tickets again. Push moves tickets back to the status that we set. Each attempt adds a
    comment, so a ticket that could not be moved back from its status is left there.
    """
    result = differences(site=site, seen=seen, statuses=statuses)
    with transaction.atomic():
        if mode is ReconciliationMode.PULL:
            for ticket in (*result.changed, *result.gone):
                inbound.request_read(ticket=ticket, occasion=f"reconcile:{now.isoformat()}", by=by, now=now)
        elif mode is ReconciliationMode.PUSH:
            for ticket, occasion in result.astray:
                reason = f"The ticket was in status {seen[ticket.remote_id].status}, which the review did not set."
                if not was_pushed_in_vain(ticket, occasion=occasion, reason=reason):
                    effects.notify_ticket(ticket=ticket, occasion=occasion, reason=reason, by=by, now=now)
        details = {"mode": mode, "site": site.pk} | result.counts
        audit.record(kind=DONE, by=by, subject=(effects.SITE, site.name), details=details, now=now)
    return result
