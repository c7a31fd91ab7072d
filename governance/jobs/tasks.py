"""Work that a worker or the tick does."""

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import Pulse
from governance.jobs.queries.operation import TICK


@shared_task
def deliver(message_id: int) -> None:
    """Deliver one outbox message, if it is due and nobody else has it."""
    with audit.origin("job"):
        outbox.deliver(pk=message_id, now=timezone.now())


@outbox.on_tick
def leave_a_sign(now: datetime) -> None:
    """Let pages and probes see that the tick is alive."""
    Pulse.note(name=TICK, at=now)
