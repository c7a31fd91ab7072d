"""How to call every write of accounts, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.accounts import actions as accounts
from governance.accounts.domain import SecurityEvent
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]


ACTIONS: Mapping[str, Call] = {
    "governance.accounts.actions.record_security_event": lambda cast, now: accounts.record_security_event(
        happening=SecurityEvent.FACTOR_REMOVED, user=cast.author, by=cast.admin, now=now
    ),
}
