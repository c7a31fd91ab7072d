"""A vote that is not cast yet."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import date

from reviews.requests.domain.lifecycle import RequestState, check_seen
from weighbridge.core.errors import Invalid, WrongState

CONDITIONS_MAX, LIFTED_MAX = 20, 100
CONDITION_PARTS = {"text": 400, "owner": 150, "due_on": 20}
"""The parts of a condition, with the longest text that each takes in a draft."""


@dataclass(frozen=True, kw_only=True)
class DraftCondition:
    """A condition of a draft, as far as it is filled in: the owner by user name, the day as it was written."""

    text: str = ""
    owner: str = ""
    due_on: str = ""


@dataclass(frozen=True, kw_only=True)
class VoteDraft:
    """What a person has filled in so far; the choice is "" as long as it is open.

    A deputy drafts `in_place_of` an absent person, by user name. `lifted_ids` are the earlier conditions to lift.
    """

    choice: str = ""
    rationale: str = ""
    conditions: tuple[DraftCondition, ...] = ()
    in_place_of: str = ""
    lifted_ids: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filled in. The form always says in whose name the vote is."""
        return replace(self, in_place_of="") == VoteDraft(conditions=(DraftCondition(),) * len(self.conditions))


def check_open(state: RequestState, *, has_voted: bool) -> None:
    """Raise WrongState unless the request is in review, and the person's vote on the revision is not cast."""
    if state is not RequestState.IN_REVIEW:
        raise WrongState(f"The request is {state.words}; a vote is drafted while it is in review.")
    if has_voted:
        raise WrongState("You have voted on this revision. To vote anew, take your vote back.", code="already_voted")


def check_revision(*, seen: int | None, revision: int) -> None:
    """Raise WrongState if the draft was written about another revision than the present one."""
    check_seen(seen, revision=revision, advice="Read it, then save the draft.")


def check_conditions(conditions: Sequence[DraftCondition], *, people: Set[str]) -> None:
    """Raise Invalid unless the form of a vote can show each condition: its owner is one of `people`, its day is a day.

    The form chooses from lists, so it would show anything else as if it were not filled in.
    """
    for index, each in enumerate(conditions):
        if each.owner and each.owner not in people:
            reason = f"There is no active user “{each.owner}” who can see this request."
            raise Invalid(reason, field=f"conditions[{index}].owner")
        if each.due_on and not _is_day(each.due_on):
            reason = "Write the day like 2027-01-31, or leave it empty."
            raise Invalid(reason, field=f"conditions[{index}].due_on")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
