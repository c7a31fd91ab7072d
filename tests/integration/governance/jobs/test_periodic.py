"""Periodic jobs: one that failed for good holds up no later one, and two beside each other do no harm."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from governance.jobs import outbox, ticks
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.rulebook.models import PolicyVersion
from reviews.inbox.actions import make_reminders
from reviews.inbox.models import Reminder
from reviews.ticket_sync.actions.reconciliation import KIND as RECONCILE
from reviews.ticket_sync.actions.reconciliation import request_reconciliation
from reviews.ticket_sync.tasks import compare_regularly, probe_sites
from reviews.tickets.domain.moves import ReconciliationMode
from reviews.tickets.models import TicketSite
from reviews.workloads.actions import usage
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.tickets.audited import linked
from tests.integration.reviews.workloads.usage_reports import store
from tests.threads import together

PERIODIC = {
    "reminders.make",
    "workloads.billed",
    "usage.compare",
    "authorizations.look",
    "tickets.reconcile",
    "tracker.check",
    "answers.forget",
    "quarters.turn",
    "retirements.follow",
}


@pytest.fixture
def world(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    """Every periodic job has something to do: a site is compared, and tested because a message to it is paused."""
    ticket = linked(cast, now)
    TicketSite.objects.update(comparison=ReconciliationMode.PULL)
    place = {"system": ticket.site_id}
    outbox.enqueue(kind="ticket.read", key="paused", lane="paused", payload=place, now=now)
    OutboxMessage.objects.update(state=JobState.PAUSED)


def made_by_ticks(now: datetime) -> Iterator[OutboxMessage]:
    """The messages of periodic jobs that the tick at this time makes."""
    before = OutboxMessage.objects.order_by("pk").last()
    ticks.request_regular_jobs(now)
    compare_regularly(now)
    probe_sites(now)
    yield from OutboxMessage.objects.filter(pk__gt=before.pk if before else 0, kind__in=PERIODIC)


def claimable(now: datetime) -> set[str]:
    rows = OutboxMessage.objects.filter(OutboxMessage.claimable(now=now), kind__in=PERIODIC)
    return set(rows.values_list("kind", flat=True))


def test_no_periodic_job_waits_for_a_dead_one(world: None, cast: Cast, now: datetime) -> None:
    assert {row.kind for row in made_by_ticks(now)} == PERIODIC
    OutboxMessage.objects.filter(kind__in=PERIODIC).update(state=JobState.DEAD)
    store(by=cast.author, now=now)
    assert claimable(now) == {"usage.compare"}, "a report is compared, whatever became of the comparison of the hour"
    OutboxMessage.objects.filter(kind__in=PERIODIC).update(state=JobState.DEAD)
    later = now + timedelta(days=1, hours=1)
    assert {row.kind for row in made_by_ticks(later)} == PERIODIC
    assert claimable(later) == PERIODIC


def test_no_periodic_job_shares_a_lane(world: None, now: datetime) -> None:
    for row in made_by_ticks(now):
        assert row.lane == row.key


@pytest.mark.django_db(transaction=True)
def test_runs_beside_each_other_make_each_row_once(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    due = request.deadline_at - timedelta(hours=1)
    counts = together([lambda: make_reminders(now=due)] * 4)
    assert sum(counts) == Reminder.objects.count() > 0
    assert Reminder.objects.values("person", "days_before").distinct().count() == Reminder.objects.count()
    assert together([lambda: usage.compare_usage(now=due)] * 4) == [[]] * 4


@pytest.mark.django_db(transaction=True)
def test_a_comparison_that_two_ask_for_is_queued_once(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    site = linked(cast, now).site
    asked = {"site": site, "mode": ReconciliationMode.PUSH, "occasion": "hour:1", "now": now}
    together([lambda: request_reconciliation(**asked)] * 4)
    assert OutboxMessage.objects.filter(kind=RECONCILE).count() == 1
