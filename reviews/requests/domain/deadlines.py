"""When a request lapses: at its deadline, or after a grace period if reviewers did not act.

The policy states the days of grace. Grace authorizes nothing: the request stays in the state it is in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reviews.requests.domain.lifecycle import RequestState
from weighbridge.core.errors import Invalid

EXTENSION_DAYS_MAX = 30
WITH_REVIEWERS = frozenset({RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED})
WITH_DEADLINE = frozenset({RequestState.EVIDENCE, *WITH_REVIEWERS})
"""The states from which a request expires because nobody acted."""


@dataclass(frozen=True)
class Deadline:
    """The deadline of a request, and the end of the grace after it; they are equal without grace."""

    at: datetime
    grace_ends_at: datetime

    def lapses_at(self, state: RequestState, *, revision: int) -> datetime:
        """When a request in this state lapses.

        The grace is for a request that was in review. One whose requester never asked for the review has none.
        """
        has_grace = state in WITH_REVIEWERS or (state is RequestState.EVIDENCE and revision > 1)
        return self.grace_ends_at if has_grace else self.at

    def extended(self, *, days: int, now: datetime) -> "Deadline":
        """The deadline some days later, counted from now if it has passed; the grace stays as long as it was.

        Raises Invalid unless the days are 1 to 30.
        """
        if not 1 <= days <= EXTENSION_DAYS_MAX:
            raise Invalid(f"A deadline can be extended by 1 to {EXTENSION_DAYS_MAX} days.", field="days")
        at = max(self.at, now) + timedelta(days=days)
        return Deadline(at, at + (self.grace_ends_at - self.at))


def deadline_of(now: datetime, *, days: int, grace_days: int = 0) -> Deadline:
    """The deadline so many days after now."""
    at = now + timedelta(days=days)
    return Deadline(at, at + timedelta(days=grace_days))
