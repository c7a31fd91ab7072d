"""What approving a request takes from its team's accounts: now, and in the later quarters of its authorisation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from governance.budgets.domain.quarterly_split import DAYS_A_YEAR, shares
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import Unit
from governance.budgets.queries import budgets
from governance.budgets.queries.budgets import Effect
from reviews.authorizations.models import Decision
from reviews.evidence.queries.evidence import amounts_of, figures_of
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import policy_of
from weighbridge.core import metrics as facts

ONCE_FACT = "training_cost_usd"
Shares = Mapping[str, Mapping[Unit, Decimal]]


@dataclass(frozen=True)
class Take:
    """What the request takes from one account; `is_booked` once its decision is made, `is_later` in a quarter after
    that.
    """

    effect: Effect
    is_booked: bool
    is_later: bool

    @property
    def this(self) -> Decimal:
        """What it takes, in the unit of the account."""
        return self.effect.booked if self.is_booked else self.effect.amount


def shares_of(request: ReviewRequest, *, now: datetime) -> Shares:
    """By quarter, the present one first, what approving now would commit and, in later quarters, plan.

    Training, its GPU hours too, is spent in the quarter of the approval; the rest of the year's cost goes by the days
    of the authorisation, as no stored projection says more than what a year costs.
    """
    figures, today = figures_of(request), now.date()
    amounts = amounts_of(figures, now=now)
    once = facts.best(figures, name=ONCE_FACT, now=now)
    days = policy_of(request.policy).authorisation.valid_days if request.policy else DAYS_A_YEAR
    usd = shares(
        amount=amounts[Unit.USD],
        once=once.value.quantize(Decimal("0.01")) if once else Decimal(0),
        start_on=today,
        days=days,
    )
    present = Quarter.of(today)
    first = {Unit.USD: usd.get(present, Decimal(0)), Unit.GPU_H: amounts[Unit.GPU_H]}
    return {str(present): first} | {str(each): {Unit.USD: usd[each]} for each in usd if each != present}


def now_and_later(request: ReviewRequest, *, now: datetime) -> tuple[Mapping[Unit, Decimal], Shares]:
    """The share of the present quarter, and those of later ones."""
    found = dict(shares_of(request, now=now))
    return found.pop(str(Quarter.of(now.date()))), found


def takes(request: ReviewRequest, *, decision: Decision | None, now: datetime) -> tuple[Take, ...]:
    """What the request takes from each account, by quarter; what its approval booked once there is one."""
    begins = str(Quarter.of((decision.decided_at if decision else now).date()))
    found = (
        Take(effect, is_booked=decision is not None, is_later=effect.quarter > begins)
        for effect in _effects(request, decision, now)
    )
    return tuple(take for take in found if take.this > 0)


def _booked(request: ReviewRequest) -> Shares:
    return {quarter: {} for quarter in budgets.quarters_of(team=request.team, ref=request.ref)}


def _effects(request: ReviewRequest, decision: Decision | None, now: datetime) -> Iterator[Effect]:
    wanted = shares_of(request, now=now) if decision is None else _booked(request)
    for quarter, amounts in wanted.items():
        for unit in Unit:
            yield budgets.effect(
                team=request.team,
                quarter=quarter,
                unit=unit,
                amount=amounts.get(unit, Decimal(0)),
                ref=request.ref,
                today=now.date(),
            )
