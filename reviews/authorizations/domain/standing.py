"""The standing of an artifact in an environment: one answer from everything that is known of it, by whichever team.

A decision of people stands until people decide otherwise. A rejection, a revocation and a suspension deny until an
approval whose voters saw them. An approval in force allows, also while a later review is open. Without an approval in
force, a mandatory review that is open or was lost denies, and a clearance by the policy cannot replace it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from reviews.requests.domain.transition_types import NamedState


class Standing(NamedState):
    """The standings of an artifact, strictest first."""

    REJECTED = "rejected"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    UNDER_REVIEW = "under_review"
    REVIEW_LOST = "review_lost"
    EXPIRED = "expired"
    CONDITIONAL = "conditional"
    AUTHORIZED = "authorized"
    CLEARED = "cleared"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """0 for the strictest."""
        return tuple(Standing).index(self)

    @property
    def is_allowed(self) -> bool:
        """Whether the gate lets the artifact pass."""
        return self in APPROVED or self is Standing.CLEARED


DENIED_BY_PEOPLE = frozenset({Standing.REJECTED, Standing.REVOKED, Standing.SUSPENDED})
APPROVED = frozenset({Standing.CONDITIONAL, Standing.AUTHORIZED})
_WITHOUT_APPROVAL = frozenset({Standing.UNDER_REVIEW, Standing.REVIEW_LOST, Standing.EXPIRED, Standing.CLEARED})


@dataclass(frozen=True, kw_only=True)
class StandingRecord:
    """What one request or one authorization says of the artifact.

    `name` is the reference of the request or the number of the authorization, `request` the reference of the request
    either belongs to. `ends_at` is the end of a permission, `overdue_at` the time at which it is suspended unless its
    conditions are met before. `reason` is a sentence that follows the name. A record `is_of_part` if it is about a part
    of the artifact.
    """

    name: str
    request: str
    standing: Standing
    reason: str
    ends_at: datetime | None = None
    overdue_at: datetime | None = None
    is_of_part: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The record as an approval names it: a later change of its standing is a new fact."""
        return self.name, self.standing.value


@dataclass(frozen=True)
class ArtifactStanding:
    """The standing of an artifact, and the records that give it: those of equal strictness, longest first."""

    standing: Standing
    records: tuple[StandingRecord, ...]

    @property
    def allowed_until(self) -> datetime | None:
        """When the permission ends if nobody does anything; None for a standing that denies."""
        if not self.standing.is_allowed:
            return None
        overdue = [row.overdue_at for row in self.records if row.overdue_at is not None]
        ends = [row.ends_at for row in self.records[:1] if row.ends_at is not None]
        return min([*overdue, *ends])


def artifact_standing(
    records: Sequence[StandingRecord], *, settled: Collection[tuple[str, str]] = ()
) -> ArtifactStanding:
    """The strictest standing that counts. `settled` are the keys of the denials that voters of an approval saw."""
    counting = [row for row in records if not (row.standing in DENIED_BY_PEOPLE and row.key in settled)]
    if any(row.standing in APPROVED for row in counting):
        counting = [row for row in counting if row.standing not in _WITHOUT_APPROVAL]
    standing = min((row.standing for row in counting), key=lambda one: one.rank, default=Standing.UNKNOWN)
    giving = [row for row in counting if row.standing is standing]
    return ArtifactStanding(standing, tuple(sorted(giving, key=_end, reverse=True)))


def denials(records: Sequence[StandingRecord]) -> tuple[StandingRecord, ...]:
    """The records that an approval settles if its voters saw them."""
    return tuple(row for row in records if row.standing in DENIED_BY_PEOPLE)


def reviewed_before(records: Sequence[StandingRecord]) -> tuple[StandingRecord, ...]:
    """The records that make the review of a further request mandatory: every one but a clearance, settled or not."""
    return tuple(row for row in records if row.standing is not Standing.CLEARED)


def _end(record: StandingRecord) -> float:
    return record.ends_at.timestamp() if record.ends_at is not None else 0.0
