"""Read all values of a quarterly packet: from bills, projections and runs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Prefetch

from governance.budgets.domain import quarter_forecast as outlook
from governance.budgets.domain.ledger import Balance
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.queries import budgets
from governance.inventory.models import ModelAsset
from governance.rulebook.domain.evaluation.upper_limits import upper_limit
from governance.rulebook.queries.rulebook import policy_in
from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.authorizations.models import Authorization, Condition
from reviews.evidence.domain.comparison import ComparedMonth
from reviews.evidence.queries import comparison
from reviews.evidence.queries.comparison_sources import RequestHistory, histories_of
from reviews.evidence.queries.evidence import subject_of
from reviews.quarterly.domain.packet import BasisRow, BudgetRowOfQuarter, PortfolioPoint, Variance
from reviews.quarterly.domain.variance import NO_BILL, variance_of, without_rate
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.wording import value_words
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue, best, number_text

COST, LATENCY, VALUE = "total_cost_1y_usd", "latency_p95_ms", "business_kpi_delta"
SHOWN = (
    COST,
    "inference_cost_1y_usd",
    "training_cost_usd",
    LATENCY,
    "throughput_per_s",
    "accuracy",
    "model_size_mb",
    VALUE,
)
PROJECTED = frozenset({Basis.DECLARED, Basis.ESTIMATED})
MEASURED = frozenset({Basis.MEASURED})
VALID_STATES = (*IN_FORCE, AuthorizationState.SUSPENDED)
QUARTERS_A_YEAR = 4


def spend(quarter: Quarter, *, now: datetime) -> tuple[BudgetRowOfQuarter, ...]:
    """Every spending account, with its forecast to the end of the quarter.

    Delegated amounts are counted only in the accounts that received them, so that no sum counts them twice.
    """
    rows = budgets.accounts(teams=None, quarter=str(quarter))
    return tuple(
        copy_of(
            row.balance,
            BudgetRowOfQuarter,
            account=f"{row.team_name} {'USD' if row.unit == BudgetUnit.USD else 'GPU hours'}",
            unit=row.unit,
            allocated=row.balance.own_budget,
            is_generated=row.is_generated,
            forecast=outlook.forecast(row.balance, quarter=quarter, today=min(now.date(), quarter.end_on)),
        )
        for row in rows
        if not (row.balance.allocated_below or row.balance.expired_below) or _is_used(row.balance)
    )


def _is_used(balance: Balance) -> bool:
    """Whether a delegating account has undelegated money or spends itself."""
    return any((balance.own_budget, balance.committed, balance.reserved, balance.spent))


@dataclass(frozen=True)
class ModelStanding:
    """A model with its requests that have a valid authorization (latest first), and the history of each by request id.

    `ended` are requests whose authorization has ended: bills of the quarter may still contain them.
    """

    asset: ModelAsset
    requests: Sequence[ReviewRequest]
    ended: Sequence[ReviewRequest]
    histories: Mapping[int, RequestHistory]
    months: Mapping[int, tuple[ComparedMonth, ...]]

    @property
    def name(self) -> str:
        """The name in the packet: "team/slug"."""
        return f"{self.asset.team.slug}/{self.asset.slug}"

    @property
    def all_months(self) -> list[ComparedMonth]:
        """The months of all its requests."""
        return [month for row in (*self.requests, *self.ended) for month in self.months[row.pk]]

    @property
    def metric_values(self) -> list[MetricValue]:
        """The metric values of the latest authorized request."""
        return self.histories[self.requests[0].pk].metric_values if self.requests else []

    @property
    def authorization(self) -> Authorization | None:
        """The latest valid authorization."""
        return self.requests[0].decision.authorization if self.requests else None


def model_standings(assets: Sequence[ModelAsset], *, now: datetime) -> list[ModelStanding]:
    """The standing of every model, with a constant number of queries."""
    requests = _authorized(assets)
    histories = histories_of(requests)
    months = comparison.months_by_request(histories, now=now)
    own: dict[tuple[int, bool], list[ReviewRequest]] = defaultdict(list)
    for row in requests:
        own[row.model_version.asset_id, row.decision.authorization.state in VALID_STATES].append(row)
    return [ModelStanding(asset, own[asset.pk, True], own[asset.pk, False], histories, months) for asset in assets]


def _authorized(assets: Sequence[ModelAsset]) -> list[ReviewRequest]:
    conditions = Condition.objects.select_related("owner").order_by("due_on", "pk")
    rows = ReviewRequest.objects.filter(model_version__asset__in=assets, decision__authorization__isnull=False)
    return list(
        rows.select_related("decision__authorization", "model_version__asset", "policy", "team")
        .prefetch_related(Prefetch("decision__authorization__conditions", queryset=conditions))
        .order_by("-pk")
    )


def portfolio_point(standing: ModelStanding) -> PortfolioPoint:
    """The model in the portfolio, with the best values and the limits of its latest authorized request."""
    cost, latency, value = (best_value(standing.metric_values, name=name) for name in (COST, LATENCY, VALUE))
    limits = portfolio_limits(standing.requests[0]) if standing.requests else {}
    return PortfolioPoint(model=standing.name, cost_usd=cost, latency_ms=latency, value=value, **limits)


def portfolio_limits(request: ReviewRequest) -> dict[str, Decimal | None]:
    """The limits of the policy that judged the request, by field of `PortfolioPoint`; empty before submission."""
    if request.policy is None:
        return {}
    policy, subject = policy_in(request.policy), subject_of(request)
    return {
        "cost_limit_usd": upper_limit(policy, subject=subject, metric=COST),
        "latency_limit_ms": upper_limit(policy, subject=subject, metric=LATENCY),
    }


def variances(
    models: Iterable[ModelStanding], *, quarter: Quarter, spent: Mapping[str, Decimal]
) -> dict[int, Variance]:
    """By id of each model with a bill in the quarter: the projected and billed cost of its billed months.

    If no bill line is allocated to the model: a quarter of its projected yearly cost, against the amount that the
    ledger drew on its commitments. The ledger does not contain amounts without an exchange rate, so a model with such
    amounts is not compared.
    """
    by_model = {}
    for model in models:
        months = in_quarter(model.all_months, quarter=quarter)
        variance = variance_of(model.name, months)
        if variance is None and not any(month.has_no_rate for month in months):
            variance = _from_ledger(model, spent)
        if variance is not None:
            by_model[model.asset.pk] = variance
    return by_model


def not_compared(models: Iterable[ModelStanding], *, quarter: Quarter) -> tuple[str, ...]:
    """The models with bills in the quarter that have no exchange rate, and the missing rates."""
    found = ((model.name, in_quarter(model.all_months, quarter=quarter)) for model in models)
    return tuple(words for name, months in found for words in without_rate(name, months))


def in_quarter(months: Iterable[ComparedMonth], *, quarter: Quarter) -> list[ComparedMonth]:
    """The months that are in the quarter."""
    return [month for month in months if Quarter.of(month.month) == quarter]


def _from_ledger(standing: ModelStanding, spent: Mapping[str, Decimal]) -> Variance | None:
    paid = {row.pk: spent[row.ref] for row in (*standing.requests, *standing.ended) if spent.get(row.ref)}
    paid_usd = sum(paid.values(), Decimal(0))
    if not paid_usd:
        return None
    metric_values = [standing.histories[pk].metric_values for pk in paid]
    years = [best_value(values, name=COST, accept=PROJECTED) or Decimal(0) for values in metric_values]
    projected = (sum(years, Decimal(0)) / QUARTERS_A_YEAR).quantize(Decimal("0.01"))
    return Variance(model=standing.name, projected_usd=projected, billed_usd=paid_usd, missing_inputs=(NO_BILL,))


def metric_rows(standing: ModelStanding, *, variance: Variance | None) -> tuple[BasisRow, ...]:
    """Each metric of the latest authorized request on every basis, and the cost of this quarter."""
    if not standing.requests:
        return ()
    values = standing.metric_values
    rows = [
        BasisRow(
            name=name,
            projected=_words(values, name, PROJECTED),
            measured=_words(values, name, MEASURED),
            billed=_words(values, name, frozenset({Basis.BILLED})),
        )
        for name in SHOWN
    ]
    return tuple(
        row
        for row in (_this_quarter(best_value(values, name=COST, accept=PROJECTED), variance), *rows)
        if row.projected or row.measured or row.billed
    )


def _this_quarter(year: Decimal | None, variance: Variance | None) -> BasisRow:
    projected = variance.projected_usd if variance else year and year / QUARTERS_A_YEAR
    generated = " (generated)" if variance and variance.is_generated else ""
    return BasisRow(
        name="this quarter",
        projected=value_words(projected, unit="USD") if projected else "",
        measured="",
        billed=f"{value_words(variance.billed_usd, unit='USD')}{generated}" if variance else "",
    )


def best_value(values: list[MetricValue], *, name: str, accept: frozenset[Basis] | None = None) -> Decimal | None:
    """The best known value of a metric, on the accepted bases; None without one."""
    metric_value = best(values, name=name, catalog=STANDARD, accept=accept)
    return Decimal(number_text(metric_value.value)) if metric_value is not None else None


def _words(values: list[MetricValue], name: str, accept: frozenset[Basis]) -> str:
    value = best_value(values, name=name, accept=accept)
    return value_words(value, unit=STANDARD[name].unit) if value is not None else ""
