"""How to call every write of approvals, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.people.approvals import actions as approvals
from tests.factories.changes import propose
from tests.factories.people import Cast
from tests.integration.governance.budgets.audited import changed
from tests.integration.governance.people.audited import granted
from tests.integration.governance.rulebook.audited import drafted

Call = Callable[[Cast, datetime], object]


def _refuse(cast: Cast, now: datetime) -> None:
    change = propose(version=drafted(cast, now), by=cast.approver, now=now)
    approvals.refuse(change=change, reason="Not this quarter.", by=cast.admin, now=now)


def _expire(cast: Cast, now: datetime) -> None:
    change = propose(version=drafted(cast, now), by=cast.approver, now=now)
    assert approvals.expire(now=change.expires_at)


ACTIONS: Mapping[str, Call] = {
    "governance.people.approvals.actions.propose": changed,
    "governance.people.approvals.actions.confirm": granted,
    "governance.people.approvals.actions.refuse": _refuse,
    "governance.people.approvals.actions.expire": _expire,
}
