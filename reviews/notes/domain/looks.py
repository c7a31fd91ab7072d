"""A person's looks at a request. Looks that follow each other closely are one visit.

During a visit the changes since the visit before stay on the page, however often the page is opened.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

VISIT = timedelta(minutes=30)
POSITION_MAX = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look at a request: at which revision, when, and up to which event of the audit trail."""

    position: int
    revision: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Looks:
    """The latest look of a person, and the latest one of the visit before; None if there was no visit before."""

    latest: Look
    before: Look | None = None

    def reference(self, now: datetime) -> Look | None:
        """The look since which changes are shown now."""
        return self.before if now - self.latest.at <= VISIT else self.latest

    def next(self, look: Look) -> "Looks":
        """The looks after another one, which never goes back."""
        kept = replace(look, position=max(look.position, self.latest.position))
        return Looks(latest=kept, before=self.reference(look.at))

    def read(self, look: Look) -> "Looks":
        """The looks after the person marked everything up to there as read."""
        kept = self.next(look).latest
        return Looks(latest=kept, before=kept)


def looks_after(known: Looks | None, *, look: Look, is_read: bool) -> Looks:
    """The looks of a person after one more; `is_read` says that they marked everything as read."""
    if known is None:
        return Looks(latest=look, before=look if is_read else None)
    return known.read(look) if is_read else known.next(look)
