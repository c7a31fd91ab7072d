"""Stored metric values, policies and checklists as the rules take them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from governance.budgets.enums import BudgetUnit
from governance.rulebook.domain.evaluation import EvaluationSubject, RuleStatus
from governance.rulebook.domain.policy import RuleEffect
from reviews.evidence.models import MetricRecord
from reviews.requests.models import ReviewRequest
from weighbridge.core import metrics
from weighbridge.core.metrics import Basis, MetricValue

COST_METRIC, GPU_METRIC = "total_cost_1y_usd", "training_gpu_hours"


def metric_value_of(row: MetricRecord) -> MetricValue:
    """A stored metric as the rules take it."""
    return MetricValue(
        name=row.name,
        value=row.value.normalize(),
        unit=row.unit,
        basis=Basis(row.basis),
        lower=row.lower,
        upper=row.upper,
        confidence=row.confidence,
        n=row.n,
        source=row.source,
        observed_at=row.observed_at,
        valid_until=row.valid_until,
        p80=row.p80,
        id=str(row.pk),
    )


def metric_values_of(request: ReviewRequest) -> list[MetricValue]:
    """Every metric value ever stated of the request, oldest first."""
    return [metric_value_of(row) for row in request.metric_records.order_by("pk")]


def metric_values_by_request(requests: Sequence[ReviewRequest]) -> dict[int, list[MetricValue]]:
    """The same of many requests at once, by the id of each."""
    found: dict[int, list[MetricValue]] = {row.pk: [] for row in requests}
    for row in MetricRecord.objects.filter(request__in=requests).order_by("pk"):
        found[row.request_id].append(metric_value_of(row))
    return found


def subject_of(request: ReviewRequest) -> EvaluationSubject:
    """What a rule's scope looks at."""
    return EvaluationSubject(
        team=request.team.slug, tier=request.model_version.asset.tier, environment=request.environment
    )


def amounts_of(metric_values: Sequence[MetricValue], *, now: datetime) -> dict[BudgetUnit, Decimal]:
    """What approving would commit: one year's total cost in USD, and the GPU hours of training."""
    wanted = {BudgetUnit.USD: COST_METRIC, BudgetUnit.GPU_H: GPU_METRIC}
    found = {unit: metrics.best(metric_values, name=name, now=now) for unit, name in wanted.items()}
    return {
        unit: metric_value.value.quantize(Decimal("0.01")) if metric_value else Decimal(0)
        for unit, metric_value in found.items()
    }


def severities(document: dict[str, Any]) -> dict[str, tuple[int, bool]]:
    """How much each rule of a stored policy evaluation stood against the request, as `RuleResult.severity` has it."""
    return {
        each["rule_id"]: (
            RuleEffect(each["effect"]).rank if each["effect"] else 0,
            each["status"] == RuleStatus.INDETERMINATE,
        )
        for each in document["results"]
    }
