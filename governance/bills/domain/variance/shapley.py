"""Split a difference over groups of causes by Shapley value, in fractions, and round its parts to whole cents.

The part of a group is the mean of what changing it adds, over all orders in which the groups can be changed (Shapley,
"A value for n-person games", 1953). The parts add up to the difference exactly, and no order is preferred.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import combinations
from math import factorial

from weighbridge.core.money import CENT

Cost = Callable[[frozenset[str]], Fraction]


def shapley(groups: Sequence[str], cost: Cost) -> dict[str, Fraction]:
    """The part of each group of `cost(all groups) - cost(no group)`, in the unit of the cost.

    `cost` gives the cost with the named groups as they are and the others as planned; it is called once for each of the
    2^n sets of groups. The parts of the groups do not depend on their order.
    """
    subsets = [frozenset(chosen) for size in range(len(groups) + 1) for chosen in combinations(groups, size)]
    costs = {subset: cost(subset) for subset in subsets}
    orders = factorial(len(groups))
    parts = dict.fromkeys(groups, Fraction(0))
    for subset in subsets:
        for group in (each for each in groups if each not in subset):
            ways = factorial(len(subset)) * factorial(len(groups) - len(subset) - 1)
            parts[group] += Fraction(ways, orders) * (costs[subset | {group}] - costs[subset])
    return parts


def in_order(groups: Sequence[str], cost: Cost) -> dict[str, Fraction]:
    """What each group adds if the groups change one after the other, in this order. Another order gives other parts."""
    parts, changed = {}, frozenset[str]()
    for group in groups:
        parts[group] = cost(changed | {group}) - cost(changed)
        changed |= {group}
    return parts


def whole_cents(parts: Mapping[str, Fraction]) -> dict[str, Decimal]:
    """The parts in whole cents that add up to their sum, rounded half to even.

    Each part is rounded down; the cents that are left go to the parts with the largest remainders. Of equal remainders,
    the earlier part gets the cent.
    """
    cents = {name: part * 100 for name, part in parts.items()}
    floors = {name: value.numerator // value.denominator for name, value in cents.items()}
    left = round(sum(cents.values(), Fraction(0))) - sum(floors.values())
    by_remainder = sorted(cents, key=lambda name: floors[name] - cents[name])
    for name in by_remainder[:left]:
        floors[name] += 1
    return {name: (Decimal(value) * CENT).quantize(CENT, ROUND_HALF_EVEN) for name, value in floors.items()}
