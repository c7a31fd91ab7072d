"""The states of an action item: open, acknowledged, closed. A closed item never reopens; a recurrence is a new item."""

from collections.abc import Mapping

from reviews.requests.domain.transition_types import Actor, NamedState, Transition, transitions_from
from weighbridge.core.errors import WrongState


class ActionState(NamedState):
    """State of an action item."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    DROPPED = "dropped"

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        return _STATES[self][0]

    @property
    def meaning(self) -> str:
        """What the state means, as a phrase for a page."""
        return _STATES[self][1]


_STATES: Mapping[ActionState, tuple[Actor, str]] = {
    ActionState.OPEN: (Actor.OWNER, "decided; its owner has not acknowledged it yet"),
    ActionState.ACKNOWLEDGED: (Actor.OWNER, "its owner is working on it"),
    ActionState.DONE: (Actor.SYSTEM, "done; closed for good"),
    ActionState.DROPPED: (Actor.SYSTEM, "dropped with a reason; closed for good"),
}
"""The owner and the meaning of each state."""

_UNFINISHED = (ActionState.OPEN, ActionState.ACKNOWLEDGED)

ACTION_TRANSITIONS: tuple[Transition[ActionState], ...] = (
    Transition(
        ActionState.OPEN,
        ActionState.ACKNOWLEDGED,
        "acknowledge",
        Actor.OWNER,
        "here, or by moving the ticket",
        "the next meeting sees that work has started",
    ),
    *(
        Transition(
            source,
            ActionState.DONE,
            "finish",
            Actor.OWNER,
            "by its owner or a lead, here or by moving the ticket",
            "closed for good; the ticket is updated",
        )
        for source in _UNFINISHED
    ),
    *(
        Transition(
            source,
            ActionState.DROPPED,
            "drop",
            Actor.CHAIR,
            "by a platform or product lead who does not own it, with a reason",
            "closed for good; the ticket is updated",
        )
        for source in _UNFINISHED
    ),
)

ACTION_CLOSED: frozenset[ActionState] = frozenset({ActionState.DONE, ActionState.DROPPED})


def check_change_to(*, source: ActionState, target: ActionState) -> None:
    """Raise `WrongState` unless the action item may go straight to `target`."""
    if any(step.target == target for step in transitions_from(source, ACTION_TRANSITIONS)):
        return
    if source in ACTION_CLOSED:
        raise WrongState(
            f"This action item is {source.words} and cannot be reopened; if the matter recurs, the next meeting "
            "decides again.",
            code="closed",
        )
    raise WrongState(f"An action item that is {source.words} cannot become {target.words}.")


def action_ref(quarter: str, number: int) -> str:
    """The reference of an action item, such as `ACT-2026Q4-03`."""
    return f"ACT-{quarter}-{number:02d}"
