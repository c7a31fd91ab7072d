"""Which state of a review cycle may follow which, and when the calendar moves it.

One cycle for each quarter. The tick plans it, opens it for metrics before the quarter ends, and freezes it at the
cut-off; people hold the meeting and close it. `docs/reference/lifecycle.md` is generated from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from governance.budgets.domain.quarters import Quarter
from reviews.requests.domain.steps import Actor, Named, Transition, leaving
from weighbridge.core.errors import WrongState

COLLECTING_BEFORE_END = timedelta(days=14)
"""Two weeks before its quarter ends a cycle asks for values and gathers its agenda."""
CUT_OFF_AFTER_END = timedelta(days=10)
"""Ten days after the quarter, when its bills are in, what the meeting looks at stands still."""


class CycleState(Named):
    """State of a quarterly review cycle."""

    PLANNED = "planned"
    COLLECTING = "collecting"
    FROZEN = "frozen"
    HELD = "held"
    CLOSED = "closed"

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        return CYCLE_OWNER[self]

    @property
    def meaning(self) -> str:
        """What the state means, as a phrase for a page."""
        return CYCLE_MEANING[self]


CYCLE_OWNER: Mapping[CycleState, Actor] = {
    CycleState.PLANNED: Actor.SYSTEM,
    CycleState.COLLECTING: Actor.SYSTEM,
    CycleState.FROZEN: Actor.CHAIR,
    CycleState.HELD: Actor.CHAIR,
    CycleState.CLOSED: Actor.SYSTEM,
}

CYCLE_MEANING: Mapping[CycleState, str] = {
    CycleState.PLANNED: "its quarter runs; nothing is asked for yet",
    CycleState.COLLECTING: "values are supplied and the agenda gathers, until the cut-off",
    CycleState.FROZEN: "the cut-off has passed: values and agenda stand still until the meeting",
    CycleState.HELD: "the meeting is open: attendance is noted and decisions are taken",
    CycleState.CLOSED: "the minutes are issued; nothing of it changes any more",
}

CYCLE_TRANSITIONS: tuple[Transition[CycleState], ...] = (
    Transition(
        CycleState.PLANNED,
        CycleState.COLLECTING,
        "collect",
        Actor.SYSTEM,
        "two weeks are left of the quarter",
        "scorecard opened; agenda gathered anew at every look",
    ),
    Transition(
        CycleState.COLLECTING,
        CycleState.FROZEN,
        "freeze",
        Actor.SYSTEM,
        "the cut-off has passed",
        "agenda gathered for the last time; values stand still",
    ),
    Transition(
        CycleState.FROZEN,
        CycleState.HELD,
        "hold",
        Actor.CHAIR,
        "a platform or product lead opens the meeting",
        "who opened it is the chair",
    ),
    Transition(
        CycleState.HELD,
        CycleState.CLOSED,
        "close",
        Actor.CHAIR,
        "the chair asks for it, and engineering and product leads are present",
        "minutes frozen with their digest; nothing of the cycle changes any more",
    ),
)


def may_move(*, source: CycleState, target: CycleState) -> bool:
    """Whether a cycle may go from `source` straight to `target`."""
    return any(step.target == target for step in leaving(source, CYCLE_TRANSITIONS))


def check_move(*, source: CycleState, target: CycleState) -> None:
    """Raise `WrongState`, with what is possible now, unless the cycle may go straight to `target`."""
    if may_move(source=source, target=target):
        return
    steps = leaving(source, CYCLE_TRANSITIONS)
    if source == target:
        raise WrongState(f"This cycle is {source.words} already.", code="already")
    if not steps:
        raise WrongState("This cycle is closed; what is left to do is an action item, or belongs to the next cycle.")
    possible = "; ".join(f"{step.action} (to {step.target.words}, by {step.actor.words})" for step in steps)
    raise WrongState(f"A cycle that is {source.words} cannot become {target.words}. Possible now: {possible}.")


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the cycle of a quarter moves by itself, in UTC."""

    planned_at: datetime
    collecting_at: datetime
    cut_off_at: datetime

    @classmethod
    def of(cls, quarter: Quarter) -> "Calendar":
        """Planned with the first day; collecting two weeks before the end; cut off ten days after it."""
        end = _midnight(quarter.next)
        return cls(_midnight(quarter), end - COLLECTING_BEFORE_END, end + CUT_OFF_AFTER_END)


def due_state(state: CycleState, *, collecting_at: datetime, cut_off_at: datetime, now: datetime) -> CycleState | None:
    """The state time alone moves the cycle to at `now`, one step at a time; None where it moves nowhere."""
    if state is CycleState.PLANNED and now >= collecting_at:
        return CycleState.COLLECTING
    if state is CycleState.COLLECTING and now >= cut_off_at:
        return CycleState.FROZEN
    return None


def _midnight(quarter: Quarter) -> datetime:
    return datetime.combine(quarter.start_on, time(), tzinfo=UTC)
