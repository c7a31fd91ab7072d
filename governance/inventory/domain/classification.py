"""The classification of a model, by which its policy is chosen: its tier and its task."""

from collections.abc import Iterable
from dataclasses import dataclass

TIERS = ("T1", "T2", "T3")
"""The strictest first."""


@dataclass(frozen=True)
class Classification:
    """The tier and the task of a model."""

    tier: str
    task: str

    @property
    def words(self) -> str:
        """The classification in sentences."""
        return f"{self.tier}, {self.task}"


def strictest_tier(tiers: Iterable[str]) -> str:
    """The strictest of the tiers, of which there is at least one."""
    return min(tiers, key=TIERS.index)


def at_once(present: Classification, wanted: Classification) -> Classification:
    """The part of a change that needs no second person: a stricter tier."""
    return Classification(strictest_tier((present.tier, wanted.tier)), present.task)
