"""Work that a worker or the tick does."""

from datetime import datetime

from governance.budgets.actions import budget_changes
from governance.jobs import outbox
from governance.people.approvals import actions as changes


@outbox.on_tick
def end_unconfirmed(now: datetime) -> None:
    """Close proposals that no second person confirmed in time."""
    changes.expire(now=now)
    budget_changes.expire(now=now)
