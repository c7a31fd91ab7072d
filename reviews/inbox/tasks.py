"""Background work: the reminders of each hour."""

from django.utils import timezone

from governance.jobs import outbox, ticks
from governance.jobs.models import OutboxMessage
from reviews.inbox import actions

MAKE = "reminders.make"


@outbox.handles(MAKE)
def make_reminders(_: OutboxMessage) -> None:
    """Make every reminder that is due."""
    actions.make_reminders(now=timezone.now())


ticks.regularly(MAKE, period=ticks.HOURLY)
