"""The outcome of the votes on a revision, and the progress of its stages."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from governance.rulebook.domain.stages import Stage
    from reviews.voting.domain.electorate import Ballot


class VotingOutcome(StrEnum):
    """The outcome of the votes on one revision."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes_requested"

    @property
    def words(self) -> str:
        """The name as used in sentences."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """The progress of a stage. `needed` is the number of approvals still missing."""

    stage: "Stage"
    approvals: "tuple[Ballot, ...]"
    needed: int

    @property
    def is_complete(self) -> bool:
        """Whether no approval is missing."""
        return self.needed == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of the voting on one revision. `open_stages` is empty when the outcome is final."""

    open_stages: tuple["Stage", ...]
    stages: tuple[StageProgress, ...]
    outcome: VotingOutcome
