"""The gate: may this artifact run in this environment?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.people.domain.roles import Person
from reviews.authorizations.domain.standing import Standing
from reviews.authorizations.models import Authorization
from reviews.authorizations.queries.standing import artifact_records, reason_for, refs_seen
from reviews.requests.queries.requests import visible_to

UNKNOWN = "No request was ever filed for an artifact with this digest and environment."
REASONS_MAX = 5


@dataclass(frozen=True)
class GateDecision:
    """The answer (`allow` or `deny`) with the standing of the artifact, its reasons, and the signed statement.

    A person who may not see a request learns of its standing, but not its reference, its authorization or its
    statement.
    """

    answer: str
    standing: str
    reasons: tuple[str, ...]
    authorization: str
    request: str
    expires_at: datetime | None
    statement: dict[str, Any] | None


def decide(*, digest: str, environment: str, person: Person, now: datetime) -> GateDecision:
    """The answer for the artifact from everything that is known of it, whoever filed it."""
    found = artifact_records(digest=digest, environment=environment, now=now).standing
    seen = refs_seen(found.records, person=person)
    reasons = tuple(reason_for(row, seen=seen) for row in found.records[:REASONS_MAX])
    if not found.standing.is_allowed:
        reasons = reasons or _hints(digest, environment, person) or (UNKNOWN,)
        return GateDecision("deny", found.standing, reasons, "", "", None, None)
    ends_at, first = found.records[0].ends_at, next((row for row in found.records if row.request in seen), None)
    if first is None:
        return GateDecision("allow", found.standing, reasons, "", "", ends_at, None)
    number = "" if found.standing is Standing.CLEARED else first.name
    statement = Authorization.objects.get(number=number).envelope if number else None
    return GateDecision("allow", found.standing, reasons, number, first.request, ends_at, statement)


def _hints(digest: str, environment: str, person: Person) -> tuple[str, ...]:
    """What a person sees of the artifact that gives it no standing here: drafts, ended clearances, other places."""
    rows = visible_to(person).filter(model_version__digest=digest).order_by("-pk")[:REASONS_MAX]
    return tuple(
        f"{row.ref} is {row.state.replace('_', ' ')}."
        if row.environment == environment
        else f"{row.ref} is for {row.environment}, not for {environment}."
        for row in rows
    )
