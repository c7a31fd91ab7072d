"""Work that a worker or the tick does."""

from datetime import datetime

from governance.jobs import outbox
from governance.site import actions as answers


@outbox.on_tick
def forget_answers(now: datetime) -> None:
    """Keep the table of answered POSTs from growing for ever."""
    answers.forget(now=now)
