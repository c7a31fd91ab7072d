"""Celery tasks of the ground floor: delivering the outbox, and the tick's sign of life."""

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from governance import audit, outbox
from governance.actions import answers, changes
from governance.models import Pulse
from governance.queries.operation import TICK


@shared_task
def deliver(message_id: int) -> None:
    """Deliver one outbox message, if it is due and nobody else has it."""
    with audit.origin("job"):
        outbox.deliver(pk=message_id, now=timezone.now())


@outbox.on_tick
def forget_answers(now: datetime) -> None:
    """Keep the table of answered POSTs from growing for ever."""
    answers.forget(now=now)


@outbox.on_tick
def end_unconfirmed(now: datetime) -> None:
    """Close proposals that no second person confirmed in time."""
    changes.expire(now=now)


@outbox.on_tick
def leave_a_sign(now: datetime) -> None:
    """Let pages and probes see that the tick is alive."""
    Pulse.note(name=TICK, at=now)
