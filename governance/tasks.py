"""Celery tasks of the ground floor: delivering the outbox."""

from celery import shared_task
from django.utils import timezone

from governance import audit, outbox


@shared_task
def deliver(message_id: int) -> None:
    """Deliver one outbox message, if it is due and nobody else has it."""
    with audit.origin("job"):
        outbox.deliver(pk=message_id, now=timezone.now())
