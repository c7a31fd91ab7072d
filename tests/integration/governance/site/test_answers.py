"""Answers of POSTs are kept for a week, then forgotten, and the trail says how many."""

from datetime import datetime, timedelta

import pytest
import time_machine

from governance.audit.models import AuditEvent
from governance.jobs import ticks
from governance.jobs.models import OutboxMessage
from governance.operations import tasks as site_tasks
from governance.site import actions as answers
from governance.site.models import AnsweredPost
from tests.factories.people import Cast


def kept(cast: Cast, key: str, received_at: datetime) -> AnsweredPost:
    return AnsweredPost.objects.create(user=cast.author, key=key, fingerprint="f", received_at=received_at)


def test_a_week_is_kept_and_no_more(cast: Cast, now: datetime) -> None:
    kept(cast, "old", now - timedelta(days=7, seconds=1))
    young = kept(cast, "young", now - timedelta(days=7))
    assert answers.delete_old_answers(now=now) == 1
    assert list(AnsweredPost.objects.all()) == [young]
    event = AuditEvent.objects.get(kind="answers.forgotten")
    assert (event.actor, event.details) == ("system", {"count": 1})


def test_nothing_old_writes_nothing(cast: Cast, now: datetime) -> None:
    kept(cast, "young", now)
    before = AuditEvent.objects.count()
    assert answers.delete_old_answers(now=now) == 0
    assert (AnsweredPost.objects.count(), AuditEvent.objects.count()) == (1, before)


@pytest.mark.django_db
def test_each_hour_forgets_in_blocks(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        kept(cast, f"old {number}", now - timedelta(days=8))
    ticks.request_regular_jobs(now)
    monkeypatch.setattr(answers, "AT_ONCE", 2)
    with time_machine.travel(now, tick=False):
        site_tasks.delete_old_answers(OutboxMessage.objects.get(kind=site_tasks.FORGET))
    assert not AnsweredPost.objects.exists()
    events = AuditEvent.objects.filter(kind="answers.forgotten").order_by("position")
    assert [event.details["count"] for event in events] == [2, 1]
