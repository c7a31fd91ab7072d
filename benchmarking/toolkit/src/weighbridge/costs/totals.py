"""Totals that are computed from their parts: a person may raise a total, but never lower it below the sum.

The parts of a plain total must all have a value. A weighted sum is made of the parts that have one.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricDefinition
from weighbridge.core.metrics.values import MetricValue, best, number_text


class StatedTotal(NamedTuple):
    """The sum of the parts of a total, or the names of the parts without a value."""

    computed: MetricValue | None
    missing: tuple[str, ...]


def with_totals(metric_values: Sequence[MetricValue], *, catalog: MetricCatalog) -> tuple[MetricValue, ...]:
    """The metric values with every total as it counts.

    A stated total below the sum of its parts is replaced by the sum. A stated total with a missing part is left out,
    because nobody can tell whether it is complete. One whose parts are weighted and have no value stays. A measured or
    billed total, and the total of one cost projection together with the parts of the same projection, stay as they are.
    """
    values = tuple(metric_values)
    for kind in catalog.totals:
        # Without a value of the total or of a part, there is nothing to compute or to replace.
        if not kind.summed.isdisjoint(value.name for value in values):
            values = _with_total(values, kind, catalog)
    return values


def with_parts(names: Iterable[str], *, catalogs: Sequence[MetricCatalog]) -> frozenset[str]:
    """The names, and those of the metrics that their totals are computed from."""
    found, new = frozenset[str](), frozenset(names)
    while new:
        found |= new
        kinds = [kind for catalog in catalogs for name in new if (kind := catalog.get(name)) is not None]
        new = frozenset(part for kind in kinds for part in (*kind.summed, kind.converts) if part) - found
    return found


def least_total(
    metric_values: Sequence[MetricValue], *, counted: Sequence[MetricValue], name: str, catalog: MetricCatalog
) -> Decimal:
    """The smallest amount that the total can be: the total as it counts, else the higher of claim and known parts.

    `counted` are the values with every total as it counts, from `with_totals`.
    """
    total = best(counted, name=name, catalog=catalog)
    if total is not None:
        return total.value
    stated = best(metric_values, name=name, catalog=catalog)
    parts = (best(metric_values, name=part, catalog=catalog) for part in catalog[name].parts)
    known = sum((part.value for part in parts if part is not None), Decimal(0))
    return max(known, stated.value if stated is not None else Decimal(0))


def total_of(metric_values: Sequence[MetricValue], *, name: str, catalog: MetricCatalog) -> StatedTotal:
    """The sum of the parts of the total `name`, each with its value that counts."""
    kind = catalog[name]
    if kind.weighted_parts:
        return _weighted_total(metric_values, kind, catalog)
    parts = {part: best(metric_values, name=part, catalog=catalog) for part in kind.parts}
    known = [value for value in parts.values() if value is not None]
    if len(known) < len(parts):
        return StatedTotal(None, tuple(part for part, value in parts.items() if value is None))
    return StatedTotal(_sum(kind, [(value, Decimal(1)) for value in known]), ())


def _weighted_total(
    metric_values: Sequence[MetricValue], kind: MetricDefinition, catalog: MetricCatalog
) -> StatedTotal:
    """The weighted sum of the parts that have a value, unless they leave some of the converted amount out."""
    if kind.converts and not _accounts_for(metric_values, catalog[kind.converts], catalog):
        return StatedTotal(None, (kind.converts,))
    known = _known_parts(metric_values, kind, catalog)
    if not known:
        return StatedTotal(None, tuple(part.name for part in kind.weighted_parts))
    return StatedTotal(_sum(kind, known), ())


def _accounts_for(metric_values: Sequence[MetricValue], whole: MetricDefinition, catalog: MetricCatalog) -> bool:
    """Whether the parts of `whole` that have a value add up to its value, or it has none."""
    stated = best(metric_values, name=whole.name, catalog=catalog)
    parts = _known_parts(metric_values, whole, catalog)
    return stated is None or sum((part.value * weight for part, weight in parts), Decimal(0)) >= stated.value


def _known_parts(
    metric_values: Sequence[MetricValue], kind: MetricDefinition, catalog: MetricCatalog
) -> list[tuple[MetricValue, Decimal]]:
    own = [value for value in metric_values if value.name in kind.summed]
    names = {value.name for value in own}
    parts = (part for part in kind.weighted_parts if part.name in names)
    values = ((best(own, name=part.name, catalog=catalog), part.weight) for part in parts)
    return [(value, weight) for value, weight in values if value is not None]


def _with_total(
    values: tuple[MetricValue, ...], kind: MetricDefinition, catalog: MetricCatalog
) -> tuple[MetricValue, ...]:
    stated = best(values, name=kind.name, catalog=catalog)
    if stated is not None and stated.basis.rank >= Basis.MEASURED.rank:
        return values
    computed, missing = total_of(values, name=kind.name, catalog=catalog)
    if (
        stated is not None
        and computed is not None
        and (stated.value >= computed.value or _is_projected_together(values, stated, kind, catalog))
    ):
        return values
    if computed is None and kind.weighted_parts and kind.converts not in missing:
        return values
    others = tuple(value for value in values if value.name != kind.name)
    return (*others, computed) if computed is not None else others


def _is_projected_together(
    values: Sequence[MetricValue], total: MetricValue, kind: MetricDefinition, catalog: MetricCatalog
) -> bool:
    """Whether total and parts are medians of the same draws; medians do not add up."""
    parts = [best(values, name=part, catalog=catalog) for part in kind.parts]
    return total.p80 is not None and all(
        part is not None and part.p80 is not None and part.observed_at == total.observed_at for part in parts
    )


def _sum(kind: MetricDefinition, weighted: Sequence[tuple[MetricValue, Decimal]]) -> MetricValue:
    parts = [part for part, _ in weighted]
    weakest = min((part.basis for part in parts), key=lambda basis: basis.rank)
    ends = [part.valid_until for part in parts if part.valid_until is not None]
    return MetricValue(
        name=kind.name,
        value=sum((part.value * weight for part, weight in weighted), Decimal(0)),
        unit=kind.unit,
        basis=weakest,
        observed_at=max(part.observed_at for part in parts),
        lower=_added([(part.lower, weight) for part, weight in weighted]),
        upper=_added([(part.upper, weight) for part, weight in weighted]),
        p80=_added([(part.p80, weight) for part, weight in weighted]) if weakest is Basis.ESTIMATED else None,
        valid_until=min(ends, default=None),
        source="computed: " + " + ".join(_term(part, weight) for part, weight in weighted),
    )


def _term(part: MetricValue, weight: Decimal) -> str:
    factor = "" if weight == 1 else f" \N{MULTIPLICATION SIGN} {number_text(weight)}"
    return f"{part.name} {number_text(part.value)}{factor}"


def _added(numbers: Sequence[tuple[Decimal | None, Decimal]]) -> Decimal | None:
    known = [number * weight for number, weight in numbers if number is not None]
    return sum(known, Decimal(0)) if len(known) == len(numbers) else None
