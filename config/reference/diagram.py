"""Generate Mermaid text and Markdown tables from transition tables, so that the documentation matches the code."""

from collections.abc import Iterable
from typing import Protocol

from reviews.authorizations.domain import AUTHORIZATION_TRANSITIONS, AuthorizationState
from reviews.requests.domain.lifecycle import TRANSITIONS, RequestState
from reviews.requests.domain.steps import Actor, S, Transition


def mermaid(*, states: Iterable[S], table: tuple[Transition[S], ...]) -> str:
    """A Mermaid `stateDiagram-v2`: a start arrow, one arrow per step, and an end arrow from each terminal state."""
    ordered = tuple(states)
    sources = {step.source for step in table}
    lines = ["stateDiagram-v2", f"    [*] --> {ordered[0]}"]
    lines += [f"    {step.source} --> {step.target}: {step.action} ({step.actor.replace('_', ' ')})" for step in table]
    lines += [f"    {state} --> [*]" for state in ordered if state not in sources]
    return "\n".join(lines) + "\n"


def steps_table(*, table: tuple[Transition[S], ...]) -> str:
    """A Markdown table of all steps: actor, conditions and effects."""
    rows = [
        f"| {step.source.words} | {step.target.words} | {step.action.replace('_', ' ')} "
        f"| {step.actor.replace('_', ' ')} | {step.guards or 'none'} | {step.effects} |"
        for step in table
    ]
    return "\n".join(["| From | To | Step | Who | Conditions | Effects |", "|---|---|---|---|---|---|", *rows, ""])


class OwnedState(Protocol):
    """A state with a next actor and a meaning."""

    @property
    def words(self) -> str:
        """The state as text."""
        ...

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        ...

    @property
    def meaning(self) -> str:
        """The meaning of the state."""
        ...


def states_table(*, states: Iterable[OwnedState]) -> str:
    """A Markdown table of all states with the next actor and the meaning."""
    rows = [f"| {state.words} | {state.owner.replace('_', ' ')} | {state.meaning} |" for state in states]
    return "\n".join(["| State | Next actor | Meaning |", "|---|---|---|", *rows, ""])


def diagram() -> str:
    """The lifecycles of request and authorization as Markdown: diagram, states and steps."""
    return "\n".join(
        (
            "## Request\n",
            f"```mermaid\n{mermaid(states=RequestState, table=TRANSITIONS)}```\n",
            states_table(states=RequestState),
            steps_table(table=TRANSITIONS),
            "## Authorization\n",
            f"```mermaid\n{mermaid(states=AuthorizationState, table=AUTHORIZATION_TRANSITIONS)}```\n",
            states_table(states=AuthorizationState),
            steps_table(table=AUTHORIZATION_TRANSITIONS),
        )
    )
