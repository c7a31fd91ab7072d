"""Sums over the tree of cost centers: what a budget or a spend is together with everything below it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.budgets.domain.ledger import ZERO, Balance

SUMMED = ("reserved", "committed", "spent", "unbound", "withheld")


@dataclass(frozen=True)
class RolledUp:
    """An account and all accounts below it.

    `whole` is the balance of all of them together; nothing in it is delegated. `over` is the amount by which accounts
    below exceed their budgets, and `names_over` are their cost centers: what one has left does not offset it.
    `has_account` is False for a cost center without an account that has none below it either.
    """

    whole: Balance
    over: Decimal = ZERO
    names_over: tuple[str, ...] = ()
    has_account: bool = True


Below = tuple[str, Balance | None, RolledUp]


def roll_up(own: Balance | None, below: Sequence[Below]) -> RolledUp:
    """An account (None for a cost center without one) with those directly below: name, own balance, rolled up."""
    parts = [each for each in (own, *(rolled.whole for _, _, rolled in below)) if each is not None]
    allocated_below = sum((rolled.whole.allocated for _, _, rolled in below), ZERO)
    budget_below = sum((rolled.whole.budget for _, _, rolled in below), ZERO)
    allocated = max(own.allocated if own else ZERO, allocated_below)
    budget = max(own.budget if own else ZERO, budget_below)
    sums = {name: sum((getattr(part, name) for part in parts), ZERO) for name in SUMMED}
    whole = Balance(allocated=allocated, expired=budget - allocated, **sums)
    over, names = ZERO, list[str]()
    for name, balance, rolled in below:
        if balance is not None and balance.over:
            over += balance.over
            names.append(name)
        over += rolled.over
        names += rolled.names_over
    has_account = own is not None or any(rolled.has_account for _, _, rolled in below)
    return RolledUp(whole, over, tuple(names), has_account)


def with_below(tree: Iterable[tuple[int, int | None]], own: dict[int, Decimal]) -> dict[int, Decimal]:
    """The own amount of each node plus those of all nodes below it. `tree` has (node, parent), parents first."""
    sums = defaultdict[int, Decimal](Decimal)
    for node, parent in reversed(list(tree)):
        sums[node] += own.get(node, ZERO)
        if parent is not None:
            sums[parent] += sums[node]
    return dict(sums)
