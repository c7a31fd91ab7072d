"""The needs of several requests for one artifact in one environment, added up: splitting a need hides no part of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import MetricValue, best
from weighbridge.costs.totals import with_totals

ADDITIVE_UNITS = frozenset({"USD", "gpu_h"})
RATES = frozenset({"cost_per_1k_usd"})
"""Metrics in US dollars that two requests do not add up to: a price stays the same."""
ADDED_UP = "added up"


@dataclass(frozen=True)
class ClearedNeed:
    """A request that is cleared, and its metric values with totals as they count."""

    ref: str
    of_own_team: bool
    values: Sequence[MetricValue]


def with_needs(
    own: Sequence[MetricValue], *, needs: Sequence[ClearedNeed], catalog: MetricCatalog
) -> tuple[MetricValue, ...]:
    """The own values with the amounts of the other needs added to costs and GPU hours; the totals follow."""
    added = []
    for value in own:
        others = [best(need.values, name=value.name, catalog=catalog) for need in needs]
        known = [other for other in others if other is not None]
        is_additive = value.unit in ADDITIVE_UNITS and value.name not in RATES
        added.append(_sum(value, known) if known and is_additive else value)
    return with_totals(added, catalog=catalog)


def with_words(needs: Sequence[ClearedNeed], *, environment: str) -> str:
    """What was added, as the beginning of a sentence; without the references of other teams."""
    names = [need.ref for need in needs if need.of_own_team]
    others = len(needs) - len(names)
    if others:
        names.append("a request of another team" if others == 1 else f"{others} requests of other teams")
    *first, last = names
    listed = f"{', '.join(first)} and {last}" if first else last
    verb = "is" if len(needs) == 1 else "are"
    return f"With {listed}, which {verb} cleared for the same artifact in {environment}"


def _sum(value: MetricValue, others: Sequence[MetricValue]) -> MetricValue:
    """The value with the others added: to the ends of its range, the upper ends of theirs."""
    more = sum((other.value for other in others), Decimal(0))
    end = sum((max(other.value, other.upper or 0, other.p80 or 0) for other in others), Decimal(0))
    return replace(
        value,
        value=value.value + more,
        upper=None if value.upper is None else value.upper + end,
        p80=None if value.p80 is None else value.p80 + end,
        source=ADDED_UP,
    )
