"""Generate the lifecycle page and its pictures from transition tables, so that the documentation matches the code."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.reference.tables import page, table
from reviews.authorizations.domain.authorization_states import AUTHORIZATION_TRANSITIONS, AuthorizationState
from reviews.quarterly.domain.action_items import ACTION_TRANSITIONS, ActionState
from reviews.quarterly.domain.cycle import CYCLE_TRANSITIONS, CycleState
from reviews.requests.domain.lifecycle import TRANSITIONS, RequestState
from reviews.requests.domain.transition_types import Transition
from weighbridge.charts.drawing import svg
from weighbridge.charts.steps import steps_chart

INTRODUCTION = """\
A request ends with a decision; the authorization that it produced stays valid until it expires; every quarter a \
review cycle checks both. The transitions are tables in `reviews/requests/domain/lifecycle.py`, \
`reviews/authorizations/domain/authorization_states.py` and `reviews/quarterly/domain/`, and this page is generated \
from them."""
DIAGRAMS = """\
In the diagrams each column is a step: a dot marks each source state, an arrow the target state. Bold states are \
final."""


@dataclass(frozen=True)
class Lifecycle:
    """A state machine with a heading, a name for sentences, its picture and a remark."""

    heading: str
    thing: str
    picture: str
    states: Any
    steps: tuple[Transition[Any], ...]
    remark: str = ""

    def svg(self) -> str:
        """The picture."""
        steps = [(str(step.source), str(step.target), step.action) for step in self.steps]
        return svg(steps_chart([str(state) for state in self.states], steps, title=f"States of {self.thing}")) + "\n"

    def section(self) -> Iterator[str]:
        """The section of the page: all states with the next actor, and all steps."""
        yield f"## {self.heading}"
        if self.remark:
            yield self.remark
        yield f"![States of {self.thing} and the steps between them]({self.picture})"
        states = ((_name(state), state.owner.words, state.meaning) for state in self.states)
        yield table(("State", "Next actor", "Meaning"), states)
        yield table(("From", "To", "Step", "Who", "Conditions", "Effects"), map(_cells, self.steps))

    def mermaid(self) -> str:
        """A Mermaid `stateDiagram-v2`: a start arrow, one arrow for each step, and an end arrow from final states."""
        states, sources = tuple(self.states), {step.source for step in self.steps}
        lines = ["stateDiagram-v2", f"    [*] --> {states[0]}"]
        lines += [f"    {step.source} --> {step.target}: {step.action} ({step.actor.words})" for step in self.steps]
        return "\n".join([*lines, *(f"    {state} --> [*]" for state in states if state not in sources)]) + "\n"


def _name(state: str) -> str:
    return state.replace("_", " ")


def _cells(step: Transition[Any]) -> tuple[str, ...]:
    action, guards = step.action.replace("_", " "), step.guards or "none"
    return _name(step.source), _name(step.target), action, step.actor.words, guards, step.effects


REQUEST = Lifecycle("Request", "a request", "lifecycle-request.svg", RequestState, TRANSITIONS)
LIFECYCLES = (
    REQUEST,
    Lifecycle(
        "Authorization",
        "an authorization",
        "lifecycle-authorization.svg",
        AuthorizationState,
        AUTHORIZATION_TRANSITIONS,
    ),
    Lifecycle(
        "Quarterly review cycle",
        "a review cycle",
        "lifecycle-cycle.svg",
        CycleState,
        CYCLE_TRANSITIONS,
        "One cycle for each quarter. The tick plans, opens and freezes it; people run and close the meeting.",
    ),
    Lifecycle(
        "Action item",
        "an action item",
        "lifecycle-action.svg",
        ActionState,
        ACTION_TRANSITIONS,
        "Each decision of the quarterly meeting becomes an action item. A closed item never reopens; if the matter"
        " recurs, the next meeting decides again.",
    ),
)


def lifecycle() -> str:
    """The page text: states and steps of each lifecycle."""
    sections = (part for each in LIFECYCLES for part in each.section())
    text = f"```text\n{REQUEST.mermaid()}```"
    remark = "For a ticket or a wiki that renders Mermaid:"
    return page("Lifecycle", INTRODUCTION, DIAGRAMS, *sections, "## As Mermaid text", remark, text)
