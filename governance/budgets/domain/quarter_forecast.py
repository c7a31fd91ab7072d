"""Where an account is heading: the forecast to the end of its quarter, and when more was billed than was tolerable."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from governance.budgets.domain.ledger import ZERO, Balance, Holding
from governance.budgets.domain.quarters import Quarter
from weighbridge.core.money import CENT

TOLERANCE_PERCENT = 10


def forecast(balance: Balance, *, quarter: Quarter, today: date) -> Decimal:
    """What the account will have spent by the end of the quarter, in its own unit.

        billed + committed and not yet billed + what names no request, carried on at its pace so far

    The pace is what was billed without a request, divided by the days of the quarter that have passed (today included),
    and lasts for the days that remain. A net credit is not carried on. Reservations are not counted: nobody has
    approved them.
    """
    days = (quarter.end_on - quarter.start_on).days + 1
    passed = min(max((today - quarter.start_on).days + 1, 0), days)
    pace = max(balance.unbound, ZERO) / passed if passed else ZERO
    return (balance.spent + balance.committed + pace * (days - passed)).quantize(CENT, rounding=ROUND_HALF_EVEN)


def overrun(held: Holding, *, tolerance_percent: int) -> Decimal:
    """By how much more was billed for a request in a quarter than was committed or planned there; zero within the
    tolerance.
    """
    return excess(granted=held.committed, spent=held.spent, tolerance_percent=tolerance_percent)


def excess(*, granted: Decimal, spent: Decimal, tolerance_percent: int) -> Decimal:
    """By how much more was spent than was granted; zero while it stays within the tolerance, a share of what was
    granted.
    """
    over = spent - granted
    return over if over > max(granted, ZERO) * tolerance_percent / 100 else ZERO
