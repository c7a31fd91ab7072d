"""Deletes idempotency records after a week."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.site.models import AnsweredPost

KEPT = timedelta(days=7)


def delete_old_answers(*, by: User | None = None, now: datetime) -> int:
    """Delete records older than a week. Returns their number; writes nothing if there are none."""
    with transaction.atomic():
        count, _ = AnsweredPost.objects.filter(received_at__lt=now - KEPT).delete()
        if count:
            subject, details = ("answers", "posts"), {"count": count}
            audit.record(kind="answers.forgotten", by=by, subject=subject, details=details, now=now)
    return count
