"""The states of a review cycle, the transitions between them, and the dates of the automatic transitions.

One cycle for each quarter. The tick plans it, starts collecting values before the quarter ends, and freezes it at
the cut-off; people open and close the meeting. `docs/reference/lifecycle.md` is generated from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from governance.budgets.domain.quarters import Quarter
from reviews.requests.domain.transition_types import Actor, NamedState, Transition, transitions_from
from weighbridge.core.errors import WrongState

COLLECTING_BEFORE_END = timedelta(days=14)
"""Two weeks before the quarter ends, the cycle starts to collect values and to refresh its agenda."""
CUT_OFF_AFTER_END = timedelta(days=10)
"""Ten days after the quarter, when its bills have arrived, values and agenda are frozen."""


class CycleState(NamedState):
    """State of a quarterly review cycle."""

    PLANNED = "planned"
    COLLECTING = "collecting"
    FROZEN = "frozen"
    HELD = "held"
    CLOSED = "closed"

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        return _STATES[self][0]

    @property
    def meaning(self) -> str:
        """What the state means, as a phrase for a page."""
        return _STATES[self][1]


_STATES: Mapping[CycleState, tuple[Actor, str]] = {
    CycleState.PLANNED: (Actor.SYSTEM, "the quarter is running; no values are collected yet"),
    CycleState.COLLECTING: (Actor.SYSTEM, "values are collected and the agenda is refreshed until the cut-off"),
    CycleState.FROZEN: (Actor.CHAIR, "the cut-off has passed: values and agenda are frozen until the meeting"),
    CycleState.HELD: (Actor.CHAIR, "the meeting is open: attendance and decisions are recorded"),
    CycleState.CLOSED: (Actor.SYSTEM, "the minutes are issued; the cycle cannot be changed"),
}
"""The owner and the meaning of each state."""

CYCLE_TRANSITIONS: tuple[Transition[CycleState], ...] = (
    Transition(
        CycleState.PLANNED,
        CycleState.COLLECTING,
        "collect",
        Actor.SYSTEM,
        "two weeks are left of the quarter",
        "scorecard opened; agenda refreshed every hour",
    ),
    Transition(
        CycleState.COLLECTING,
        CycleState.FROZEN,
        "freeze",
        Actor.SYSTEM,
        "the cut-off has passed",
        "agenda refreshed for the last time; values frozen",
    ),
    Transition(
        CycleState.FROZEN,
        CycleState.HELD,
        "hold",
        Actor.CHAIR,
        "a platform or product lead opens the meeting",
        "the person who opened it is the chair",
    ),
    Transition(
        CycleState.HELD,
        CycleState.CLOSED,
        "close",
        Actor.CHAIR,
        "the chair asks for it, and engineering and product leads are present",
        "minutes frozen with their digest; the cycle cannot be changed",
    ),
)


def check_move(*, source: CycleState, target: CycleState) -> None:
    """Raise `WrongState` with the possible steps unless the cycle may go straight to `target`."""
    steps = transitions_from(source, CYCLE_TRANSITIONS)
    if any(step.target == target for step in steps):
        return
    if source == target:
        raise WrongState(f"This cycle is already {source.words}.", code="already")
    if not steps:
        raise WrongState("This cycle is closed; use an action item or the next cycle for what is left to do.")
    possible = "; ".join(f"{step.action} (to {step.target.words}, by {step.actor.words})" for step in steps)
    raise WrongState(f"A cycle that is {source.words} cannot become {target.words}. Possible now: {possible}.")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The times of the automatic transitions of a cycle, in UTC."""

    collecting_at: datetime
    cut_off_at: datetime

    @classmethod
    def of(cls, quarter: Quarter) -> "Calendar":
        """Collecting from two weeks before the end; cut-off ten days after the end."""
        end = datetime.combine(quarter.next.start_on, time(), tzinfo=UTC)
        return cls(end - COLLECTING_BEFORE_END, end + CUT_OFF_AFTER_END)


def due_state(state: CycleState, *, collecting_at: datetime, cut_off_at: datetime, now: datetime) -> CycleState | None:
    """The next state that is due at `now`, one step at a time; None if no transition is due."""
    if state is CycleState.PLANNED and now >= collecting_at:
        return CycleState.COLLECTING
    if state is CycleState.COLLECTING and now >= cut_off_at:
        return CycleState.FROZEN
    return None
