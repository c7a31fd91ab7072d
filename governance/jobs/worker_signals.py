"""Notifications to workers that a row is due. They may be lost without harm, and must not delay requests.

They use a connection with a short time-out. After a failure, this process does not contact the broker for a while, so
that a request with ten notifications waits for one time-out, not for ten.
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
from governance.jobs.queries import ASKED_EVERY

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
LEFT_ALONE_S = 5.0
AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
AGAIN_FIRST, AGAIN_LAST = timedelta(seconds=5), timedelta(minutes=5)
BATCH = 50
EXPIRES_S = 30.0
REACHED_FOR_S = 10.0


@dataclass
class _Announcement:
    """The time of the next notification for a row, and the interval since the last one."""

    again_at: datetime
    wait: timedelta


class BrokerCircuit:
    """A circuit breaker for the broker, and the announced rows that no worker has claimed yet."""

    def __init__(self) -> None:
        self.open_until_s = 0.0
        self.reached_at_s = float("-inf")
        self.announced: dict[str, dict[Due, _Announcement]] = {}
        self.asked: dict[str, datetime] = {}

    def open_circuit(self) -> None:
        """Open the circuit after a failure of the broker."""
        self.open_until_s, self.reached_at_s = time.monotonic() + LEFT_ALONE_S, float("-inf")
        self.announced.clear()


CIRCUIT = BrokerCircuit()


def is_circuit_open() -> bool:
    """Whether the circuit is open."""
    return time.monotonic() < CIRCUIT.open_until_s


def wake(task: str, *arguments: int, **options: Any) -> None:
    """Notify a worker after commit. A failure of the broker is only logged, because the tick will find the row.

    `options` of Celery, such as the queue, replace those of the task.
    """
    asked_in = trace.request_id()

    def send() -> None:
        if is_circuit_open():
            return
        try:
            with pools.producers[_line()].acquire(block=True, timeout=PATIENCE_S) as producer:
                ours = {"producer": producer, "retry_policy": AT_ONCE, "headers": {trace.REQUEST_ID: asked_in}}
                current_app.send_task(task, args=arguments, retry=True, **ours, **options)
        except Exception as error:  # noqa: BLE001 -- whatever the broker says, the row stands
            log.warning("Work is delayed: the broker did not accept a notification (%s).", error)
            CIRCUIT.open_circuit()

    transaction.on_commit(send)


def announce(rows: type[Leased], task: str, *, now: datetime, among: Q | None = None) -> None:
    """Notify workers of due rows (`among` the rows of a kind), at most the oldest `BATCH`. Only the tick calls this.

    An unchanged row is announced again after 5 s, 10 s, 20 s … at most 5 min, so that the broker does not fill up.
    """
    if is_circuit_open():
        return
    before, after = CIRCUIT.announced.get(task, {}), dict[Due, _Announcement]()
    for row in rows.due(now=now, limit=BATCH, among=among):
        notified = before.get(row)
        if notified is None or notified.again_at <= now:
            wake(task, row.pk)
            wait = AGAIN_FIRST if notified is None else min(2 * notified.wait, AGAIN_LAST)
            notified = _Announcement(now + wait, wait)
        after[row] = notified
    CIRCUIT.announced[task] = {} if is_circuit_open() else after


def ask(task: str, queue: str, *, now: datetime) -> None:
    """Ask the workers of a queue for a sign of life, once in ten seconds. An old question is not answered."""
    if now - CIRCUIT.asked.get(queue, now - ASKED_EVERY) >= ASKED_EVERY:
        CIRCUIT.asked[queue] = now
        wake(task, queue=queue, expires=EXPIRES_S)


def reach_broker() -> bool:
    """Whether the broker responds within a second; otherwise the circuit is opened."""
    try:
        with _line() as line:
            line.transport.close_connection(line.transport.establish_connection())
    except Exception as error:  # noqa: BLE001 -- whatever it is, the broker takes no wake-up
        log.warning("The broker does not answer (%s: %s).", type(error).__name__, error)
        CIRCUIT.open_circuit()
        return False
    CIRCUIT.open_until_s, CIRCUIT.reached_at_s = 0.0, time.monotonic()
    return True


def is_reached() -> bool:
    """Whether the broker responds, or did within ten seconds and took every notification since."""
    return time.monotonic() - CIRCUIT.reached_at_s < REACHED_FOR_S or reach_broker()


def _line() -> Connection:
    options: dict[str, Any] = settings.WAKE_TRANSPORT_OPTIONS
    return current_app.connection_for_write(connect_timeout=PATIENCE_S, transport_options=options)
