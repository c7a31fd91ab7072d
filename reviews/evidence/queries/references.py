"""The values that rules compare with: the version authorized now, the budget left, and models of the same task."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median

from django.db.models import QuerySet

from governance.budgets.domain.ledger import ZERO
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.queries.budgets import left_of_team
from governance.rulebook.domain.evaluation.limits import References
from governance.rulebook.domain.metric_limits import MetricLimit, Reference
from governance.rulebook.domain.policy import Policy
from governance.rulebook.queries.catalogs import catalog_in_force
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.authorizations.queries.superseded import refs_superseded_by
from reviews.evidence.queries.evidence import metric_values_by_request
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue, best

PEERS_MIN, PEERS_MAX = 3, 200
UNITS = {"USD": BudgetUnit.USD, "gpu_h": BudgetUnit.GPU_H}


@dataclass(frozen=True)
class ProductionVersion:
    """The version of the model that is authorized in the environment: its request, and its values by metric."""

    ref: str
    model: str
    values: Mapping[str, MetricValue]


def references_of(request: ReviewRequest, *, policy: Policy, now: datetime) -> References:
    """The values of the references that the rules of the policy name, by reference and metric.

    A value that is not known is missing. Of peers, three are needed at least.
    """
    limits = [limit for rule in policy.rules for limit in rule.limits if limit.versus is not None]
    if not limits:
        return {}
    found: dict[tuple[Reference, str], Decimal] = {}
    for reference, numbers in (
        (Reference.PRODUCTION, _in_production(request, _of(limits, Reference.PRODUCTION))),
        (Reference.PEERS, _of_peers(request, _of(limits, Reference.PEERS))),
        (Reference.BUDGET, _left(request, _of(limits, Reference.BUDGET), now)),
    ):
        found |= {(reference, metric): number for metric, number in numbers.items()}
    return found


def _of(limits: Iterable[MetricLimit], reference: Reference) -> list[MetricLimit]:
    return [limit for limit in limits if limit.versus is not None and limit.versus.reference is reference]


def _in_production(request: ReviewRequest, limits: list[MetricLimit]) -> Mapping[str, Decimal]:
    """The values of the request whose authorization of the model in this environment was issued last."""
    latest = _request_in_production(request) if limits else None
    return _values([latest], limits).get(latest.pk, {}) if latest else {}


def version_in_production(request: ReviewRequest, *, metrics: Iterable[str]) -> ProductionVersion | None:
    """The version whose authorization of the model in this environment was issued last, with the best value of each
    metric; None if there is none.
    """
    latest = _request_in_production(request)
    if latest is None:
        return None
    values = metric_values_by_request([latest]).get(latest.pk, [])
    catalog = catalog_in_force()
    found = ((name, best(values, name=name, catalog=catalog)) for name in metrics)
    return ProductionVersion(latest.ref, str(latest.model_version), {name: value for name, value in found if value})


def _request_in_production(request: ReviewRequest) -> ReviewRequest | None:
    rows = _authorized(request).filter(model_version__asset=request.model_version.asset_id)
    return rows.select_related("model_version__asset").order_by("-decision__decided_at").first()


def _of_peers(request: ReviewRequest, limits: list[MetricLimit]) -> Mapping[str, Decimal]:
    """The median over the latest authorized request of each other model of the same task."""
    if not limits:
        return {}
    rows = _authorized(request).filter(task=request.task).exclude(model_version__asset=request.model_version.asset_id)
    latest = rows.order_by("model_version__asset", "-decision__decided_at").distinct("model_version__asset")
    by_request = _values(list(latest[:PEERS_MAX]), limits).values()
    found: dict[str, Decimal] = {}
    for limit in limits:
        numbers = [values[limit.metric] for values in by_request if limit.metric in values]
        if len(numbers) >= PEERS_MIN:
            found[limit.metric] = median(numbers)
    return found


def _left(request: ReviewRequest, limits: list[MetricLimit], now: datetime) -> Mapping[str, Decimal]:
    if not limits:
        return {}
    quarter, superseded = str(Quarter.of(now.date())), refs_superseded_by(request)
    left = left_of_team(team=request.team, quarter=quarter, without=request.ref, superseded=superseded)
    return {limit.metric: left.get(UNITS[limit.unit], ZERO) for limit in limits}


def _authorized(request: ReviewRequest) -> QuerySet[ReviewRequest]:
    in_force = [state.value for state in IN_FORCE]
    rows = ReviewRequest.objects.filter(decision__authorization__state__in=in_force, environment=request.environment)
    return rows.exclude(pk=request.pk)


def _values(rows: list[ReviewRequest], limits: list[MetricLimit]) -> dict[int, dict[str, Decimal]]:
    """The values of an accepted basis, by request and metric."""
    return {pk: _accepted(values, limits) for pk, values in metric_values_by_request(rows).items()}


def _accepted(values: list[MetricValue], limits: list[MetricLimit]) -> dict[str, Decimal]:
    counted = {limit.metric: best(values, name=limit.metric, catalog=STANDARD, accept=limit.accept) for limit in limits}
    return {metric: value.value for metric, value in counted.items() if value is not None}
