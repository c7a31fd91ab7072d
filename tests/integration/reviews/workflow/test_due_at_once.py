"""Some hundred things due at once end exactly, a share at each tick, and nobody gets a burst of mail."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Count

from governance.audit.models import AuditEvent
from governance.jobs import ticks
from governance.notifications.models import Dispatch, Notification
from reviews.authorizations.models import Authorization
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions.authorizations import AT_ONCE
from tests.factories.many import FIRST, at, authorized, copies, owed

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
EXPIRING, SUSPENDED, WARNED, OVERDUE = 110, 60, 55, 70


def states() -> Counter[str]:
    rows = Authorization.objects.filter(pk__gte=FIRST).values_list("state").annotate(Count("pk"))
    return Counter(dict(rows))


def expired_requests() -> int:
    return ReviewRequest.objects.filter(pk__gte=FIRST, state="expired").count()


def transactions(kind: str) -> int:
    """In how many transactions the events of this kind were written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM audit_auditevent WHERE kind = %s", [kind])
        return int(cursor.fetchone()[0])


@pytest.fixture
def crowd(decided: ReviewRequest, now: datetime, with_mail: None) -> datetime:
    """Authorizations to expire, to suspend and to warn of, and overdue requests; the time at which all are due."""
    due = now + 10 * DAY
    past, later = at(due), at(due + 300 * DAY)
    times = {"granted_until": later, "expires_at": later, "warn_at": later}
    authorized(decided, EXPIRING, first=FIRST, **(times | {"expires_at": past, "warn_at": past}))
    authorized(decided, SUSPENDED, first=FIRST + 1_000, **times)
    owed(decided, SUSPENDED, first=FIRST + 1_000, due=due - 2 * DAY)
    authorized(decided, WARNED, first=FIRST + 2_000, **(times | {"warn_at": past}))
    cleared = {"ref": "'CLR-' || g", "purpose": "'Purpose ' || g", "state": "'cleared'"}
    copies(decided, OVERDUE, first=FIRST + 3_000, deadline_at=past, grace_ends_at=past, **cleared)
    return due


def test_all_kinds_get_their_turn_and_all_end_exactly(crowd: datetime) -> None:
    ticks.tick(now=crowd)
    assert states() == {
        "expired": AT_ONCE,
        "suspended": AT_ONCE,
        "pending_expiration": AT_ONCE,
        "active": EXPIRING + SUSPENDED + WARNED - 3 * AT_ONCE,
    }
    assert expired_requests() == AT_ONCE
    for number in (1, 2):
        ticks.tick(now=crowd + number * 2 * timedelta(seconds=1))
    assert states() == {"expired": EXPIRING, "suspended": SUSPENDED, "pending_expiration": WARNED}
    assert expired_requests() == OVERDUE
    counts = {
        "authorization.expired": EXPIRING,
        "authorization.suspended": SUSPENDED,
        "authorization.pending_expiration": WARNED,
        "request.expired": OVERDUE,
    }
    for kind, count in counts.items():
        assert (AuditEvent.objects.filter(kind=kind).count(), transactions(kind)) == (count, count), kind
    before = AuditEvent.objects.count()
    ticks.tick(now=crowd + MINUTE / 2)
    assert AuditEvent.objects.count() == before


def test_who_is_concerned_by_all_gets_one_mail_of_each_kind(crowd: datetime) -> None:
    for number in range(4):
        ticks.tick(now=crowd + number * 2 * timedelta(seconds=1))
    for number in range(1, 9):
        ticks.tick(now=crowd + number * MINUTE)
    mails = Dispatch.objects.filter(person__isnull=False).values_list("person", "kind").annotate(Count("pk"))
    assert {count for *_, count in mails} == {1}
    waiting = Notification.objects.filter(kind="authorization_ends", dispatch=None, pace="at_once").count()
    assert waiting > 0
    ticks.tick(now=crowd + 12 * MINUTE)
    mails = Dispatch.objects.filter(person__isnull=False).values_list("person", "kind").annotate(Count("pk"))
    assert {count for *_, count in mails} <= {1, 2}
    assert not Notification.objects.filter(kind="authorization_ends", dispatch=None, pace="at_once").exists()
