"""Celery tasks of the ground floor: delivering the outbox, and the tick that finds what is due."""

from celery import shared_task
from django.utils import timezone

from governance import audit, outbox


@shared_task
def deliver(message_id: int) -> None:
    """Deliver one outbox message, if it is due and nobody else has it."""
    with audit.origin("job"):
        outbox.deliver(pk=message_id, now=timezone.now())


def tick() -> None:
    """Re-drive what is due or was abandoned. Harmless when run twice, late, or by several processes."""
    now = timezone.now()
    outbox.bury(now=now)
    for message_id in outbox.due(now=now):
        outbox.wake("governance.tasks.deliver", message_id)
    with audit.origin("job"):
        for ticker in outbox.TICKERS:
            ticker(now)
