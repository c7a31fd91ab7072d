"""The decisions that the meeting can make, their immediate effects, and their required fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from weighbridge.core.errors import Invalid

RATIONALE_CHARS_MIN = 10
DUE_WITHIN = timedelta(days=366)
Owner = TypeVar("Owner")


class DecisionKind(StrEnum):
    """A decision of the meeting."""

    KEEP = "keep"
    OPTIMIZE = "optimize"
    SCALE_DOWN = "scale_down"
    RETIRE = "retire"
    RE_REVIEW = "re_review"
    BUDGET_CHANGE = "budget_change"
    APPROVE_INVESTMENT = "approve_investment"

    @property
    def words(self) -> str:
        """The decision as a verb phrase for sentences."""
        return _WORDS_AND_EFFECTS[self][0]

    @property
    def implies(self) -> str:
        """The immediate effect, as a sentence."""
        return _WORDS_AND_EFFECTS[self][1]


_WORDS_AND_EFFECTS: Mapping[DecisionKind, tuple[str, str]] = {
    DecisionKind.KEEP: ("keep", "Nothing changes; the owner reports by the due date."),
    DecisionKind.OPTIMIZE: ("optimize", "The owner makes it cheaper by the due date."),
    DecisionKind.SCALE_DOWN: ("scale down", "The owner cuts its capacity by the due date."),
    DecisionKind.RETIRE: ("retire", "Every authorization of the model is revoked now; the gate refuses it."),
    DecisionKind.RE_REVIEW: (
        "review again",
        "Each of its authorizations gets a condition: a new review by the due date, or the authorization is suspended.",
    ),
    DecisionKind.BUDGET_CHANGE: (
        "change the budget",
        "The amount is proposed as the team's budget of this quarter; a second person must confirm it.",
    ),
    DecisionKind.APPROVE_INVESTMENT: (
        "approve the investment",
        "Your vote to approve is cast in the open stage of the request.",
    ),
}

NEEDS_MODEL = frozenset(
    {DecisionKind.RETIRE, DecisionKind.RE_REVIEW, DecisionKind.OPTIMIZE, DecisionKind.SCALE_DOWN, DecisionKind.KEEP}
)
NEEDS_REQUEST = frozenset({DecisionKind.APPROVE_INVESTMENT})
NEEDS_AMOUNT = frozenset({DecisionKind.BUDGET_CHANGE})
NO_REASON_NEEDED = frozenset({DecisionKind.KEEP})
"""Decisions that change nothing. Every other decision needs a reason."""
NEEDS_FACTOR = frozenset({DecisionKind.RETIRE, DecisionKind.APPROVE_INVESTMENT})
"""Decisions that revoke or vote at once: the person confirms a second factor where one is required for these."""
NO_REASON_TEXT = "No reason was given; nothing changes."


def possible_decisions(*, has_model: bool, has_request: bool, has_team: bool) -> frozenset[DecisionKind]:
    """The decisions that an item with such subjects allows."""
    refused = (
        (NEEDS_MODEL if not has_model else frozenset())
        | (NEEDS_REQUEST if not has_request else frozenset())
        | (NEEDS_AMOUNT if not has_team else frozenset())
    )
    return frozenset(DecisionKind) - refused


@dataclass(frozen=True, kw_only=True)
class TakenDecision(Generic[Owner]):
    """A decision to record. `owner` implements it; None if nobody was named."""

    kind: DecisionKind
    rationale: str
    owner: Owner | None = None
    due_on: date | None = None
    amount_usd: Decimal | None = None


def check_decision(
    decision: TakenDecision[Any], *, has_model: bool, has_request: bool, has_team: bool, today: date
) -> None:
    """Raise Invalid, naming the field, unless decision and item have what a decision of this kind needs."""
    if decision.owner is None:
        raise Invalid("A decision needs an owner: name the person who implements it.", field="owner")
    if decision.due_on is None:
        raise Invalid("A decision needs a due date.", field="due_on")
    if not today <= decision.due_on <= today + DUE_WITHIN:
        raise Invalid(
            f"The due date must be between {today:%Y-%m-%d} and {today + DUE_WITHIN:%Y-%m-%d}.", field="due_on"
        )
    needs_reason = decision.kind not in NO_REASON_NEEDED or decision.rationale.strip()
    if needs_reason and len(decision.rationale.strip()) < RATIONALE_CHARS_MIN:
        raise Invalid(f"Explain the decision in at least {RATIONALE_CHARS_MIN} characters.", field="rationale")
    _check_subject(decision.kind, has_model=has_model, has_request=has_request, has_team=has_team)
    _check_amount(decision.kind, decision.amount_usd)


def _check_subject(kind: DecisionKind, *, has_model: bool, has_request: bool, has_team: bool) -> None:
    if kind in NEEDS_MODEL and not has_model:
        raise Invalid(f"This item has no model, so the meeting cannot decide to {kind.words} it.", field="kind")
    if kind in NEEDS_REQUEST and not has_request:
        raise Invalid("Only an item with a request in review can be approved as an investment.", field="kind")
    if kind in NEEDS_AMOUNT and not has_team:
        raise Invalid("This item has no team, so it cannot change a budget.", field="kind")


def _check_amount(kind: DecisionKind, amount: Decimal | None) -> None:
    if kind not in NEEDS_AMOUNT:
        if amount is not None:
            raise Invalid(f"The decision to {kind.words} has no amount; leave it empty.", field="amount_usd")
        return
    if amount is None or not amount.is_finite() or amount < 0:
        raise Invalid("A budget change needs the new amount in US dollars, zero or more.", field="amount_usd")
    if amount != amount.quantize(Decimal("0.01")):
        raise Invalid("The amount has more than two decimals; the ledger stores cents.", field="amount_usd")
