"""How to call every write of accounts, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.accounts import actions as accounts
from governance.accounts.domain import Happening
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]


ACTIONS: Mapping[str, Call] = {
    "governance.accounts.actions.note": lambda cast, now: accounts.note(
        happening=Happening.FACTOR_REMOVED, user=cast.author, by=cast.admin, now=now
    ),
}
