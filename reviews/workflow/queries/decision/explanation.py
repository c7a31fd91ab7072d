"""Where a metric of a request comes from: its values, who stated them, its formula, its prices and its limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from benchmarking.projections.domain.projection_table import CostPartView, PriceRow, table_of
from governance.people.queries.people import name_of
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.evidence import metric_value_of
from reviews.evidence.queries.metric_views import MetricView
from reviews.packets.domain.packet_evidence import RuleLine
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.workflow.queries.decision.doubts import is_raised
from reviews.workflow.queries.view import RequestView
from weighbridge.core.errors import NotFound
from weighbridge.core.metrics.values import MetricValue

COST_PARTS = {
    "training_cost_usd": ("training",),
    "training_gpu_hours": ("training",),
    "inference_cost_1y_usd": ("serving",),
    "total_cost_1y_usd": ("training", "serving", "upkeep"),
    "cost_per_1k_usd": ("serving",),
}
"""The parts of a projection from which each metric of costs is calculated."""


@dataclass(frozen=True, kw_only=True)
class ValueOnRecord:
    """A value of the metric on record: who stated it or what measured it, and whether it is the one that counts."""

    value: MetricValue
    stated_by: str
    run_id: int | None
    attested_by: str
    counts: bool


@dataclass(frozen=True)
class Addend:
    """A part of a total, with its weight and its value; None if it has no value."""

    name: str
    title: str
    weight: Decimal
    value: MetricValue | None


@dataclass(frozen=True, kw_only=True)
class MetricExplanation:
    """One metric of a request. `cost_parts` and `prices` are those of the projection that counts."""

    metric: MetricView
    values: tuple[ValueOnRecord, ...]
    addends: tuple[Addend, ...]
    is_raised: bool
    rules: tuple[RuleLine, ...]
    cost_parts: tuple[CostPartView, ...]
    prices: tuple[PriceRow, ...]
    projection_token: str


def explanation_of(view: RequestView, *, snapshot: RequestSnapshot, name: str) -> MetricExplanation:
    """The explanation of a metric. Raises NotFound if the request has neither a value nor a limit of it."""
    metric = next((metric for metric in view.metric_values if metric.kind.name == name), None)
    if metric is None:
        raise NotFound(f"{view.ref} has no metric {name}.")
    parts, prices = _projected(view, name)
    return MetricExplanation(
        metric=metric,
        values=tuple(_recorded(snapshot.evidence.metric_records, metric)),
        addends=tuple(_addends(metric, view.metric_values)),
        is_raised=is_raised(metric),
        rules=tuple(_rules(view, name)),
        cost_parts=parts,
        prices=prices,
        projection_token=view.projections[0].token if parts else "",
    )


def _recorded(records: Iterable[MetricRecord], metric: MetricView) -> Iterable[ValueOnRecord]:
    for row in reversed([row for row in records if row.name == metric.kind.name]):
        yield ValueOnRecord(
            value=metric_value_of(row),
            stated_by=name_of(row.stated_by) if row.stated_by else "",
            run_id=row.run_id,
            attested_by=row.statement.key_name if row.statement else "",
            counts=metric.best is not None and metric.best.id == str(row.pk),
        )


def _addends(metric: MetricView, metrics: Sequence[MetricView]) -> Iterable[Addend]:
    known = {other.kind.name: other for other in metrics}
    weighted = [(part, Decimal(1)) for part in metric.kind.parts]
    weighted += [(part.name, part.weight) for part in metric.kind.weighted_parts if part.name in known]
    for name, weight in weighted:
        other = known.get(name)
        title = other.kind.title if other else name
        yield Addend(name, title, weight, other.best if other else None)


def _rules(view: RequestView, name: str) -> Iterable[RuleLine]:
    rules = view.policy_evaluation.rules if view.policy_evaluation else ()
    return (rule for rule in rules if rule.metric == name)


def _projected(view: RequestView, name: str) -> tuple[tuple[CostPartView, ...], tuple[PriceRow, ...]]:
    wanted = COST_PARTS.get(name, ())
    if not view.projections or not wanted:
        return (), ()
    latest = view.projections[0]
    table = table_of(latest.document)
    option = next(option for option in table.options if option.id == latest.option)
    return tuple(part for part in option.parts if part.name in wanted), table.prices
