"""Work that a worker or the tick does."""

from datetime import datetime

from governance.jobs import outbox
from governance.people.approvals import actions as approvals


@outbox.on_tick
def end_unconfirmed(now: datetime) -> None:
    """Close proposals that no second person confirmed in time."""
    approvals.expire(now=now)
