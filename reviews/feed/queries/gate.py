"""The gate: may this artifact run in this environment? The latest entry of the feed decides."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.people.domain.roles import Person
from governance.people.queries.people import gate_keeps_s
from governance.people.rules import sees_everything
from governance.site.domain.memory import Kept
from reviews.authorizations.domain.standing import Standing
from reviews.authorizations.queries.standing import artifact_records, reason_for, reason_unseen, refs_seen
from reviews.feed.models import FeedEntry
from reviews.feed.queries.entries import latest
from reviews.feed.queries.heads import answer_head, signed_summary
from reviews.requests.queries.requests import visible_to

UNKNOWN = "No request was ever filed for an artifact with this digest and environment."
REASONS_MAX = 5
SPAN_S, KEPT_ENTRIES_MAX = 3_600.0, 4_096


@dataclass(frozen=True)
class GateDecision:
    """The answer (`allow` or `deny`) with the standing of the artifact, its reasons, and the signed statements.

    `summary` is the signed, short-lived answer itself. A person who may not see a request learns of its standing, but
    not its reference, its authorization or its statement.
    """

    answer: str
    standing: str
    reasons: tuple[str, ...]
    authorization: str
    request: str
    expires_at: datetime | None
    statement: dict[str, Any] | None
    summary: dict[str, Any]


def decide(*, digest: str, environment: str, person: Person, now: datetime) -> GateDecision:
    """The answer for the artifact from the latest entry of the feed. Only a denial reads the records, for reasons."""
    head = answer_head(now)
    entry = _entry_under(head.root, head.size, digest, environment)
    summary = signed_summary(head, entry=entry, digest=digest, environment=environment)
    if entry is not None and entry.allowed_until is not None and now < entry.allowed_until:
        return _allowed(entry, person, summary)
    found = artifact_records(digest=digest, environment=environment, now=now).standing
    seen = refs_seen(found.records, person=person)
    reasons = tuple(reason_for(row, seen=seen) for row in found.records[:REASONS_MAX])
    reasons = reasons or _hints(digest, environment, person) or (UNKNOWN,)
    return GateDecision("deny", found.standing, reasons, "", "", None, None, summary)


def _latest_under(root: str, size: int, digest: str, environment: str) -> FeedEntry | None:
    """The latest entry of the artifact in the feed with this root, which fixes all entries."""
    return latest(digest=digest, environment=environment, size=size)


def _is_seen(person: Person, request_id: int) -> bool:
    return sees_everything(person) or visible_to(person).filter(pk=request_id).exists()


_entry_under = Kept(_latest_under, seconds=lambda: gate_keeps_s() and SPAN_S, most=KEPT_ENTRIES_MAX)
_kept_is_seen = Kept(_is_seen, seconds=gate_keeps_s, most=KEPT_ENTRIES_MAX)


def _allowed(entry: FeedEntry, person: Person, summary: dict[str, Any]) -> GateDecision:
    request, standing = entry.request, Standing(entry.standing)
    if request is None or not _kept_is_seen(person, request.pk):
        reasons = (reason_unseen(standing),)
        return GateDecision("allow", standing, reasons, "", "", entry.allowed_until, None, summary)
    held = request.decision.authorization if standing is not Standing.CLEARED else None
    reasons = (f"{held.number if held else request.ref} {entry.reason}.",)
    return GateDecision(
        answer="allow",
        standing=standing,
        reasons=reasons,
        authorization=held.number if held else "",
        request=request.ref,
        expires_at=entry.allowed_until,
        statement=held.envelope if held else None,
        summary=summary,
    )


def _hints(digest: str, environment: str, person: Person) -> tuple[str, ...]:
    """What a person sees of the artifact that gives it no standing here: drafts, ended clearances, other places."""
    rows = visible_to(person).filter(model_version__digest=digest).order_by("-pk")[:REASONS_MAX]
    return tuple(
        f"{row.ref} is {row.state.replace('_', ' ')}."
        if row.environment == environment
        else f"{row.ref} is for {row.environment}, not for {environment}."
        for row in rows
    )
