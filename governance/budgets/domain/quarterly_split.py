"""Splits the cost of training and of one year into quarters: the one-time part at the start, and the rest by time."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from governance.budgets.domain.ledger import ZERO
from governance.budgets.domain.quarters import Quarter
from weighbridge.core.errors import Invalid
from weighbridge.core.money import CENT

DAYS_A_YEAR = 365


def split_by_quarter(*, amount: Decimal, once: Decimal, start_on: date, days: int) -> Mapping[Quarter, Decimal]:
    """The share of each quarter, in order, of an authorization of so many `days`. Zero shares are omitted.

        quarter = once, in the first one + (amount - once) x days of the authorization in the quarter / 365

    `amount` is `once` (training) and the cost of one year. An authorization of 365 days or more takes all of it, a
    shorter one only the cost of its own days. `once` is at most the whole amount. Each share is rounded down to a cent,
    and the last quarter gets the remainder, so that the shares add up to the total, which is rounded to a cent.
    """
    if days < 1 or amount < 0:
        raise Invalid(
            "An authorized amount must be zero or more, and its period must have at least one day.", field="amount"
        )
    first, once, counted = Quarter.of(start_on), min(max(once, ZERO), amount), min(days, DAYS_A_YEAR)
    shares = {
        quarter: ((amount - once) * in_it / DAYS_A_YEAR).quantize(CENT, rounding=ROUND_DOWN)
        for quarter, in_it in _days_in(start_on, start_on + timedelta(days=counted)).items()
    }
    shares[first] += once
    total = once + ((amount - once) * counted / DAYS_A_YEAR).quantize(CENT, rounding=ROUND_HALF_UP)
    shares[max(shares)] += total - sum(shares.values(), ZERO)
    return {quarter: share for quarter, share in shares.items() if share > 0}


def _days_in(start_on: date, end_on: date) -> dict[Quarter, int]:
    """The days of the period in each quarter; `end_on` is the first day after it."""
    days_by_quarter, quarter = {}, Quarter.of(start_on)
    while quarter.start_on < end_on:
        days_by_quarter[quarter] = (min(quarter.next.start_on, end_on) - max(quarter.start_on, start_on)).days
        quarter = quarter.next
    return days_by_quarter
