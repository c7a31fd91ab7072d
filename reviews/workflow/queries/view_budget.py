"""What a request takes from its team's accounts, for page and API."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reviews.authorizations.models import Decision
from reviews.packets.queries import packet_parts as parts
from reviews.requests.domain.lifecycle import State
from reviews.requests.models import ReviewRequest
from reviews.voting.queries.commitments import Take, takes


@dataclass(frozen=True, kw_only=True)
class BudgetView:
    """What the request takes from an account; `is_booked` once the decision has committed it.

    `committed` is what is promised or billed otherwise; `forecast` is for the end of the quarter, without the request
    until it is booked. A quarter that `is_later` than the decision's is planned, and refuses nothing. Of what the
    request was `granted` there, bills have drawn `billed`; `over` is beyond the tolerance.
    """

    unit: str
    quarter: str
    mode: str
    allocated: Decimal
    committed: Decimal
    reserved_by_others: Decimal
    available: Decimal
    this: Decimal
    after: Decimal
    forecast: Decimal
    forecast_after: Decimal
    is_affordable: bool
    is_booked: bool
    is_later: bool
    granted: Decimal
    billed: Decimal
    left: Decimal
    over: Decimal


def budget_views(*, request: ReviewRequest, decision: Decision | None, now: datetime) -> tuple[BudgetView, ...]:
    """What the request takes from its team's accounts, quarter by quarter, the present one or the decision's first."""
    is_rejected = decision is not None and decision.outcome == parts.REJECTED
    if request.state == State.DRAFT or State(request.state) in parts.SPENDS_NOTHING or is_rejected:
        return ()
    return tuple(_budget_view(take) for take in takes(request, decision=decision, now=now))


def _budget_view(take: Take) -> BudgetView:
    effect, is_booked = take.effect, take.is_booked
    available = effect.available + (effect.booked if is_booked else Decimal(0))
    return BudgetView(
        unit=effect.unit,
        quarter=effect.quarter,
        mode=effect.mode,
        allocated=effect.allocated,
        committed=effect.allocated - available - effect.reserved_by_others,
        reserved_by_others=effect.reserved_by_others,
        available=available,
        this=take.this,
        after=available - take.this,
        forecast=effect.forecast,
        forecast_after=effect.forecast if is_booked else effect.forecast_after,
        is_affordable=is_booked or effect.is_affordable,
        is_booked=is_booked,
        is_later=take.is_later,
        granted=effect.held.committed,
        billed=effect.held.spent,
        left=effect.held.open,
        over=effect.over,
    )
