"""What becomes of a decision: an action item that is open, seen, and then closed for good; a recurrence is
a new one.
"""

from collections.abc import Mapping

from reviews.requests.domain.steps import Actor, Named, Transition, leaving
from weighbridge.core.errors import WrongState


class ActionState(Named):
    """State of an action item."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    DROPPED = "dropped"

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        return ACTION_OWNER[self]

    @property
    def meaning(self) -> str:
        """What the state means, as a phrase for a page."""
        return ACTION_MEANING[self]


ACTION_OWNER: Mapping[ActionState, Actor] = {
    ActionState.OPEN: Actor.OWNER,
    ActionState.ACKNOWLEDGED: Actor.OWNER,
    ActionState.DONE: Actor.SYSTEM,
    ActionState.DROPPED: Actor.SYSTEM,
}

ACTION_MEANING: Mapping[ActionState, str] = {
    ActionState.OPEN: "decided; its owner has not said that they saw it",
    ActionState.ACKNOWLEDGED: "its owner is at it",
    ActionState.DONE: "carried out; closed for good",
    ActionState.DROPPED: "given up with a reason; closed for good",
}

_LIVING = (ActionState.OPEN, ActionState.ACKNOWLEDGED)

ACTION_TRANSITIONS: tuple[Transition[ActionState], ...] = (
    Transition(
        ActionState.OPEN,
        ActionState.ACKNOWLEDGED,
        "acknowledge",
        Actor.OWNER,
        "here, or by moving the ticket",
        "the next meeting sees that somebody is at it",
    ),
    *(
        Transition(
            source,
            ActionState.DONE,
            "finish",
            Actor.OWNER,
            "by its owner or a lead, here or by moving the ticket",
            "closed for good; the ticket is told",
        )
        for source in _LIVING
    ),
    *(
        Transition(
            source,
            ActionState.DROPPED,
            "drop",
            Actor.CHAIR,
            "by a platform or product lead who does not owe it, with a reason",
            "closed for good; the ticket is told",
        )
        for source in _LIVING
    ),
)

ACTION_CLOSED: frozenset[ActionState] = frozenset({ActionState.DONE, ActionState.DROPPED})


def may_become(*, source: ActionState, target: ActionState) -> bool:
    """Whether an action item may go from `source` straight to `target`."""
    return any(step.target == target for step in leaving(source, ACTION_TRANSITIONS))


def check_become(*, source: ActionState, target: ActionState) -> None:
    """Raise `WrongState`, with what is possible, unless the action item may go straight to `target`."""
    if may_become(source=source, target=target):
        return
    if source in ACTION_CLOSED:
        raise WrongState(
            f"This action item is {source.words} and never reopens; if the matter recurs, the next meeting decides "
            "anew.",
            code="closed",
        )
    raise WrongState(f"An action item that is {source.words} cannot become {target.words}.")


def action_ref(quarter: str, number: int) -> str:
    """How an action item is called: `ACT-2026Q4-03`."""
    return f"ACT-{quarter}-{number:02d}"
