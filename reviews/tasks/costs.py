"""What the tick does for costs: once a day, authorisations are compared with bills, fresh runs and the age
of prices.
"""

from datetime import datetime

from django.utils import timezone

from governance import outbox
from governance.models import OutboxMessage
from reviews.actions import breaches

LOOK = "authorisations.look"


@outbox.on_tick
def look_daily(now: datetime) -> None:
    """Ask for the comparison of the day, once."""
    key = f"{LOOK}:{now.date()}"
    if not OutboxMessage.objects.filter(key=key).exists():
        outbox.enqueue(kind=LOOK, key=key, lane="costs", payload={}, now=now)


@outbox.handles(LOOK)
def look(_: OutboxMessage) -> None:
    """Raise a finding for whatever speaks against an authorisation, once."""
    breaches.look(now=timezone.now())
