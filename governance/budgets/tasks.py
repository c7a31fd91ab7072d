"""Work that a worker or the tick does."""

from datetime import datetime

from governance.budgets.actions import quarter_end
from governance.jobs import outbox


@outbox.on_tick
def end_quarters(now: datetime) -> None:
    """Let what was left of a quarter that is over expire, once."""
    quarter_end.close_quarters(now=now)
