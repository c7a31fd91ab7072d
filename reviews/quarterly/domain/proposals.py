"""What the meeting is asked to decide about an item: the decision, who carries it out, and by when.

A proposal is a default. Nothing is decided until a lead accepts it or decides differently.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.decisions import NO_REASON_NEEDED, DecisionKind

DUE_AFTER = timedelta(days=30)
Owner = TypeVar("Owner")

_PROPOSED: Mapping[AgendaKind, DecisionKind] = {
    AgendaKind.FOLLOW_UP: DecisionKind.KEEP,
    AgendaKind.PENDING_INVESTMENT: DecisionKind.APPROVE_INVESTMENT,
    AgendaKind.NEW_INVESTMENT: DecisionKind.KEEP,
    AgendaKind.OVER_BUDGET: DecisionKind.BUDGET_CHANGE,
    AgendaKind.FORECAST_ERROR: DecisionKind.OPTIMIZE,
    AgendaKind.BREACH: DecisionKind.RE_REVIEW,
    AgendaKind.PRICES: DecisionKind.RE_REVIEW,
    AgendaKind.CONDITION_DUE: DecisionKind.KEEP,
    AgendaKind.EXPIRING: DecisionKind.RE_REVIEW,
    AgendaKind.WAIVER: DecisionKind.KEEP,
    AgendaKind.SAVING_FOUND: DecisionKind.OPTIMIZE,
    AgendaKind.SAVING_REALIZED: DecisionKind.KEEP,
}
"""Items of the other kinds have no proposal: no decision is the usual one."""


@dataclass(frozen=True, kw_only=True)
class Proposal(Generic[Owner]):
    """A proposed decision. `owner` is None if nobody can be named."""

    kind: DecisionKind
    owner: Owner | None
    due_on: date

    @property
    def is_safe(self) -> bool:
        """Whether it can be accepted without a reason, and so together with others."""
        return self.kind in NO_REASON_NEEDED and self.owner is not None


def proposal_of(
    kind: AgendaKind, *, possible: frozenset[DecisionKind], owner: Owner | None, today: date
) -> Proposal[Owner] | None:
    """The proposal for an item of this kind; None without one, or if the item does not allow that decision."""
    proposed = _PROPOSED.get(kind)
    if proposed is None or proposed not in possible:
        return None
    return Proposal(kind=proposed, owner=owner, due_on=today + DUE_AFTER)
