"""Deletes idempotency records after a week."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.site.models import AnsweredPost

KEPT, AT_ONCE = timedelta(days=7), 1_000


def delete_old_answers(*, by: User | None = None, now: datetime) -> int:
    """Delete records older than a week, 1,000 in a transaction. Returns their number; writes nothing without any."""
    total = 0
    while count := _delete_some(by, now):
        total += count
    return total


def _delete_some(by: User | None, now: datetime) -> int:
    old = AnsweredPost.objects.filter(received_at__lt=now - KEPT).order_by("received_at").values("pk")[:AT_ONCE]
    with transaction.atomic():
        count, _ = AnsweredPost.objects.filter(pk__in=old).delete()
        if count:
            subject, details = ("answers", "posts"), {"count": count}
            audit.record(kind="answers.forgotten", by=by, subject=subject, details=details, now=now)
    return count
