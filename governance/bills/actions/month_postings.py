"""Posts the cost and the GPU hours of allocated lines, by month, on the budget accounts of the teams."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.bills.queries.month_postings import Posting, postings
from governance.budgets.actions import actuals
from governance.budgets.domain.actuals import Stated
from weighbridge.core.money import CENT


def post_months(*, months: Iterable[date], cause: str, by: User | None = None, now: datetime) -> int:
    """Update the ledger to the effective cost of these months (their first days). Returns the number of new postings.

    `cause` names what changed, like `bill:7`; a repeated cause posts nothing new. Amounts without an account for their
    team and quarter, or without an exchange rate, are not posted; the audit event lists them.
    """
    with transaction.atomic():
        booked, homeless = 0, []
        for posting in postings(months=sorted(set(months))):
            if posting.account is None:
                homeless.append(str(posting))
            elif _differs(posting):
                key = f"{cause}:{posting.account.pk}:{posting.period}:{posting.request_ref}"
                stated = Stated(period=posting.period, amount=_hundredths(posting), request_ref=posting.request_ref)
                actuals.book_actual(account=posting.account, stated=stated, key=key, source=cause, by=by, now=now)
                booked += 1
        details = {"booked": booked, "without_account": sorted(homeless)[:50]}
        audit.record(kind="bills.stated", by=by, subject=("bills", cause), details=details, now=now)
    return booked


def _hundredths(posting: Posting) -> Decimal:
    return posting.amount.quantize(CENT, rounding=ROUND_HALF_EVEN)


def _differs(posting: Posting) -> bool:
    """Whether the ledger has another amount, or none, for the month."""
    return posting.stated is None or posting.stated != _hundredths(posting)
