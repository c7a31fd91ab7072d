"""Which share of a budget is used, for those who must know before it is all used."""

from governance.budgets.domain.ledger import Balance

LEVELS = (100, 80)


def level_reached(balance: Balance) -> int | None:
    """The highest level, in percent, that the own use of an account has reached; None below all of them."""
    own, used = balance.own_budget, balance.used - balance.allocated_below
    return next((level for level in LEVELS if own > 0 and 100 * used >= level * own), None)
