"""The decisions that the meeting can make, their immediate effects, and their required fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.errors import Invalid

RATIONALE_CHARS_MIN = 10
DUE_WITHIN = timedelta(days=366)


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
        return _WORDS[self]

    @property
    def implies(self) -> str:
        """The immediate effect, as a sentence."""
        return _IMPLIES[self]


_WORDS: Mapping[DecisionKind, str] = {
    DecisionKind.KEEP: "keep",
    DecisionKind.OPTIMIZE: "optimize",
    DecisionKind.SCALE_DOWN: "scale down",
    DecisionKind.RETIRE: "retire",
    DecisionKind.RE_REVIEW: "review again",
    DecisionKind.BUDGET_CHANGE: "change the budget",
    DecisionKind.APPROVE_INVESTMENT: "approve the investment",
}

_IMPLIES: Mapping[DecisionKind, str] = {
    DecisionKind.KEEP: "Nothing changes; the owner reports by the due date.",
    DecisionKind.OPTIMIZE: "The owner makes it cheaper by the due date.",
    DecisionKind.SCALE_DOWN: "The owner cuts its capacity by the due date.",
    DecisionKind.RETIRE: "Every authorization of the model is revoked now; the gate refuses it.",
    DecisionKind.RE_REVIEW: "Each of its authorizations gets a condition: a new review by the due date, "
    "or the authorization is suspended.",
    DecisionKind.BUDGET_CHANGE: "The amount is proposed as the team's budget of this quarter; "
    "a second person must confirm it.",
    DecisionKind.APPROVE_INVESTMENT: "Your vote to approve is cast in the open stage of the request.",
}

NEEDS_MODEL = frozenset(
    {DecisionKind.RETIRE, DecisionKind.RE_REVIEW, DecisionKind.OPTIMIZE, DecisionKind.SCALE_DOWN, DecisionKind.KEEP}
)
NEEDS_REQUEST = frozenset({DecisionKind.APPROVE_INVESTMENT})
NEEDS_AMOUNT = frozenset({DecisionKind.BUDGET_CHANGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInput:
    """A decision to be checked. `owner` is a user name, or "" if nobody was named."""

    kind: DecisionKind
    owner: str
    due_on: date | None
    rationale: str
    amount: Decimal | None = None
    has_model: bool = False
    has_request: bool = False
    has_team: bool = False


def check_decision(decision: DecisionInput, *, today: date) -> None:
    """Raise Invalid, naming the field, unless the decision has an owner, a due date, a rationale and what its kind
    needs.
    """
    if not decision.owner:
        raise Invalid("A decision needs an owner: name the person who implements it.", field="owner")
    if decision.due_on is None:
        raise Invalid("A decision needs a due date.", field="due_on")
    if not today <= decision.due_on <= today + DUE_WITHIN:
        raise Invalid(
            f"The due date must be between {today:%Y-%m-%d} and {today + DUE_WITHIN:%Y-%m-%d}.", field="due_on"
        )
    if len(decision.rationale.strip()) < RATIONALE_CHARS_MIN:
        raise Invalid(f"Explain the decision in at least {RATIONALE_CHARS_MIN} characters.", field="rationale")
    _check_subject(decision)
    _check_team(decision)
    _check_amount(decision)


def _check_subject(decision: DecisionInput) -> None:
    if decision.kind in NEEDS_MODEL and not decision.has_model:
        raise Invalid(
            f"This item has no model, so the meeting cannot decide to {decision.kind.words} it.", field="kind"
        )
    if decision.kind in NEEDS_REQUEST and not decision.has_request:
        raise Invalid("Only an item with a request in review can be approved as an investment.", field="kind")


def _check_team(decision: DecisionInput) -> None:
    if decision.kind in NEEDS_AMOUNT and not decision.has_team:
        raise Invalid("This item has no team, so it cannot change a budget.", field="kind")


def _check_amount(decision: DecisionInput) -> None:
    if decision.kind not in NEEDS_AMOUNT:
        if decision.amount is not None:
            raise Invalid(f"The decision to {decision.kind.words} has no amount; leave it empty.", field="amount_usd")
        return
    if decision.amount is None or not decision.amount.is_finite() or decision.amount < 0:
        raise Invalid("A budget change needs the new amount in US dollars, zero or more.", field="amount_usd")
    if decision.amount != decision.amount.quantize(Decimal("0.01")):
        raise Invalid("The amount has more than two decimals; the ledger stores cents.", field="amount_usd")
