"""Signs of life of workers: each queue from which a worker takes messages has a pulse, and a held job keeps its lease.

A sign is shown by the code that works, never by a thread beside an idle worker, because a worker can be alive and take
nothing. While a job runs, a thread renews its lease, so that a lease can be much shorter than a job.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from governance.jobs.kinds import kind_of
from governance.jobs.models import Leased, Pulse
from governance.jobs.queries import QUEUE

log = logging.getLogger(__name__)

SHOWN_EVERY_S = 5.0
RENEWALS_PER_LEASE = 4


class ShownSigns:
    """The queues from which this process takes messages, and when it last showed a sign for them."""

    def __init__(self) -> None:
        self.queues: frozenset[str] = frozenset()
        self.shown_at_s = float("-inf")

    def take_from(self, queues: Iterable[str]) -> None:
        """This process is a worker for these queues from now on."""
        self.queues, self.shown_at_s = frozenset(queues), float("-inf")


SIGNS = ShownSigns()


def show(*, now: datetime) -> None:
    """Record that a worker takes messages from the queues of this process, at most once in five seconds."""
    if time.monotonic() - SIGNS.shown_at_s < SHOWN_EVERY_S:
        return
    SIGNS.shown_at_s = time.monotonic()
    for queue in sorted(SIGNS.queues):
        Pulse.record(name=QUEUE + queue, at=now)


def forget() -> None:
    """Delete the signs of this process, which ends in an orderly way. Another worker for the queue shows it again."""
    for queue in sorted(SIGNS.queues):
        Pulse.record(name=QUEUE + queue, at=None)


@contextmanager
def lease_renewed(row: Leased) -> Iterator[None]:
    """Renew the lease of a claimed row during the block, until its kind says that a job lasts too long."""
    kind, is_over = kind_of(type(row)), threading.Event()
    renewal = threading.Thread(target=_renew, args=(row, kind.lease(), kind.longest, is_over), daemon=True)
    renewal.start()
    try:
        yield
    finally:
        is_over.set()
        renewal.join()


def _renew(row: Leased, lease: timedelta, longest: timedelta, is_over: threading.Event) -> None:
    ends_at_s = time.monotonic() + longest.total_seconds()
    held = type(row)(fence=row.fence)  # the thread of the job changes its own copy
    held.pk = row.pk
    try:
        while not is_over.wait(lease.total_seconds() / RENEWALS_PER_LEASE):
            if time.monotonic() > ends_at_s or not _is_renewed(held, lease):
                return
    finally:
        connection.close()


def _is_renewed(row: Leased, lease: timedelta) -> bool:
    """False once the lease is lost. An unavailable database is asked again: it gives the row to nobody either."""
    now = timezone.now()
    try:
        is_held = row.renew(now=now, lease=lease)
        show(now=now)
    except DatabaseError as error:
        log.warning("The lease of %s was not renewed (%s). It will be tried again.", row.pk, error)
        connection.close()
        return True
    return is_held
