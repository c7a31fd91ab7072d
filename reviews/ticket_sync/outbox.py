"""Translate what goes wrong at a ticket tracker into exceptions of the outbox: how far it reaches, when to retry."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from governance.jobs.enums import Reach
from governance.jobs.outbox import NeedsPerson, TryLater
from governance.secrets.domain import SecretUnreadable
from reviews.tickets.ports import FailureReach, OutcomeUnknown, TrackerError, TrackerUnreachable

REACH = {
    FailureReach.TICKET: Reach.MESSAGE,
    FailureReach.ALIKE: Reach.KIND,
    FailureReach.TRACKER: Reach.CHANNEL,
}


@contextmanager
def failures_translated(*, clock: Callable[[], datetime]) -> Iterator[None]:
    """Translate the failures of the block. A wait begins at the time of `clock`."""
    try:
        yield
    except TrackerUnreachable as failure:
        reach, wait_s = REACH[failure.reach], failure.retry_after_s
        raise TryLater(failure.reason, wait_s=wait_s, reach=reach, at=clock()) from failure
    except OutcomeUnknown as failure:
        raise TryLater(failure.reason, wait_s=failure.settle_s, is_uncertain=True, at=clock()) from failure
    except TrackerError as failure:
        raise NeedsPerson(failure.reason, reach=REACH[failure.reach]) from failure
    except SecretUnreadable as failure:
        raise NeedsPerson(failure.reason, reach=Reach.CHANNEL) from failure
