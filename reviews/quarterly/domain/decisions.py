"""What the meeting may decide of a model, what each decision implies, and what none may lack."""

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
        """How a sentence names it."""
        return _WORDS[self]

    @property
    def implies(self) -> str:
        """What follows from it at once, as a sentence."""
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
    DecisionKind.RETIRE: "Every authorization of the model is revoked now; the gate denies it.",
    DecisionKind.RE_REVIEW: "Its authorizations get the condition to be reviewed again by the due date, "
    "or are suspended.",
    DecisionKind.BUDGET_CHANGE: "The team's budget of this quarter is proposed to be the amount; "
    "a second person confirms it.",
    DecisionKind.APPROVE_INVESTMENT: "The decider's vote to approve is cast in the open stage of the request.",
}

NEEDS_MODEL = frozenset(
    {DecisionKind.RETIRE, DecisionKind.RE_REVIEW, DecisionKind.OPTIMIZE, DecisionKind.SCALE_DOWN, DecisionKind.KEEP}
)
NEEDS_REQUEST = frozenset({DecisionKind.APPROVE_INVESTMENT})
NEEDS_AMOUNT = frozenset({DecisionKind.BUDGET_CHANGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInput:
    """A decision as somebody asks for it; `owner` is a user name, "" where none was named."""

    kind: DecisionKind
    owner: str
    due_on: date | None
    rationale: str
    amount: Decimal | None = None
    has_model: bool = False
    has_request: bool = False
    has_team: bool = False


def check_wish(wish: DecisionInput, *, today: date) -> None:
    """Raise Invalid, naming the field, unless the decision has an owner, a due date, a rationale and what its kind
    needs.
    """
    if not wish.owner:
        raise Invalid("A decision needs an owner: say who carries it out.", field="owner")
    if wish.due_on is None:
        raise Invalid("A decision needs a due date: say until when it is carried out.", field="due_on")
    if not today <= wish.due_on <= today + DUE_WITHIN:
        raise Invalid(
            f"The due date must lie between {today:%Y-%m-%d} and {today + DUE_WITHIN:%Y-%m-%d}.", field="due_on"
        )
    if len(wish.rationale.strip()) < RATIONALE_CHARS_MIN:
        raise Invalid(f"Say in at least {RATIONALE_CHARS_MIN} characters why it is decided so.", field="rationale")
    _check_subject(wish)
    _check_team(wish)
    _check_amount(wish)


def _check_subject(wish: DecisionInput) -> None:
    if wish.kind in NEEDS_MODEL and not wish.has_model:
        raise Invalid(f"This item is about no model, so it cannot be decided to {wish.kind.words} it.", field="kind")
    if wish.kind in NEEDS_REQUEST and not wish.has_request:
        raise Invalid("Only an item about a request under review can be approved as an investment.", field="kind")


def _check_team(wish: DecisionInput) -> None:
    if wish.kind in NEEDS_AMOUNT and not wish.has_team:
        raise Invalid("This item is about no team, so no budget can be changed by it.", field="kind")


def _check_amount(wish: DecisionInput) -> None:
    if wish.kind not in NEEDS_AMOUNT:
        if wish.amount is not None:
            raise Invalid(f"To {wish.kind.words} takes no amount; leave it out.", field="amount_usd")
        return
    if wish.amount is None or not wish.amount.is_finite() or wish.amount < 0:
        raise Invalid("A change of the budget needs the new amount, zero or more, in US dollars.", field="amount_usd")
    if wish.amount != wish.amount.quantize(Decimal("0.01")):
        raise Invalid("The amount has more than two decimals; the ledger keeps whole hundredths.", field="amount_usd")
