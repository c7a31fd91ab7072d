"""What of an authorized amount falls into which quarter: what is spent once at the start, the rest as time passes."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from governance.budgets.domain.ledger import ZERO
from governance.budgets.domain.quarters import Quarter
from weighbridge.core.errors import Invalid
from weighbridge.core.money import CENT

DAYS_A_YEAR = 365


def shares(*, amount: Decimal, once: Decimal, start_on: date, days: int) -> Mapping[Quarter, Decimal]:
    """The share of each quarter, in order; they add up to `amount` to the cent, and shares of nothing are left out.

        quarter = once, in the first one + (amount - once) x days of the authorization in the quarter / all its days

    `once` (training) counts for at most the whole amount. The rest is what a year costs, so no more than its first 365
    `days`
    count; each share is rounded down to a cent, and the last quarter takes what is left over.
    """
    if days < 1 or amount < 0:
        raise Invalid("An authorized amount is zero or more, and is spent on at least one day.", field="amount")
    first, once = Quarter.of(start_on), min(max(once, ZERO), amount)
    in_quarters = _days_in(start_on, start_on + timedelta(days=min(days, DAYS_A_YEAR)))
    whole = sum(in_quarters.values())
    found = {
        quarter: ((amount - once) * in_it / whole).quantize(CENT, rounding=ROUND_DOWN)
        for quarter, in_it in in_quarters.items()
    }
    found[first] += once
    found[max(found)] += amount - sum(found.values(), ZERO)
    return {quarter: share for quarter, share in found.items() if share > 0}


def _days_in(start_on: date, end_on: date) -> dict[Quarter, int]:
    """How many days of the span lie in each quarter; `end_on` is the first day after it."""
    found, quarter = {}, Quarter.of(start_on)
    while quarter.start_on < end_on:
        found[quarter] = (min(quarter.next.start_on, end_on) - max(quarter.start_on, start_on)).days
        quarter = quarter.next
    return found
