"""Background work: handlers of outbox messages, and functions that the tick calls."""

from contextlib import suppress
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from benchmarking.runs.models import Run
from benchmarking.runs.outbox import notify_of_end
from governance.inventory.actions.retirement import FOLLOW
from governance.jobs import outbox, ticks
from governance.jobs.models import OutboxMessage, Pulse
from reviews.authorizations.queries.due import due_authorizations
from reviews.packets.models import Packet
from reviews.requests.domain.deadlines import WITH_REVIEWERS
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import EXPIRING, ReviewRequest
from reviews.workflow.actions import authorizations, breaches, measurements, requests, retirements
from reviews.workflow.queries.prometheus import PACKETS, undrawn_since
from weighbridge.core.errors import WrongState

DETECT_BREACHES = "authorizations.look"


@outbox.handles("run.finished")
def record_measurements(message: OutboxMessage) -> outbox.Settle:
    """Store a finished run as evidence of the request that asked for it, and tell people of a failed one."""
    run = Run.objects.get(pk=message.payload["run_id"])
    request = ReviewRequest.objects.get(ref=run.asked_for) if run.asked_for else None

    def settle() -> None:
        notify_of_end(run=run, now=timezone.now())
        if request is not None:
            measurements.record_measurements(request=request, run=run, now=timezone.now())

    return settle


@ticks.on_tick(due=lambda now: [*due_authorizations(now=now), overdue_requests(now=now).order_by("deadline_at")])
def expire_due(now: datetime) -> None:
    """Expire and suspend authorizations, and expire overdue requests, a share of each at every tick."""
    try:
        authorizations.expire_due(now=now)
    finally:  # an authorization that fails stops no request
        ticks.each_alone(lambda request: _expire(request, now), expired_requests(now=now))


def _expire(request: ReviewRequest, now: datetime) -> None:
    with suppress(WrongState):  # the request moved on, or another process was faster
        requests.expire(request=request, now=now)


def overdue_requests(*, now: datetime) -> QuerySet[ReviewRequest]:
    """Open or cleared requests whose deadline has passed, and whose grace has, if they were in review."""
    was_in_review = Q(state__in=WITH_REVIEWERS) | Q(state=RequestState.EVIDENCE, revision__gt=1)
    return ReviewRequest.objects.filter(EXPIRING, deadline_at__lte=now).exclude(was_in_review, grace_ends_at__gt=now)


def expired_requests(*, now: datetime) -> list[ReviewRequest]:
    """Up to 50 of them, overdue longest first."""
    return list(overdue_requests(now=now).order_by("deadline_at", "pk")[: authorizations.AT_ONCE])


@ticks.on_tick(due=lambda now: [*Packet.waiting(now=now), Pulse.objects.filter(name=PACKETS)], at_any_clock=True)
def record_undrawn(now: datetime) -> None:
    """Record since when packets have been waiting for a worker."""
    Pulse.record(name=PACKETS, at=undrawn_since(now=now))


@outbox.handles(DETECT_BREACHES)
def detect_breaches(_: OutboxMessage) -> None:
    """Raise a finding for each new breach of an authorization or a clearance."""
    breaches.detect_breaches(now=timezone.now())


@outbox.handles(FOLLOW)
def end_what_is_retired(_: OutboxMessage) -> None:
    """End what depends on models that their vendors retire, and warn of it: hourly, and when such a day is set."""
    follow_retirements(timezone.now())


def follow_retirements(now: datetime) -> None:
    """End what depends on models that their vendors retire, and warn of it."""
    retirements.settle_ends(now=now)
    retirements.warn(now=now)


ticks.regularly(DETECT_BREACHES, period=ticks.DAILY)
ticks.regularly(FOLLOW, period=ticks.HOURLY)
