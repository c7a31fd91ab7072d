"""Convert stored metric values and requests to the types of the policy evaluation."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

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
from weighbridge.costs.totals import least_total, with_parts, with_totals

COST_METRIC, GPU_METRIC = "total_cost_1y_usd", "training_gpu_hours"
STORED = tuple(field.name for field in fields(MetricValue) if field.name != "id")
"""The columns of a metric value that the domain type has under the same names."""
_BASES = {basis.value: basis for basis in Basis}


READ = tuple(Cast(name, TextField()) if name in ("observed_at", "valid_until") else name for name in STORED)
"""The columns for `read_value`: times are text, which the database and Python write and read in less time."""


def metric_value_of(row: MetricRecord) -> MetricValue:
    """A stored metric value as the domain type."""
    stored = {name: getattr(row, name) for name in STORED}
    shown = {"id": str(row.pk), "value": row.value.normalize(), "basis": _BASES[row.basis]}
    return MetricValue(**stored | shown)


def read_value(*, record_id: int, columns: Sequence[Any]) -> MetricValue:
    """A metric value as the domain type, from its id and the columns `READ`."""
    name, value, unit, basis, observed_at, lower, upper, confidence, n, source, valid_until, p80 = columns
    return MetricValue(
        name=name,
        value=value.normalize(),
        unit=unit,
        basis=_BASES[basis],
        observed_at=datetime.fromisoformat(observed_at),
        lower=lower,
        upper=upper,
        confidence=confidence,
        n=n,
        source=source,
        valid_until=None if valid_until is None else datetime.fromisoformat(valid_until),
        p80=p80,
        id=str(record_id),
    )


def is_of_other_data(row: MetricRecord, *, request: ReviewRequest, catalog: MetricCatalog) -> bool:
    """Whether a quality value was measured on data that the request had before; such a value counts no longer."""
    if request.data_since is None or row.name not in catalog or catalog[row.name].group is not MetricGroup.QUALITY:
        return False
    if row.run is not None:
        return row.run.dataset_id != request.dataset_id
    return row.statement is not None and row.statement.received_at < request.data_since


def other_data_since(requests: Collection[int], *, catalog: MetricCatalog) -> dict[int, datetime]:
    """The records of these requests that `is_of_other_data`, by id, with the time since which they count no longer."""
    changed = MetricRecord.objects.filter(request__in=requests, request__data_since__isnull=False)
    return {
        row.pk: row.request.data_since
        for row in changed.select_related("request", "run", "statement")
        if row.request.data_since is not None and is_of_other_data(row, request=row.request, catalog=catalog)
    }


def metric_values_of(request: ReviewRequest) -> list[MetricValue]:
    """Every metric value of the request, oldest first, with totals as they count."""
    values = [metric_value_of(row) for row in request.metric_records.order_by("pk")]
    return list(with_totals(values, catalog=catalog_in_force()))


def metric_values_by_request(requests: Sequence[ReviewRequest]) -> dict[int, list[MetricValue]]:
    """The metric values of many requests with one query, by request id, with totals as they count."""
    return metric_values_by_id([row.pk for row in requests])


def metric_values_by_id(requests: Collection[int], *, names: Collection[str] = ()) -> dict[int, list[MetricValue]]:
    """Like `metric_values_by_request`; with `names`, only these values and those that their totals need."""
    catalog = catalog_in_force()
    values: dict[int, list[MetricValue]] = {pk: [] for pk in requests}
    rows = MetricRecord.objects.filter(request__in=requests)
    if names:
        rows = rows.filter(name__in=with_parts(names, catalogs=(catalog, STANDARD)))
    for pk, request_id, *columns in rows.order_by("pk").values_list("pk", "request_id", *READ):
        values[request_id].append(read_value(record_id=pk, columns=columns))
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
    return amounts_counted(metric_values, counted=with_totals(metric_values, catalog=STANDARD))


def amounts_counted(
    metric_values: Sequence[MetricValue], *, counted: Sequence[MetricValue]
) -> dict[BudgetUnit, Decimal]:
    """Like `amounts_of`, where the values with every total as it counts are known already."""
    hours = best(metric_values, name=GPU_METRIC, catalog=STANDARD)
    amounts = {
        BudgetUnit.USD: least_total(metric_values, counted=counted, name=COST_METRIC, catalog=STANDARD),
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
