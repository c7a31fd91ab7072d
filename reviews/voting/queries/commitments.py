"""What approving a request takes from its team's accounts: now, and in the later quarters of its authorization."""

from collections.abc import Mapping
from decimal import Decimal

from governance.budgets.domain.quarterly_split import DAYS_A_YEAR, shares
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.queries.effects import BudgetEffect, effects
from reviews.authorizations.models import Decision
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from weighbridge.core import metrics

ONCE_METRIC = "training_cost_usd"
Shares = Mapping[str, Mapping[BudgetUnit, Decimal]]


def shares_of(evidence: EvidenceSnapshot) -> Shares:
    """By quarter, the present one first, what approving now would commit and, in later quarters, plan.

    Training, its GPU hours too, is spent in the quarter of the approval; the rest of the year's cost goes by the days
    of the authorization, as no stored projection says more than what a year costs.
    """
    amounts, today = evidence.amounts, evidence.now.date()
    once = metrics.best(evidence.metric_values, name=ONCE_METRIC, now=evidence.now)
    days = evidence.policy.authorization.valid_days if evidence.request.policy else DAYS_A_YEAR
    usd = shares(
        amount=amounts[BudgetUnit.USD],
        once=once.value.quantize(Decimal("0.01")) if once else Decimal(0),
        start_on=today,
        days=days,
    )
    present = Quarter.of(today)
    first = {BudgetUnit.USD: usd.get(present, Decimal(0)), BudgetUnit.GPU_H: amounts[BudgetUnit.GPU_H]}
    return {str(present): first} | {str(each): {BudgetUnit.USD: usd[each]} for each in usd if each != present}


def now_and_later(evidence: EvidenceSnapshot) -> tuple[Mapping[BudgetUnit, Decimal], Shares]:
    """The share of the present quarter, and those of later ones."""
    found = dict(shares_of(evidence))
    return found.pop(str(Quarter.of(evidence.now.date()))), found


def effects_of(evidence: EvidenceSnapshot, *, decision: Decision | None) -> tuple[BudgetEffect, ...]:
    """What the request takes from each account, by quarter; what its approval booked once there is one."""
    request, now = evidence.request, evidence.now
    return effects(
        team=request.team,
        ref=request.ref,
        amounts=shares_of(evidence) if decision is None else None,
        since=Quarter.of((decision.decided_at if decision else now).date()),
        today=now.date(),
    )
