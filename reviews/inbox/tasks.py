"""Background work: the reminders of each hour."""

from datetime import datetime

from django.utils import timezone

from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from reviews.inbox import actions

MAKE = "reminders.make"


@outbox.on_tick
def request_reminders(now: datetime) -> None:
    """Enqueue the reminders of the hour, once."""
    key = f"{MAKE}:{now:%Y-%m-%dT%H}"
    if not OutboxMessage.objects.filter(key=key).exists():
        outbox.enqueue(kind=MAKE, key=key, lane=key, payload={}, now=now)


@outbox.handles(MAKE)
def make_reminders(_: OutboxMessage) -> None:
    """Make every reminder that is due."""
    actions.make_reminders(now=timezone.now())
