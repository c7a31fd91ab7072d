"""Actions on outbox messages: retry dead ones, resume paused ones, and test the connection."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import CHECK, OutboxMessage
from governance.people.queries.people import person_of
from governance.people.rules import check_operate


def retry(*, message: OutboxMessage, by: User, now: datetime) -> OutboxMessage:
    """Reset the attempts of a dead or paused message. Its handler still checks whether the effect has happened."""
    with transaction.atomic():
        row = jobs.retry(row=message, by=by, now=now)
        audit.record(kind="effect.retried", by=by, subject=("effect", row.key), details={"error": row.error}, now=now)
    return row


def resume_all(*, by: User, now: datetime) -> int:
    """Resume all paused messages after a successful connection test. Returns their number."""
    check_operate(person_of(by))
    with transaction.atomic():
        rows = list(OutboxMessage.objects.select_for_update().filter(state=JobState.PAUSED).order_by("pk"))
        for row in rows:
            jobs.requeue(row=row, now=now)
        audit.record(kind="effect.resumed", by=by, subject=("effect", "paused"), details={"count": len(rows)}, now=now)
    return len(rows)


def request_check(*, by: User, now: datetime) -> OutboxMessage:
    """Request a connection test of every ticket site. Pending tests that failed are replaced."""
    check_operate(person_of(by))
    with transaction.atomic():
        for earlier in OutboxMessage.objects.filter(kind=CHECK, state__in=[*UNFINISHED, JobState.DEAD]).order_by("pk"):
            jobs.abandon(row=earlier, by=by, now=now)
        key, payload = f"{CHECK}:{now.isoformat()}", {"by": by.pk}
        message = outbox.enqueue(kind=CHECK, key=key, lane="tracker", payload=payload, now=now)
        audit.record(kind="tracker.check_requested", by=by, subject=("integration", "tickets"), now=now)
    return message
