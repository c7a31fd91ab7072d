"""Tasks for the tick."""

from datetime import datetime

from governance.budgets.actions import quarter_end
from governance.jobs import outbox


@outbox.on_tick
def end_quarters(now: datetime) -> None:
    """Close the accounts of past quarters."""
    quarter_end.close_quarters(now=now)
