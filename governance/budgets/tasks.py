"""Tasks for the tick."""

from datetime import datetime

from governance.budgets.actions import quarter_end
from governance.budgets.queries.budgets import accounts_to_close
from governance.jobs import ticks


@ticks.on_tick(due=lambda now: [accounts_to_close(now=now).order_by("quarter")])
def end_quarters(now: datetime) -> None:
    """Close some accounts of past quarters, the lowest first; the next tick continues."""
    quarter_end.close_quarters(now=now)
