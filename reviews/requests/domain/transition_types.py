"""The types of transition tables: actors, states, transitions, and a text that lists the possible steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Self, TypeVar


class Actor(StrEnum):
    """Who owns a state or takes a step. The system is an actor too; the audit trail names it."""

    REQUESTER = "requester"
    REVIEWER = "reviewer"
    PLATFORM_LEAD = "platform_lead"
    CHAIR = "chair"
    OWNER = "owner"
    SYSTEM = "system"

    @property
    def words(self) -> str:
        """The name as used in sentences."""
        return self.value.replace("_", " ")


class NamedState(StrEnum):
    """A state with a readable name."""

    @property
    def words(self) -> str:
        """The name as used in sentences."""
        return self.value.replace("_", " ")


class OwnedState(NamedState):
    """A state written as its value, the one actor who must move next, and its meaning as a phrase for a page."""

    _value_: str
    owner: Actor
    meaning: str

    def __new__(cls, value: str, owner: Actor = Actor.SYSTEM, meaning: str = "") -> Self:
        state = str.__new__(cls, value)
        state._value_, state.owner, state.meaning = value, owner, meaning
        return state


S = TypeVar("S", bound=NamedState)


@dataclass(frozen=True, slots=True)
class Transition(Generic[S]):
    """One permitted step. Guards and effects are descriptions; the code is in `actions/`."""

    source: S
    target: S
    action: str
    actor: Actor
    guards: str = ""
    effects: str = ""


def transitions(table: Mapping[tuple[tuple[S, ...], S, str, Actor], tuple[str, str]]) -> tuple[Transition[S], ...]:
    """The transitions of a table: (sources, target, action, actor), each with its guards and its effects."""
    return tuple(
        Transition(source, target, action, actor, guards, effects)
        for (sources, target, action, actor), (guards, effects) in table.items()
        for source in sources
    )


def transitions_from(source: S, table: tuple[Transition[S], ...]) -> tuple[Transition[S], ...]:
    """The transitions from `source`, in table order."""
    return tuple(step for step in table if step.source == source)


def possible_steps_text(thing: str, source: S, table: tuple[Transition[S], ...]) -> str:
    """A sentence for error messages that lists the steps possible in this state."""
    steps = transitions_from(source, table)
    if not steps:
        return f"This {thing} is {source.words} and stays so; file a new request instead."
    possible = "; ".join(f"{step.action.replace('_', ' ')} (to {step.target.words})" for step in steps)
    return f"Possible now: {possible}."
