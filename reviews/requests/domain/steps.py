"""The parts of transition tables: actors, states, transitions, and a text that lists the possible steps."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar


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
