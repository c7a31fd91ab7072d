"""How to call every write of operations, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.jobs.models import OutboxMessage
from governance.operations import actions as effects
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]


def _stuck(now: datetime, *, state: str) -> OutboxMessage:
    return OutboxMessage.objects.create(kind="x", key="x", lane="x", state=state, created_at=now, next_attempt_at=now)


ACTIONS: Mapping[str, Call] = {
    "governance.operations.actions.retry": lambda cast, now: effects.retry(
        message=_stuck(now, state="dead"), by=cast.admin, now=now
    ),
    "governance.operations.actions.resume_all": lambda cast, now: effects.resume_all(by=cast.admin, now=now),
    "governance.operations.actions.request_check": lambda cast, now: effects.request_check(by=cast.admin, now=now),
}
