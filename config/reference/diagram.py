"""Transition tables as Mermaid text and as Markdown tables, for docs that cannot lie about states."""

from collections.abc import Iterable
from typing import Protocol

from reviews.authorizations.domain import AUTHORIZATION_TRANSITIONS, AuthorizationState
from reviews.requests.domain.lifecycle import TRANSITIONS, RequestState
from reviews.requests.domain.steps import Actor, S, Transition


def mermaid(*, states: Iterable[S], table: tuple[Transition[S], ...]) -> str:
    """A Mermaid `stateDiagram-v2`: entry into the first state, one arrow per step, terminal states leave the page."""
    ordered = tuple(states)
    sources = {step.source for step in table}
    lines = ["stateDiagram-v2", f"    [*] --> {ordered[0]}"]
    lines += [f"    {step.source} --> {step.target}: {step.action} ({step.actor.replace('_', ' ')})" for step in table]
    lines += [f"    {state} --> [*]" for state in ordered if state not in sources]
    return "\n".join(lines) + "\n"


def steps_table(*, table: tuple[Transition[S], ...]) -> str:
    """A Markdown table of every step: who takes it, what must hold, what it brings about."""
    rows = [
        f"| {step.source.words} | {step.target.words} | {step.action.replace('_', ' ')} "
        f"| {step.actor.replace('_', ' ')} | {step.guards or 'nothing more'} | {step.effects} |"
        for step in table
    ]
    return "\n".join(
        ["| From | To | Step | Who | What must hold | What it brings about |", "|---|---|---|---|---|---|", *rows, ""]
    )


class OwnedState(Protocol):
    """A state that says who must move next and what it means."""

    @property
    def words(self) -> str:
        """How a sentence names it."""
        ...

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        ...

    @property
    def meaning(self) -> str:
        """What it means."""
        ...


def states_table(*, states: Iterable[OwnedState]) -> str:
    """A Markdown table of every state, its one owner and its meaning."""
    rows = [f"| {state.words} | {state.owner.replace('_', ' ')} | {state.meaning} |" for state in states]
    return "\n".join(["| State | Who moves next | Meaning |", "|---|---|---|", *rows, ""])


def diagram() -> str:
    """The whole page body of `docs/reference/lifecycle.md`: both lifecycles, each as picture, states and steps."""
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
