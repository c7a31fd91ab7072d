"""Resolve and reopen threads."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.people.queries.people import person_of
from reviews.discussions.audit import record_in
from reviews.discussions.domain.comments import check_resolution
from reviews.discussions.models import Resolution, Thread
from reviews.discussions.rules import check_comment


def resolve(*, thread: Thread, by: User, now: datetime) -> Thread:
    """Resolve an open thread."""
    return _turn(thread, wanted=True, by=by, now=now)


def reopen(*, thread: Thread, by: User, now: datetime) -> Thread:
    """Open a resolved thread again."""
    return _turn(thread, wanted=False, by=by, now=now)


def _turn(thread: Thread, *, wanted: bool, by: User, now: datetime) -> Thread:
    check_comment(person_of(by))
    with transaction.atomic():
        row = Thread.objects.select_for_update().get(pk=thread.pk)
        count = row.resolutions.count()
        check_resolution(is_resolved=count % 2 == 1, wanted=wanted)
        Resolution.objects.create(thread=row, number=count + 1, is_resolved=wanted, by=by, at=now)
        record_in(kind="thread.resolved" if wanted else "thread.reopened", thread=row, by=by, now=now)
    return row
