"""The progress bar of a request: its steps, each done, current, stopped or to come."""

from dataclasses import dataclass

from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.enums import OUTCOMES, REJECTED
from reviews.workflow.queries.view import RequestView

STEP_NAMES = ("Draft", "Screening", "Evidence", "Review", "Decision")
STEP_INDEX = {
    RequestState.DRAFT: 0,
    RequestState.SCREENING: 1,
    RequestState.CLEARED: 1,
    RequestState.EVIDENCE: 2,
    RequestState.CHANGES_REQUESTED: 2,
    RequestState.IN_REVIEW: 3,
    RequestState.DECIDED: 4,
}
STOPPED = {RequestState.WITHDRAWN: "Withdrawn", RequestState.EXPIRED: "Expired"}


@dataclass(frozen=True)
class ProgressStep:
    """One step: its label, its state (done, current, stopped, to_come), and a note."""

    word: str
    state: str
    note: str = ""


def progress_steps(view: RequestView) -> list[ProgressStep]:
    """The steps of a request."""
    state = RequestState(view.state)
    if state in STOPPED:
        return [*_done(_done_count(view)), ProgressStep(STOPPED[state], "stopped")]
    if state is RequestState.CLEARED:
        return [*_done(2), ProgressStep("Cleared", "done", "no review needed")]
    if state is RequestState.DECIDED:
        stopped_or_done = "stopped" if view.outcome == REJECTED else "done"
        return [*_done(4), ProgressStep(dict(OUTCOMES)[view.outcome], stopped_or_done)]
    index = STEP_INDEX[state]
    current = ProgressStep(STEP_NAMES[index], "current", _note(view, state))
    return [*_done(index), current, *(ProgressStep(name, "to_come") for name in STEP_NAMES[index + 1 :])]


def _done(count: int) -> list[ProgressStep]:
    return [ProgressStep(name, "done") for name in STEP_NAMES[:count]]


def _done_count(view: RequestView) -> int:
    """How many steps a withdrawn or expired request had completed."""
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
