"""Terms of accounts that take two people, and members of a team with other roles."""

from datetime import datetime

from governance.budgets.actions import cost_centers
from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.models import BudgetAccount
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from tests.factories.changes import REASON
from tests.factories.people import Cast


def set_terms(
    account: BudgetAccount, *, mode: BudgetMode, tolerance: int = 10, cast: Cast, now: datetime
) -> BudgetAccount:
    """Finance sets them; where they are looser, the platform lead confirms."""
    done = cost_centers.set_terms(
        account=account, mode=mode, tolerance_percent=tolerance, reason=REASON, by=cast.finance, now=now
    )
    if isinstance(done, Change):
        approvals.confirm(change=done, by=cast.approver, now=now)
    account.refresh_from_db()
    return account
