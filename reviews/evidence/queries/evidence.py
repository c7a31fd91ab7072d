"""Stored figures, policies and checklists as the rules take them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from governance.budgets.enums import Unit
from governance.rulebook.domain.evaluation import RuleStatus, Subject
from governance.rulebook.domain.policy import Effect
from reviews.evidence.models import Fact
from reviews.requests.models import ReviewRequest
from weighbridge.core import metrics as facts
from weighbridge.core.metrics import Basis, Figure

COST_FACT, GPU_FACT = "total_cost_1y_usd", "training_gpu_hours"


def figure_of(row: Fact) -> Figure:
    """A stored fact as the rules take it."""
    return Figure(
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


def figures_of(request: ReviewRequest) -> list[Figure]:
    """Every figure ever stated of the request, oldest first."""
    return [figure_of(row) for row in request.facts.order_by("pk")]


def figures_by_request(requests: Sequence[ReviewRequest]) -> dict[int, list[Figure]]:
    """The same of many requests at once, by the id of each."""
    found: dict[int, list[Figure]] = {row.pk: [] for row in requests}
    for row in Fact.objects.filter(request__in=requests).order_by("pk"):
        found[row.request_id].append(figure_of(row))
    return found


def subject_of(request: ReviewRequest) -> Subject:
    """What a rule's scope looks at."""
    return Subject(team=request.team.slug, tier=request.model_version.asset.tier, environment=request.environment)


def amounts_of(figures: Sequence[Figure], *, now: datetime) -> dict[Unit, Decimal]:
    """What approving would commit: one year's total cost in USD, and the GPU hours of training."""
    wanted = {Unit.USD: COST_FACT, Unit.GPU_H: GPU_FACT}
    found = {unit: facts.best(figures, name=name, now=now) for unit, name in wanted.items()}
    return {unit: figure.value.quantize(Decimal("0.01")) if figure else Decimal(0) for unit, figure in found.items()}


def severities(document: dict[str, Any]) -> dict[str, tuple[int, bool]]:
    """How much each rule of a stored determination stood against the request, as `RuleResult.severity` has it."""
    return {
        each["rule_id"]: (
            Effect(each["effect"]).rank if each["effect"] else 0,
            each["status"] == RuleStatus.INDETERMINATE,
        )
        for each in document["results"]
    }
