"""What a transition table is made of: actors, steps, and the sentence that says what is possible now."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar


class Actor(StrEnum):
    """Who owns a state or takes a step. The system is an actor: what it does is logged under its own name."""

    REQUESTER = "requester"
    REVIEWER = "reviewer"
    PLATFORM_LEAD = "platform_lead"
    CHAIR = "chair"
    OWNER = "owner"
    SYSTEM = "system"

    @property
    def words(self) -> str:
        """How a sentence names it."""
        return self.value.replace("_", " ")


class Named(StrEnum):
    """A state that sentences can name."""

    @property
    def words(self) -> str:
        """How a sentence names it."""
        return self.value.replace("_", " ")


S = TypeVar("S", bound=Named)


@dataclass(frozen=True, slots=True)
class Transition(Generic[S]):
    """One permitted step. Guards and effects are words: the code behind them lives in `actions/`."""

    source: S
    target: S
    action: str
    actor: Actor
    guards: str = ""
    effects: str = ""


def leaving(source: S, table: tuple[Transition[S], ...]) -> tuple[Transition[S], ...]:
    """Every step out of `source`, in table order."""
    return tuple(step for step in table if step.source == source)


def possible_now(thing: str, source: S, table: tuple[Transition[S], ...]) -> str:
    """The sentence that tells a refused person what they can do instead."""
    steps = leaving(source, table)
    if not steps:
        return f"This {thing} is {source.words} and stays so; file a new request instead."
    possible = "; ".join(f"{step.action.replace('_', ' ')} (to {step.target.words})" for step in steps)
    return f"Possible now: {possible}."
