"""Where a request is on its road: the stations a reader knows, done, current, stopped or to come."""

from dataclasses import dataclass

from reviews.requests.domain.lifecycle import State
from reviews.workflow.queries.view import RequestView

STATIONS = ("Draft", "Screening", "Evidence", "Review", "Decision")
PLACES = {
    State.DRAFT: 0,
    State.SCREENING: 1,
    State.CLEARED: 1,
    State.EVIDENCE: 2,
    State.CHANGES_REQUESTED: 2,
    State.IN_REVIEW: 3,
    State.DECIDED: 4,
}
STOPPED = {State.WITHDRAWN: "Withdrawn", State.LAPSED: "Lapsed"}
ENDS = {"approved": "Approved", "approved_with_conditions": "Approved with conditions", "rejected": "Rejected"}


@dataclass(frozen=True)
class Station:
    """A station: its word, its state (done, current, stopped, to_come), and a note."""

    word: str
    state: str
    note: str = ""


def road(view: RequestView) -> list[Station]:
    """The stations of a request."""
    state = State(view.state)
    if state in STOPPED:
        return [*_passed(_reached(view)), Station(STOPPED[state], "stopped")]
    if state is State.CLEARED:
        return [*_passed(2), Station("Cleared", "done", "no review needed")]
    if state is State.DECIDED:
        return [*_passed(4), Station(ENDS[view.outcome], "stopped" if view.outcome == "rejected" else "done")]
    place = PLACES[state]
    current = Station(STATIONS[place], "current", _note(view, state))
    return [*_passed(place), current, *(Station(word, "to_come") for word in STATIONS[place + 1 :])]


def _passed(count: int) -> list[Station]:
    return [Station(word, "done") for word in STATIONS[:count]]


def _reached(view: RequestView) -> int:
    """How many stations a request that ended on the way had passed."""
    if view.submitted_at is None:
        return 1
    return 4 if view.revisions else 3


def _note(view: RequestView, state: State) -> str:
    if state is State.CHANGES_REQUESTED:
        return "changes requested"
    if state is State.EVIDENCE:
        return f"{view.answered_count} of {len(view.checklist)} answered"
    if state is State.IN_REVIEW:
        done = sum(stage.is_complete for stage in view.stages)
        return f"{done} of {len(view.stages)} stages"
    return ""
