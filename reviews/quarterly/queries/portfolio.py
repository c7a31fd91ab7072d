"""The portfolio of a quarter: pending and running models with cost, latency and budget, and the optimizer's proposal.

Projections are drawn again at the prices of the day on which they were stored, with a seed of the request's own: the
same request has the same draws whenever it is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When

from benchmarking.prices.queries import contents_in_force
from benchmarking.projections.models import CostProjection
from benchmarking.projections.queries import quarter_draws_again
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.evidence.models import RequestProjection
from reviews.evidence.queries.evidence import metric_values_by_id
from reviews.quarterly.domain.packet import PortfolioPoint
from reviews.quarterly.domain.portfolio.candidate import SUSPENDED, PortfolioCandidate
from reviews.quarterly.domain.portfolio.keyed import KeyedProblem
from reviews.quarterly.domain.portfolio.problem import DRAWS, QuarterProblem, problem_of_quarter, seed_of
from reviews.quarterly.queries.cycle_sources import PENDING
from reviews.quarterly.queries.portfolio_money import OpenAccount, accounts_of
from reviews.quarterly.queries.quarterly_metrics import COST, LATENCY, VALID_STATES, VALUE, best_value, portfolio_limits
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.values import MetricValue
from weighbridge.costs.value.quarter_draws import QuarterDraws
from weighbridge.tradeoff.portfolio.outcome import PortfolioOutcome, optimized

RUNNING, WAITING, HALTED = "running", "pending", "suspended"
STANDINGS = (RUNNING, WAITING, HALTED)
KEPT_OUTCOMES = 16
OPTIMIZED_MAX = 40
SECONDS = 1.0
_ASSET = "model_version__asset"
_COLUMNS = {
    "pk": "pk",
    "ref": "ref",
    "request_state": "state",
    "environment": "environment",
    "artifact": "model_version__digest",
    "slug": f"{_ASSET}__slug",
    "name": f"{_ASSET}__name",
    "team": f"{_ASSET}__team__slug",
    "team_name": f"{_ASSET}__team__name",
    "authorization_state": "decision__authorization__state",
}
_HALTED_LAST = Case(
    When(Q(decision__authorization__state=AuthorizationState.SUSPENDED), then=Value(1)), default=Value(0)
)
NO_BUDGET = "None of these models has a budget in the quarter, so nothing limits the choice."
TOO_MANY = f"the page optimizes {OPTIMIZED_MAX} models at a time; choose a team"


@dataclass(frozen=True, kw_only=True)
class PortfolioRow:
    """A request of the portfolio today: `cost_usd` of one year, p95 latency in ms, and the expected change of its KPI.

    `state` are the words of the request's state, or of its authorization's once it has one. The limits are None before
    `with_limits` reads them.
    """

    ref: str
    model: str
    name: str
    team: str
    team_name: str
    environment: str
    artifact: str
    standing: str
    state: str
    cost_usd: Decimal | None
    latency_ms: Decimal | None
    value: Decimal | None
    cost_limit_usd: Decimal | None = None
    latency_limit_ms: Decimal | None = None

    @property
    def point(self) -> PortfolioPoint:
        """The point of the picture."""
        return copy_of(self, PortfolioPoint, model=f"{self.model} {self.ref}")


@dataclass(frozen=True, kw_only=True)
class PortfolioProposal:
    """What the optimizer proposes. `outcome` is None if no model can be optimized, or for the reason `why_not`.

    `teams` gives the team of each account.
    """

    quarter_problem: QuarterProblem
    teams: Mapping[str, str]
    outcome: PortfolioOutcome | None = None
    why_not: str = ""


def portfolio_rows() -> tuple[PortfolioRow, ...]:
    """The pending requests, and the latest authorized request of each model and environment; the highest cost first.

    An authorization that is suspended counts only if no other is in force: its model does not run.
    """
    found = [*_running(), *_pending()]
    values = metric_values_by_id([each["pk"] for each in found], names=(COST, LATENCY, VALUE))
    rows = (_row(values[each.pop("pk")], **each) for each in found)
    return tuple(sorted(rows, key=lambda row: (row.cost_usd is None, -(row.cost_usd or 0), row.ref)))


def with_limits(rows: Sequence[PortfolioRow]) -> tuple[PortfolioRow, ...]:
    """The rows with the limits of the policies that judged their requests."""
    requests = ReviewRequest.objects.filter(ref__in=[row.ref for row in rows])
    related = ("model_version__asset", "policy", "team")
    limits: dict[str, dict[str, Any]] = {
        request.ref: portfolio_limits(request) for request in requests.select_related(*related)
    }
    return tuple(replace(row, **limits[row.ref]) for row in rows)


def filtered(rows: Sequence[PortfolioRow], *, team: str = "", standing: str = "") -> tuple[PortfolioRow, ...]:
    """The rows of a team, or with a standing; "" is all of them."""
    return tuple(row for row in rows if team in ("", row.team) and standing in ("", row.standing))


def teams_of(rows: Sequence[PortfolioRow]) -> list[tuple[str, str]]:
    """Slug and name of each team of the rows, by name."""
    return sorted({(row.team, row.team_name) for row in rows}, key=lambda team: team[1])


def proposal_of(*, quarter: Quarter, team: str = "", standing: str = "") -> PortfolioProposal:
    """The optimizer's proposal for the portfolio of a quarter: for all teams or one, and all standings or one.

    A model is chosen for as a whole: with one of its requests of a standing, all of them.
    """
    everything = filtered(portfolio_rows(), team=team)
    shown = {_model_of(row) for row in filtered(everything, standing=standing)}
    rows = [row for row in everything if _model_of(row) in shown]
    accounts = accounts_of(rows, quarter=quarter)
    found = _problem(rows, accounts)
    proposal = PortfolioProposal(quarter_problem=found, teams={each.name: of for (of, _), each in accounts.items()})
    if found.problem is None:
        return proposal
    if not found.problem.accounts:
        return replace(proposal, why_not=NO_BUDGET)
    try:
        return replace(proposal, outcome=_outcome_of(KeyedProblem.of(found.problem)))
    except Invalid as refused:
        return replace(proposal, why_not=refused.reason)


@lru_cache(maxsize=KEPT_OUTCOMES)
def _outcome_of(keyed: KeyedProblem) -> PortfolioOutcome:
    """The outcome; an equal problem has the same one, and is not solved again at every load of the page."""
    return optimized(keyed.problem, seconds=SECONDS)


def _model_of(row: PortfolioRow) -> tuple[str, str]:
    return row.model, row.environment


def _pending() -> list[dict[str, Any]]:
    rows = ReviewRequest.objects.filter(state__in=[state.value for state in PENDING])
    return _columns(rows.order_by("pk"))


def _running() -> list[dict[str, Any]]:
    rows = ReviewRequest.objects.filter(decision__authorization__state__in=VALID_STATES)
    places = ("model_version__asset_id", "environment")
    return _columns(rows.order_by(*places, _HALTED_LAST, "-pk").distinct(*places))


def _columns(rows: QuerySet[ReviewRequest]) -> list[dict[str, Any]]:
    """The few columns of each request that a row needs, by name."""
    return [dict(zip(_COLUMNS, values, strict=True)) for values in rows.values_list(*_COLUMNS.values())]


def _row(
    values: list[MetricValue], *, slug: str, request_state: str, authorization_state: Any, **own: Any
) -> PortfolioRow:
    cost, latency, value = (best_value(values, name=name) for name in (COST, LATENCY, VALUE))
    standing, state = _standing(request_state, authorization_state)
    return PortfolioRow(
        model=f"{own['team']}/{slug}",
        standing=standing,
        state=state,
        cost_usd=cost,
        latency_ms=latency,
        value=value,
        **own,
    )


def _standing(request_state: str, authorization_state: Any) -> tuple[str, str]:
    """The standing of a request in the portfolio, and the words of its state."""
    if request_state in PENDING:
        return WAITING, RequestState(request_state).words
    state = AuthorizationState(authorization_state)
    return (RUNNING if state in IN_FORCE else HALTED), f"authorization {state.words}"


def _problem(rows: Sequence[PortfolioRow], accounts: Mapping[tuple[str, str], OpenAccount]) -> QuarterProblem:
    asked = _asked([row.ref for row in rows])
    drawable = {row.ref: asked[row.ref].projection_id for row in rows if row.ref in asked}
    drawable = dict(islice(drawable.items(), OPTIMIZED_MAX))
    # The documents are many times larger than the specs, and nothing is drawn from them.
    projections = CostProjection.objects.defer("document").in_bulk(drawable.values())
    contents = contents_in_force()
    candidates = [
        _candidate(
            row, asked.get(row.ref), accounts, projection=projections.get(drawable.get(row.ref)), contents=contents
        )
        for row in rows
    ]
    limits = {each.name: (each.unit, each.available) for each in accounts.values()}
    return problem_of_quarter(candidates, budgets=limits)


def _asked(refs: Sequence[str]) -> dict[str, RequestProjection]:
    """The latest projection of each request that has one: which it is, and the option that is asked for."""
    rows = RequestProjection.objects.filter(request__ref__in=refs).select_related("request")
    latest = rows.order_by("request_id", "-number").distinct("request_id")
    return {row.request.ref: row for row in latest.only("projection_id", "option", "request__ref")}


def _candidate(
    row: PortfolioRow,
    asked: RequestProjection | None,
    accounts: Mapping[tuple[str, str], OpenAccount],
    *,
    projection: CostProjection | None,
    contents: tuple[str, ...],
) -> PortfolioCandidate:
    """A row for the optimizer, drawn from the projection if there is one, at the sources of prices in `contents`."""
    money, hours = accounts.get((row.team, BudgetUnit.USD)), accounts.get((row.team, BudgetUnit.GPU_H))
    own = PortfolioCandidate(
        ref=row.ref,
        name=row.model,
        is_running=row.standing == RUNNING,
        environment=row.environment,
        artifact=row.artifact,
        why_not=SUSPENDED if row.standing == HALTED else "",
        billed_usd=money.billed(row.ref) if money is not None else 0.0,
        billed_hours=hours.billed(row.ref) if hours is not None else 0.0,
        held_usd=money.held(row.ref) if money is not None else 0.0,
        held_hours=hours.held(row.ref) if hours is not None else 0.0,
        money=money.name if money is not None else "",
        hours=hours.name if hours is not None else "",
    )
    if asked is None or own.why_not:
        return own
    if projection is None:
        return replace(own, asked=asked.option, why_not=TOO_MANY)
    drawn, why_not = _drawn(row.ref, projection, contents)
    baseline = str((projection.spec.get("value") or {}).get("baseline", ""))
    return replace(own, asked=asked.option, baseline=baseline, drawn=drawn, why_not=why_not)


def _drawn(ref: str, projection: CostProjection, contents: tuple[str, ...]) -> tuple[tuple[QuarterDraws, ...], str]:
    try:
        return quarter_draws_again(projection, seed=seed_of(ref), draws=DRAWS, contents=contents), ""
    except Invalid as refused:
        return (), f"its projection cannot be drawn again: {refused.reason}"
