"""The budget that an approval commits in the present quarter and plans in later quarters of the authorization."""

from collections.abc import Mapping
from decimal import Decimal

from governance.budgets.domain.quarterly_split import DAYS_A_YEAR, split_by_quarter
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.queries.effects import BudgetEffect, effects
from reviews.authorizations.models import Decision
from reviews.authorizations.queries.ends import days_authorized
from reviews.authorizations.queries.superseded import refs_superseded_by
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import best

ONCE_METRIC = "training_cost_usd"
Shares = Mapping[str, Mapping[BudgetUnit, Decimal]]


def shares_of(evidence: EvidenceSnapshot) -> Shares:
    """The amounts by quarter and unit that an approval now would commit (present quarter) and plan (later ones).

    Training cost and GPU hours fall into the quarter of the approval. The cost of one year is split by the days of the
    authorization, because a stored projection only has yearly costs; a shorter authorization takes its days' part.
    """
    amounts, today = evidence.amounts, evidence.now.date()
    once = best(evidence.committed_values, name=ONCE_METRIC, catalog=STANDARD)
    version, policy = evidence.request.model_version, evidence.request.policy
    days = days_authorized(version, policy=evidence.policy, now=evidence.now) if policy else DAYS_A_YEAR
    usd = split_by_quarter(
        amount=amounts[BudgetUnit.USD],
        once=once.value.quantize(Decimal("0.01")) if once else Decimal(0),
        start_on=today,
        days=days,
    )
    present = Quarter.of(today)
    first = {BudgetUnit.USD: usd.get(present, Decimal(0)), BudgetUnit.GPU_H: amounts[BudgetUnit.GPU_H]}
    return {str(present): first} | {
        str(quarter): {BudgetUnit.USD: usd[quarter]} for quarter in usd if quarter != present
    }


def present_and_later_shares(evidence: EvidenceSnapshot) -> tuple[Mapping[BudgetUnit, Decimal], Shares]:
    """The amounts of the present quarter, and the amounts of later quarters."""
    later = dict(shares_of(evidence))
    present = later.pop(str(Quarter.of(evidence.now.date())))
    return present, later


def budget_effects_of(evidence: EvidenceSnapshot, *, decision: Decision | None) -> tuple[BudgetEffect, ...]:
    """The effect of the request on each account, by quarter: the planned amounts, or those booked by its approval."""
    request, now = evidence.request, evidence.now
    return effects(
        team=request.team,
        ref=request.ref,
        amounts=shares_of(evidence) if decision is None else None,
        superseded=refs_superseded_by(request),
        since=Quarter.of((decision.decided_at if decision else now).date()),
        today=now.date(),
    )
