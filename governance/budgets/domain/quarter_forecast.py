"""The forecast of an account to the end of its quarter, and overruns beyond the tolerance."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from governance.budgets.domain.ledger import ZERO, Balance, Holding
from governance.budgets.domain.quarters import Quarter
from weighbridge.core.money import CENT

TOLERANCE_PERCENT = 10


def forecast(balance: Balance, *, quarter: Quarter, today: date) -> Decimal:
    """The forecast spend of the account at the end of the quarter, in its own unit.

        billed + committed and not yet billed + what names no request, carried on at its pace so far

    The pace is the amount billed without a request by elapsed day, today included. A net credit is not carried on.
    Reservations do not count, because they are not approved.
    """
    days = (quarter.end_on - quarter.start_on).days + 1
    passed = min(max((today - quarter.start_on).days + 1, 0), days)
    pace = max(balance.unbound, ZERO) / passed if passed else ZERO
    return (balance.spent + balance.committed + pace * (days - passed)).quantize(CENT, rounding=ROUND_HALF_EVEN)


def overrun(held: Holding, *, tolerance_percent: int) -> Decimal:
    """The amount billed for a request in a quarter above what it committed; zero within the tolerance."""
    return excess(granted=held.committed, spent=held.spent, tolerance_percent=tolerance_percent)


def excess(*, granted: Decimal, spent: Decimal, tolerance_percent: int) -> Decimal:
    """The amount spent above the granted amount; zero within the tolerance, a percentage of the granted amount."""
    over = spent - granted
    return over if over > max(granted, ZERO) * tolerance_percent / 100 else ZERO
