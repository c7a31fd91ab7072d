"""The latest entry of an artifact in an environment, with what an answer of the gate says of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Any

from reviews.authorizations.domain.standing import Standing
from reviews.feed.models import FeedEntry
from weighbridge.client.feed.entries import Entry, instant_text

CHUNK = 5_000
COLUMNS = (
    *("position", "standing", "allowed_until", "reason", "request_id"),
    *("request__ref", "request__team__slug", "request__requester_id", "request__policy__digest"),
    "request__decision__authorization__number",
)
ENVELOPE = "request__decision__authorization__envelope"


@dataclass(frozen=True, slots=True)
class LatestEntry:
    """An entry and the request that gives its standing; the fields of the request are empty where nothing is allowed.

    `authorization` is empty for a standing without one. A web process keeps one for each artifact: equal texts are
    stored once.
    """

    position: int
    standing: str
    allowed_until: datetime | None
    reason: str
    request_id: int
    request: str
    team: str
    requester_id: int
    policy_digest: str
    authorization: str

    def allows(self, now: datetime) -> bool:
        """Whether the artifact may run at `now`."""
        return self.allowed_until is not None and now < self.allowed_until

    def published(self, digest: str, environment: str) -> Entry:
        """The entry without its time, for an answer about this artifact."""
        until = instant_text(self.allowed_until) if self.allowed_until else None
        return Entry(self.position, digest, environment, self.standing, until, "")


def latest(
    *, digest: str, environment: str, size: int | None = None
) -> tuple[LatestEntry, dict[str, Any] | None] | None:
    """The latest entry among the first `size`, and the signed statement of its authorization."""
    rows = FeedEntry.objects.filter(digest=digest, environment=environment).order_by("-position")
    rows = rows if size is None else rows.filter(position__lte=size)
    found = rows.values_list(*COLUMNS, ENVELOPE).first()
    return (_entry(found[:-1]), found[-1]) if found else None


def entries_between(*, after: int, size: int) -> Iterator[tuple[str, str, LatestEntry]]:
    """(digest, environment, entry) after a position, among the first `size`, in their order: a query for a few each."""
    for begin in range(after, size, CHUNK):
        rows = FeedEntry.objects.filter(position__gt=begin, position__lte=min(size, begin + CHUNK))
        for digest, environment, *columns in rows.order_by("position").values_list("digest", "environment", *COLUMNS):
            yield digest, environment, _entry(columns)


def _entry(columns: Any) -> LatestEntry:
    position, standing, until, reason, request_id, ref, team, requester_id, policy, number = columns
    return LatestEntry(
        position=position,
        standing=intern(standing),
        allowed_until=until,
        reason=intern(reason),
        request_id=request_id or 0,
        request=ref or "",
        team=intern(team or ""),
        requester_id=requester_id or 0,
        policy_digest=intern(policy or ""),
        authorization=number if number and standing != Standing.CLEARED else "",
    )
