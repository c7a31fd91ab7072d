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
from reviews.feed.queries.heads import answer_head, signed_summary
from reviews.feed.queries.latest import LatestEntry, latest
from reviews.requests.queries.requests import visible_to

UNKNOWN = "No request was ever filed for an artifact with this digest and environment."
REASONS_MAX = 5
SPAN_S, KEPT_ENTRIES_MAX = 3_600.0, 4_096


@dataclass(frozen=True)
class GateDecision:
    """The answer (`allow` or `deny`) with the standing of the artifact, its reasons, and the signed statements.

    `summary` is the signed, short-lived answer itself. A person who may not see a request learns of its standing, but
    not its reference, its authorization or its statement. The feed is that of `as_of` or later.
    """

    answer: str
    standing: str
    reasons: tuple[str, ...]
    authorization: str
    request: str
    expires_at: datetime | None
    statement: dict[str, Any] | None
    summary: dict[str, Any]
    as_of: datetime


def decide(*, digest: str, environment: str, person: Person, now: datetime) -> GateDecision:
    """The answer for the artifact from the latest entry of the feed. Only a denial reads the records, for reasons."""
    head = answer_head(now)
    entry, statement = _entry_under(head.root, head.size, digest, environment) or (None, None)
    summary = signed_summary(head, entry=entry, digest=digest, environment=environment)
    if entry is not None and entry.allows(now):
        is_seen = _kept_is_seen(person, entry.request_id)
        return allowed(entry, statement=statement, is_seen=is_seen, summary=summary, as_of=head.issued_at)
    found = artifact_records(digest=digest, environment=environment, now=now).standing
    seen = refs_seen(found.records, person=person)
    reasons = tuple(reason_for(row, seen=seen) for row in found.records[:REASONS_MAX])
    reasons = reasons or _hints(digest, environment, person) or (UNKNOWN,)
    return denied(found.standing, reasons=reasons, summary=summary, as_of=head.issued_at)


def allowed(
    entry: LatestEntry,
    *,
    statement: dict[str, Any] | None,
    is_seen: bool,
    summary: dict[str, Any],
    as_of: datetime,
) -> GateDecision:
    """The permission of an entry, for a person who may see the decisive request or not."""
    reason = f"{entry.authorization or entry.request} {entry.reason}."
    return GateDecision(
        answer="allow",
        standing=entry.standing,
        reasons=(reason if is_seen else reason_unseen(Standing(entry.standing)),),
        authorization=entry.authorization if is_seen else "",
        request=entry.request if is_seen else "",
        expires_at=entry.allowed_until,
        statement=statement if is_seen and entry.authorization else None,
        summary=summary,
        as_of=as_of,
    )


def denied(standing: str, *, reasons: tuple[str, ...], summary: dict[str, Any], as_of: datetime) -> GateDecision:
    """A denial with its reasons."""
    return GateDecision("deny", standing, reasons, "", "", None, None, summary, as_of)


def _latest_under(
    root: str, size: int, digest: str, environment: str
) -> tuple[LatestEntry, dict[str, Any] | None] | None:
    """The latest entry of the artifact in the feed with this root, which fixes all entries."""
    return latest(digest=digest, environment=environment, size=size)


def _is_seen(person: Person, request_id: int) -> bool:
    return sees_everything(person) or visible_to(person).filter(pk=request_id).exists()


_entry_under = Kept(_latest_under, seconds=lambda: gate_keeps_s() and SPAN_S, most=KEPT_ENTRIES_MAX)
_kept_is_seen = Kept(_is_seen, seconds=gate_keeps_s, most=KEPT_ENTRIES_MAX)


def _hints(digest: str, environment: str, person: Person) -> tuple[str, ...]:
    """What a person sees of the artifact that gives it no standing here: drafts, ended clearances, other places."""
    rows = visible_to(person).filter(model_version__digest=digest).order_by("-pk")[:REASONS_MAX]
    return tuple(
        f"{row.ref} is {row.state.replace('_', ' ')}."
        if row.environment == environment
        else f"{row.ref} is for {row.environment}, not for {environment}."
        for row in rows
    )
