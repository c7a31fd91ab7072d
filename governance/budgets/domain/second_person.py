"""When a step with money takes a second person, and who may be that person.

One rule for all steps: allocations, terms of accounts, places in the tree, bills and exchange rates.
"""

from collections.abc import Set
from dataclasses import dataclass
from decimal import Decimal

from weighbridge.core.errors import NotAllowed

SLIP_FACTOR = 10
SLIP_FROM = Decimal(100_000)
LARGE = Decimal(10_000_000)


@dataclass(frozen=True, kw_only=True)
class MoneyStep:
    """A step that one person wants to take.

    `own_teams` are the teams of the person. `raised_teams` are the teams that can use more money after the step, or
    that are held to a looser limit. `loosens` means that an account refuses less after the step. `amount` is allocated
    to an account whose cost center had `usual` in its largest quarter (None: it had no budget yet); both in the unit of
    the account.
    """

    own_teams: Set[str]
    raised_teams: Set[str]
    loosens: bool = False
    amount: Decimal = Decimal(0)
    usual: Decimal | None = None


def reasons_for_second_person(step: MoneyStep) -> tuple[str, ...]:
    """Why the step takes a second person, as parts of a sentence; empty if one person may take it."""
    own = sorted(step.own_teams & step.raised_teams)
    reasons = {
        f"it is money for your own team ({', '.join(own)})": bool(own),
        "it loosens the enforcement of a budget": step.loosens,
        f"the amount is {SLIP_FACTOR} times the largest budget so far, or more": _is_slip(step),
        f"the amount is {LARGE:,} or more": step.amount >= LARGE,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def sentence_of(reasons: tuple[str, ...]) -> str:
    """The reasons as a sentence."""
    return f"A second person must confirm this, because {', and because '.join(reasons)}."


def check_independent(*, own_teams: Set[str], teams: Set[str]) -> None:
    """Raise NotAllowed if the second person belongs to one of the teams whose money the step changes."""
    own = sorted(own_teams & teams)
    if own:
        raise NotAllowed(
            f"You belong to a team whose money this changes ({', '.join(own)}). Another person must confirm it.",
            code="own_team",
        )


def _is_slip(step: MoneyStep) -> bool:
    return step.usual is not None and step.amount >= max(SLIP_FACTOR * step.usual, SLIP_FROM)
