"""The portfolio of a quarter: pending and running models with cost, latency and budget, and the optimizer's proposal.

Projections are drawn again at the prices of the day on which they were stored, with a seed of the request's own: the
same request has the same draws whenever it is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from django.db.models import Case, Q, Value, When

from benchmarking.prices.queries import price_book
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import LedgerLine, holding_of
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import balance_of, entries_of
from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.evidence.models import RequestProjection
from reviews.evidence.queries.evidence import metric_values_by_request
from reviews.quarterly.domain.packet import PortfolioPoint
from reviews.quarterly.domain.portfolio.candidate import SUSPENDED, PortfolioCandidate
from reviews.quarterly.domain.portfolio.keyed import KeyedProblem
from reviews.quarterly.domain.portfolio.problem import DRAWS, QuarterProblem, problem_of_quarter, seed_of
from reviews.quarterly.queries.cycle_sources import PENDING, model_name
from reviews.quarterly.queries.quarterly_metrics import COST, LATENCY, VALID_STATES, VALUE, best_value, portfolio_limits
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.values import MetricValue
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.value.quarter_draws import QuarterDraws, quarter_draws
from weighbridge.tradeoff.portfolio.outcome import PortfolioOutcome, optimized

RUNNING, WAITING, HALTED = "running", "pending", "suspended"
STANDINGS = (RUNNING, WAITING, HALTED)
KEPT_OUTCOMES = 16
OPTIMIZED_MAX = 40
SECONDS = 1.0
_RELATED = ("model_version__asset__team", "policy", "team", "decision__authorization")
_HALTED_LAST = Case(
    When(Q(decision__authorization__state=AuthorizationState.SUSPENDED), then=Value(1)), default=Value(0)
)
NO_BUDGET = "None of these models has a budget in the quarter, so nothing limits the choice."
TOO_MANY = f"the page optimizes {OPTIMIZED_MAX} models at a time; choose a team"


@dataclass(frozen=True, kw_only=True)
class PortfolioRow:
    """A request of the portfolio today: `cost_usd` of one year, p95 latency in ms, and the expected change of its KPI.

    `state` are the words of the request's state, or of its authorization's once it has one.
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
    requests = [*_running(), *_pending()]
    values = metric_values_by_request(requests)
    rows = (_row(request, values[request.pk]) for request in requests)
    return tuple(sorted(rows, key=lambda row: (row.cost_usd is None, -(row.cost_usd or 0), row.ref)))


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
    accounts = _accounts({row.team for row in rows}, quarter)
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


def _pending() -> list[ReviewRequest]:
    rows = ReviewRequest.objects.filter(state__in=[state.value for state in PENDING])
    return list(rows.select_related(*_RELATED).order_by("pk"))


def _running() -> list[ReviewRequest]:
    rows = ReviewRequest.objects.filter(decision__authorization__state__in=VALID_STATES)
    places = ("model_version__asset_id", "environment")
    latest = rows.order_by(*places, _HALTED_LAST, "-pk").distinct(*places)
    return list(latest.select_related(*_RELATED))


def _row(request: ReviewRequest, values: list[MetricValue]) -> PortfolioRow:
    asset = request.model_version.asset
    cost, latency, value = (best_value(values, name=name) for name in (COST, LATENCY, VALUE))
    standing, state = _standing(request)
    return PortfolioRow(
        ref=request.ref,
        model=model_name(asset),
        name=asset.name,
        team=asset.team.slug,
        team_name=asset.team.name,
        environment=request.environment,
        artifact=request.model_version.digest,
        standing=standing,
        state=state,
        cost_usd=cost,
        latency_ms=latency,
        value=value,
        **portfolio_limits(request),
    )


def _standing(request: ReviewRequest) -> tuple[str, str]:
    """The standing of a request in the portfolio, and the words of its state."""
    if request.state in PENDING:
        return WAITING, RequestState(request.state).words
    state = AuthorizationState(request.decision.authorization.state)
    return (RUNNING if state in IN_FORCE else HALTED), f"authorization {state.words}"


def _problem(rows: Sequence[PortfolioRow], accounts: "Mapping[tuple[str, str], OpenAccount]") -> QuarterProblem:
    projections = _projections([row.ref for row in rows])
    drawable = [row.ref for row in rows if row.ref in projections][:OPTIMIZED_MAX]
    candidates = [_candidate(row, projections.get(row.ref), accounts, may_draw=row.ref in drawable) for row in rows]
    budgets = {each.name: (each.unit, each.available) for each in accounts.values()}
    return problem_of_quarter(candidates, budgets=budgets)


def _projections(refs: Sequence[str]) -> dict[str, RequestProjection]:
    by_pk = {row.pk: row.ref for row in ReviewRequest.objects.filter(ref__in=refs).only("pk", "ref")}
    rows = RequestProjection.objects.filter(request__in=by_pk).select_related("projection")
    latest = rows.order_by("request_id", "-number").distinct("request_id")
    return {by_pk[row.request_id]: row for row in latest}


@dataclass(frozen=True)
class OpenAccount:
    """An account of a team, with its ledger."""

    account: BudgetAccount
    entries: Sequence[LedgerLine]

    @property
    def unit(self) -> str:
        """The unit in words."""
        return str(BudgetUnit(self.account.unit).label)

    @property
    def name(self) -> str:
        """The name, with the slug, because names of centers may repeat."""
        center = self.account.center
        return f"{center.name} ({center.slug}) {self.account.quarter} {self.unit}"

    def billed(self, ref: str) -> float:
        """What was billed of a request so far."""
        return float(max(holding_of(self.entries, ref=ref).counted, Decimal(0)))

    def held(self, ref: str) -> float:
        """What is reserved, committed or billed for a request."""
        return float(max(holding_of(self.entries, ref=ref).used, Decimal(0)))

    @property
    def available(self) -> float:
        """What no request holds."""
        return float(balance_of(self.account).available)


def _accounts(teams: set[str], quarter: Quarter) -> dict[tuple[str, str], OpenAccount]:
    """The accounts of the teams in the quarter, by team and unit."""
    rows = BudgetAccount.objects.filter(center__team__slug__in=teams, quarter=str(quarter))
    rows = rows.filter(center__level=CenterLevel.TEAM).select_related("center__team")
    return {
        (row.center.team.slug, row.unit): OpenAccount(row, entries_of(row))
        for row in rows.order_by("pk")
        if row.center.team is not None
    }


def _candidate(
    row: PortfolioRow,
    projection: RequestProjection | None,
    accounts: Mapping[tuple[str, str], OpenAccount],
    *,
    may_draw: bool,
) -> PortfolioCandidate:
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
    if projection is None or own.why_not:
        return own
    drawn, why_not = _drawn(row.ref, projection) if may_draw else ((), TOO_MANY)
    baseline = str((projection.projection.spec.get("value") or {}).get("baseline", ""))
    return replace(own, asked=projection.option, baseline=baseline, drawn=drawn, why_not=why_not)


def _drawn(ref: str, row: RequestProjection) -> tuple[tuple[QuarterDraws, ...], str]:
    try:
        spec = read_spec(row.projection.spec, price_book(row.projection.kept_at.date()))
        return quarter_draws(spec, seed=seed_of(ref), draws=DRAWS), ""
    except Invalid as refused:
        return (), f"its projection cannot be drawn again: {refused.reason}"
