"""Convert stored metric values and requests to the types of the policy evaluation."""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from benchmarking.runs.models import Dataset
from benchmarking.runs.queries.datasets import reason_declared
from governance.budgets.enums import BudgetUnit
from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.policy import RuleEffect
from governance.rulebook.domain.scopes import EvaluationSubject
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import policy_in
from reviews.evidence.models import MetricRecord
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.classifications import strictest_tier_of
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricGroup
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue, best
from weighbridge.costs.totals import least_total, with_totals

COST_METRIC, GPU_METRIC = "total_cost_1y_usd", "training_gpu_hours"
STORED = tuple(field.name for field in fields(MetricValue) if field.name != "id")
"""The columns of a metric value that the domain type has under the same names."""


def metric_value_of(row: MetricRecord) -> MetricValue:
    """A stored metric value as the domain type."""
    return domain_value(record_id=row.pk, stored={name: getattr(row, name) for name in STORED})


def domain_value(*, record_id: int, stored: dict[str, Any]) -> MetricValue:
    """A metric value as the domain type, from its id and the columns `STORED`."""
    shown = {"id": str(record_id), "value": stored["value"].normalize(), "basis": Basis(stored["basis"])}
    return MetricValue(**stored | shown)


def is_of_other_data(row: MetricRecord, *, request: ReviewRequest, catalog: MetricCatalog) -> bool:
    """Whether a quality value was measured on data that the request had before; such a value counts no longer."""
    if request.data_since is None or row.name not in catalog or catalog[row.name].group is not MetricGroup.QUALITY:
        return False
    if row.run is not None:
        return row.run.dataset_id != request.dataset_id
    return row.statement is not None and row.statement.received_at < request.data_since


def metric_values_of(request: ReviewRequest) -> list[MetricValue]:
    """Every metric value of the request, oldest first, with totals as they count."""
    values = [metric_value_of(row) for row in request.metric_records.order_by("pk")]
    return list(with_totals(values, catalog=catalog_in_force()))


def metric_values_by_request(requests: Sequence[ReviewRequest]) -> dict[int, list[MetricValue]]:
    """The metric values of many requests with one query, by request id, with totals as they count."""
    values: dict[int, list[MetricValue]] = {row.pk: [] for row in requests}
    for row in MetricRecord.objects.filter(request__in=requests).order_by("pk"):
        values[row.request_id].append(metric_value_of(row))
    catalog = catalog_in_force()
    return {pk: list(with_totals(own, catalog=catalog)) for pk, own in values.items()}


def subject_of(request: ReviewRequest) -> EvaluationSubject:
    """The properties of the request that a scope selects, with the tier and the task as of its submission.

    Before it, the tier is the strictest of the models for which any team registered the artifact.
    """
    version = request.model_version
    return EvaluationSubject(
        team=request.team.slug,
        tier=request.tier or strictest_tier_of(version),
        environment=request.environment,
        kind=version.kind,
        # What is no file has a format of its own, so that a scope of file formats does not take it as unknown.
        format=version.format or version.kind,
        task=request.task or version.asset.task,
    )


def doubt_about_data(request: ReviewRequest, *, data: Dataset | None) -> str:
    """Why quality on this evaluation set is declared and not measured for the request, as a sentence; "" if it is."""
    accepted = policy_in(request.policy).evaluation_sets if request.policy else ()
    return reason_declared(data, team=request.team.slug, accepted=accepted)


def amounts_of(metric_values: Sequence[MetricValue]) -> dict[BudgetUnit, Decimal]:
    """The amounts that an approval commits: the total cost of one year in USD, and the GPU hours of training."""
    hours = best(metric_values, name=GPU_METRIC, catalog=STANDARD)
    amounts = {
        BudgetUnit.USD: least_total(metric_values, name=COST_METRIC, catalog=STANDARD),
        BudgetUnit.GPU_H: hours.value if hours is not None else Decimal(0),
    }
    return {unit: amount.quantize(Decimal("0.01")) for unit, amount in amounts.items()}


def severities(document: dict[str, Any]) -> dict[str, tuple[int, bool]]:
    """The severity of each rule in a stored policy evaluation, as in `RuleResult.severity`."""
    return {
        result["rule_id"]: (
            RuleEffect(result["effect"]).rank if result["effect"] else 0,
            result["status"] == RuleStatus.INDETERMINATE,
        )
        for result in document["results"]
    }
