"""Deliver messages to ticket sites as workers do, while a clock of the test passes."""

from datetime import datetime, timedelta

from governance.jobs import outbox
from governance.jobs.models import OutboxMessage


class Clock:
    """The time the tasks read."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def deliver(clock: Clock, *, after_s: float = 0) -> list[OutboxMessage]:
    """Let time pass, then deliver what is due, as workers do, in order; the messages as they then stand."""
    clock.pass_s(after_s)
    done = []
    while due := [row.pk for row in OutboxMessage.due(now=clock.now(), limit=100)]:
        delivered = outbox.deliver(pk=due[0], now=clock.now())
        done += [delivered] if delivered is not None else []
    return done


def states(messages: list[OutboxMessage]) -> list[str]:
    return [message.state for message in messages]
