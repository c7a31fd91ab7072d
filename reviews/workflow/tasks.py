"""Background work: handlers of outbox messages, and functions that the tick calls."""

from contextlib import suppress
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from benchmarking.runs.models import Run
from benchmarking.runs.outbox import notify_of_end
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage, Pulse
from reviews.requests.domain.deadlines import WITH_REVIEWERS
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations, breaches, measurements, requests, retirements
from reviews.workflow.queries.prometheus import PACKETS, undrawn_since
from weighbridge.core.errors import WrongState

EXPIRING = (RequestState.CLEARED, RequestState.EVIDENCE, RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED)


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


@outbox.on_tick
def expire_due(now: datetime) -> None:
    """Expire and suspend authorizations, expire overdue requests, and record how long packets have been waiting."""
    authorizations.expire_due(now=now)
    for request in expired_requests(now=now):
        with suppress(WrongState):  # the request moved on, or another process was faster
            requests.expire(request=request, now=now)
    Pulse.record(name=PACKETS, at=undrawn_since(now=now))


def expired_requests(*, now: datetime) -> list[ReviewRequest]:
    """Up to 100 open or cleared requests whose deadline has passed, and whose grace has, if they were in review."""
    was_in_review = Q(state__in=WITH_REVIEWERS) | Q(state=RequestState.EVIDENCE, revision__gt=1)
    rows = ReviewRequest.objects.filter(state__in=EXPIRING, deadline_at__lte=now)
    return list(rows.exclude(was_in_review, grace_ends_at__gt=now).order_by("pk")[:100])


DETECT_BREACHES = "authorizations.look"


@outbox.on_tick
def request_breach_detection(now: datetime) -> None:
    """Enqueue the breach detection of the day, once."""
    key = f"{DETECT_BREACHES}:{now.date()}"
    if not OutboxMessage.objects.filter(key=key).exists():
        outbox.enqueue(kind=DETECT_BREACHES, key=key, lane=key, payload={}, now=now)


@outbox.on_tick
def follow_retirements(now: datetime) -> None:
    """End what depends on models that their vendors retire, and warn of it."""
    retirements.settle_ends(now=now)
    retirements.warn(now=now)


@outbox.handles(DETECT_BREACHES)
def detect_breaches(_: OutboxMessage) -> None:
    """Raise a finding for each new breach of an authorization or a clearance."""
    breaches.detect_breaches(now=timezone.now())
