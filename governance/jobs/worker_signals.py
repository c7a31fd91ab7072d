"""Wake-ups: hints to workers that a row is due. Losing every one of them loses nothing, and none may cost anybody time.

They go over a line of their own that gives up soon. Once the broker has failed, this process leaves it alone for a
while, so that a person whose request wakes ten workers waits for one time-out, not for ten.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from kombu import Connection, pools

from governance.audit.domain import correlation as trace
from governance.jobs.models import Due, Leased

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
LEFT_ALONE_S = 5.0
AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
AGAIN_FIRST, AGAIN_LAST = timedelta(seconds=5), timedelta(minutes=5)
BATCH = 50


@dataclass
class _Told:
    """When a row that nobody took is announced again, and how long that was after the time before."""

    again_at: datetime
    wait: timedelta


class BrokerCircuit:
    """What this process knows of the broker, and which rows it has announced there and nobody has taken."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.left_alone_until_s = 0.0
        self.told: dict[str, dict[Due, _Told]] = {}

    def leave_alone(self) -> None:
        """The broker failed."""
        self.left_alone_until_s = time.monotonic() + LEFT_ALONE_S
        self.told.clear()


LINE = BrokerCircuit()


def is_left_alone() -> bool:
    """Whether the broker failed this process a moment ago."""
    return time.monotonic() < LINE.left_alone_until_s


def wake(task: str, *arguments: int) -> None:
    """Tell a worker after commit. A broker that does not answer is no reason to fail: the tick will find the row."""
    asked_in = trace.request_id()

    def send() -> None:
        if is_left_alone():
            return
        try:
            with pools.producers[_line()].acquire(block=True, timeout=PATIENCE_S) as producer:
                marked = {trace.REQUEST_ID: asked_in}
                current_app.send_task(
                    task, args=arguments, producer=producer, retry=True, retry_policy=AT_ONCE, headers=marked
                )
        except Exception as error:  # noqa: BLE001 -- whatever the broker says, the row stands
            log.warning("Work is delayed: the broker did not take a wake-up (%s).", error)
            LINE.leave_alone()

    transaction.on_commit(send)


def announce(rows: type[Leased], task: str, *, now: datetime, among: Q | None = None) -> None:
    """Wake workers for what is due (`among` the rows of a kind), the oldest `BATCH` at most; only the tick does.

    A row that was announced and stands as it did is announced again after 5 s, 10 s, 20 s … at most 5 min: the hint may
    be lost, but more of them than workers take would pile up in the broker.
    """
    if is_left_alone():
        return
    before, after = LINE.told.get(task, {}), dict[Due, _Told]()
    for row in rows.due(now=now, limit=BATCH, among=among):
        told = before.get(row)
        if told is None or told.again_at <= now:
            wake(task, row.pk)
            wait = AGAIN_FIRST if told is None else min(2 * told.wait, AGAIN_LAST)
            told = _Told(now + wait, wait)
        after[row] = told
    LINE.told[task] = {} if is_left_alone() else after


def reach_broker() -> bool:
    """Whether the broker answers within a second; where it does not, it is left alone for a while."""
    try:
        with _line() as line:
            line.transport.close_connection(line.transport.establish_connection())
    except Exception as error:  # noqa: BLE001 -- whatever it is, the broker takes no wake-up
        log.warning("The broker does not answer (%s: %s).", type(error).__name__, error)
        LINE.leave_alone()
        return False
    LINE.left_alone_until_s = 0.0
    return True


def _line() -> Connection:
    options: dict[str, Any] = settings.WAKE_TRANSPORT_OPTIONS
    return current_app.connection_for_write(connect_timeout=PATIENCE_S, transport_options=options)
