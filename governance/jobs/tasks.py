"""Tasks for workers and the tick."""

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import Pulse
from governance.jobs.queries import TICK


@shared_task
def deliver(message_id: int) -> None:
    """Deliver one outbox message, if it is due and no other worker has it."""
    with audit.origin("job"):
        outbox.deliver(pk=message_id, now=timezone.now())


@outbox.on_tick
def record_tick(now: datetime) -> None:
    """Record the time of the tick for pages and probes."""
    Pulse.record(name=TICK, at=now)
