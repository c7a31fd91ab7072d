"""What the tick does for the quarterly review."""

from datetime import datetime

from governance import outbox
from reviews.actions import cycles


@outbox.on_tick
def turn_quarters(now: datetime) -> None:
    """Plan the cycle of the quarter, and move on those whose time has come."""
    cycles.plan(now=now)
    cycles.advance(now=now)
