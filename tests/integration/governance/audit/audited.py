"""How to call every write of the audit trail, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.audit.actions import checkpoints
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]


ACTIONS: Mapping[str, Call] = {
    "governance.audit.actions.checkpoints.sign_head": lambda cast, now: checkpoints.sign_head(now=now),
}
