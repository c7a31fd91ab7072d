"""What allocated lines mean for budgets: each month's cost and GPU hours, stated on the accounts of the teams."""

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


def state_months(*, months: Iterable[date], cause: str, by: User | None = None, now: datetime) -> int:
    """Make the ledger say what bills on record say of these months (their first days); how many statements were new.

    The effective cost counts. `cause` names what changed, like `bill:7`: the same cause again states nothing new. What
    has no account of its team and quarter, or no exchange rate, is not booked; the event says so.
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
    """Whether the ledger says something else, or nothing, of the month yet."""
    return posting.stated is None or posting.stated != _hundredths(posting)
