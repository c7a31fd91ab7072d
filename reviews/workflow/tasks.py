"""Work that a worker or the tick does."""

from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from benchmarking.runs.models import Run
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage, Pulse
from reviews.requests.models import ReviewRequest
from reviews.tickets import actions as effects
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import breaches, evidence, requests
from reviews.workflow.queries.expirations import expired_requests
from reviews.workflow.queries.metrics import PACKETS, undrawn_since
from weighbridge.core.errors import WrongState


@outbox.handles("run.finished")
def take_run(message: OutboxMessage) -> outbox.Settle:
    """Turn a finished run into evidence of the request that asked for it."""
    run = Run.objects.get(pk=message.payload["run_id"])
    request = ReviewRequest.objects.get(ref=run.asked_for)
    return lambda: evidence.take_run(request=request, run=run, now=timezone.now())


@outbox.on_tick
def age(now: datetime) -> None:
    """Expire and suspend authorizations, let overdue requests expire; note since when no packet was drawn."""
    authorizations.age(now=now)
    if settings.WEIGHBRIDGE["JIRA"]["url"]:
        effects.probe_tracker(now=now)
    for request in expired_requests(now=now):
        with suppress(WrongState):  # somebody acted, or another process was quicker
            requests.expire(request=request, now=now)
    Pulse.note(name=PACKETS, at=undrawn_since(now=now))


LOOK = "authorizations.look"


@outbox.on_tick
def look_daily(now: datetime) -> None:
    """Ask for the comparison of the day, once."""
    key = f"{LOOK}:{now.date()}"
    if not OutboxMessage.objects.filter(key=key).exists():
        outbox.enqueue(kind=LOOK, key=key, lane="costs", payload={}, now=now)


@outbox.handles(LOOK)
def look(_: OutboxMessage) -> None:
    """Raise a finding for whatever speaks against an authorization, once."""
    breaches.look(now=timezone.now())
