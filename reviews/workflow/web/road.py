"""Where a request is on its road: the stations a reader knows, done, current, stopped or to come."""

from dataclasses import dataclass

from reviews.requests.domain.lifecycle import RequestState
from reviews.workflow.queries.view import RequestView

STATIONS = ("Draft", "Screening", "Evidence", "Review", "Decision")
PLACES = {
    RequestState.DRAFT: 0,
    RequestState.SCREENING: 1,
    RequestState.CLEARED: 1,
    RequestState.EVIDENCE: 2,
    RequestState.CHANGES_REQUESTED: 2,
    RequestState.IN_REVIEW: 3,
    RequestState.DECIDED: 4,
}
STOPPED = {RequestState.WITHDRAWN: "Withdrawn", RequestState.EXPIRED: "Expired"}
ENDS = {"approved": "Approved", "approved_with_conditions": "Approved with conditions", "rejected": "Rejected"}


@dataclass(frozen=True)
class Station:
    """A station: its word, its state (done, current, stopped, to_come), and a note."""

    word: str
    state: str
    note: str = ""


def road(view: RequestView) -> list[Station]:
    """The stations of a request."""
    state = RequestState(view.state)
    if state in STOPPED:
        return [*_passed(_reached(view)), Station(STOPPED[state], "stopped")]
    if state is RequestState.CLEARED:
        return [*_passed(2), Station("Cleared", "done", "no review needed")]
    if state is RequestState.DECIDED:
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


def _note(view: RequestView, state: RequestState) -> str:
    if state is RequestState.CHANGES_REQUESTED:
        return "changes requested"
    if state is RequestState.EVIDENCE:
        return f"{view.answered_count} of {len(view.checklist)} answered"
    if state is RequestState.IN_REVIEW:
        done = sum(stage.is_complete for stage in view.stages)
        return f"{done} of {len(view.stages)} stages"
    return ""
