"""Everything that the requests and authorizations of all teams say of one artifact in one environment."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.authorizations.domain.standing import (
    DENIED_BY_PEOPLE,
    ArtifactStanding,
    Standing,
    StandingRecord,
    artifact_standing,
    reviewed_before,
)
from reviews.authorizations.models import Authorization, Condition
from reviews.requests.domain.lifecycle import OPEN_STATES, RequestState
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import visible_to

ENDED = {
    AuthorizationState.REVOKED: Standing.REVOKED,
    AuthorizationState.SUSPENDED: Standing.SUSPENDED,
    AuthorizationState.EXPIRED: Standing.EXPIRED,
}


DENYING_PARTS = DENIED_BY_PEOPLE | {Standing.UNDER_REVIEW, Standing.REVIEW_LOST}
"""The standings of a part that deny the whole: what people denied, and what a mandatory review has not approved."""


@dataclass(frozen=True)
class _OwnRecords:
    """The records of one digest alone, with its requests."""

    requests: tuple[ReviewRequest, ...]
    records: tuple[StandingRecord, ...]
    conditions: tuple[Condition, ...]
    settled: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class ArtifactRecords:
    """The records of an artifact in an environment, all their conditions, and the denials that approvals settled."""

    records: tuple[StandingRecord, ...]
    conditions: tuple[Condition, ...]
    settled: frozenset[tuple[str, str]]

    @property
    def standing(self) -> ArtifactStanding:
        """The standing that follows from the records."""
        return artifact_standing(self.records, settled=self.settled)

    @property
    def open_conditions(self) -> tuple[Condition, ...]:
        """The conditions that are neither met nor lifted nor carried over, the earliest due date first."""
        return tuple(row for row in self.conditions if row.is_open)

    def of_others(self, request: ReviewRequest) -> tuple[StandingRecord, ...]:
        """The records that are not of this request."""
        return tuple(row for row in self.records if row.request != request.ref)


def artifact_records(*, digest: str, environment: str, now: datetime) -> ArtifactRecords:
    """The records of the artifact and, if it consists of parts, those that deny one of its parts.

    An artifact without parts takes one query for the requests and one for the conditions.
    """
    own = _own_records(digest, environment, now)
    parts = sorted({part for row in own.requests for part in row.model_version.contained})
    denying = _denying(parts, environment, now) if parts else ()
    return ArtifactRecords((*own.records, *denying), own.conditions, own.settled)


def is_reviewed_before(request: ReviewRequest, *, now: datetime) -> bool:
    """Whether any team's request for the artifact came under mandatory review in this environment."""
    records = artifact_records(digest=request.model_version.digest, environment=request.environment, now=now)
    return bool(reviewed_before(records.of_others(request)))


def _denying(parts: Sequence[str], environment: str, now: datetime) -> Iterator[StandingRecord]:
    """The records that deny a part: a part that may not run alone may not run inside another artifact."""
    filed = ReviewRequest.objects.filter(model_version__digest__in=parts, environment=environment)
    for digest in sorted(set(filed.exclude(state=RequestState.DRAFT).values_list("model_version__digest", flat=True))):
        part = _own_records(digest, environment, now)
        standing = artifact_standing(part.records, settled=part.settled)
        if standing.standing in DENYING_PARTS:
            for row in standing.records:
                yield replace(row, reason=f"{row.reason}; it is about a part of this artifact", is_of_part=True)


def _own_records(digest: str, environment: str, now: datetime) -> _OwnRecords:
    rows = ReviewRequest.objects.filter(model_version__digest=digest, environment=environment).order_by("pk")
    rows = rows.exclude(state=RequestState.DRAFT)
    rows = rows.select_related("policy", "model_version", "decision__authorization")
    rows = rows.defer("policy__source", "business_case", "model_version__document", "decision__authorization__envelope")
    decisions = [row.decision for row in rows if hasattr(row, "decision")]
    authorizations = [one.authorization for one in decisions if hasattr(one, "authorization")]
    conditions = _conditions(authorizations)
    records = [
        *(
            _of_authorization(row, [one for one in conditions if one.authorization_id == row.pk], now)
            for row in authorizations
        ),
        *(_of_request(row, now) for row in rows),
    ]
    settled = frozenset((name, standing) for decision in decisions for name, standing in decision.settles)
    return _OwnRecords(tuple(rows), tuple(row for row in records if row is not None), conditions, settled)


def _conditions(authorizations: Sequence[Authorization]) -> tuple[Condition, ...]:
    if not authorizations:
        return ()
    rows = Condition.objects.filter(authorization__in=authorizations).order_by("due_on", "pk")
    people = ("owner", "set_by", "met_by", "lifted_by")
    return tuple(rows.select_related("authorization", "carried_to__authorization", *people))


def refs_seen(records: Sequence[StandingRecord], *, person: Person, own: str = "") -> frozenset[str]:
    """The requests of the records that the person may see; `own` is a request that the person sees already."""
    refs = frozenset(row.request for row in records)
    if refs <= {own} or sees_everything(person):
        return refs
    return frozenset({own, *visible_to(person).filter(ref__in=refs).values_list("ref", flat=True)})


def reason_for(record: StandingRecord, *, seen: Collection[str]) -> str:
    """The reason as a sentence; without the reference of a request that is not in `seen`."""
    if record.request in seen:
        return f"{record.name} {record.reason}."
    return reason_unseen(record.standing)


def reason_unseen(standing: Standing) -> str:
    """The reason for a person who may not see the decisive request."""
    return f"A request of another team is decisive: this artifact is {standing.words}."


def _of_authorization(row: Authorization, conditions: Sequence[Condition], now: datetime) -> StandingRecord | None:
    state, open_rows = AuthorizationState(row.state), [one for one in conditions if one.is_open]
    standing = ENDED.get(state)
    if state in IN_FORCE:
        standing = Standing.CONDITIONAL if open_rows else Standing.AUTHORIZED
        if any(condition.due_on < now.date() for condition in open_rows):
            standing = Standing.SUSPENDED
        if row.denied_until is not None and row.denied_until > now:
            standing = Standing.SUSPENDED
    if row.expires_at <= now and standing not in {Standing.REVOKED, None}:
        standing = Standing.EXPIRED
    if standing is None:
        return None
    request, until = row.decision.request.ref, f"{row.expires_at:%Y-%m-%d}"
    reason = f"is {standing.words}"
    if standing in {Standing.CONDITIONAL, Standing.AUTHORIZED}:
        reason = f"authorizes this artifact for {row.environment} until {until}"
    if standing is Standing.CONDITIONAL:
        reason += "; conditions: " + "; ".join(f"{one.text} (by {one.due_on})" for one in open_rows)
    if standing is Standing.SUSPENDED and row.denied_until is not None and row.denied_until > now:
        reason += f" until {row.denied_until:%Y-%m-%d}, because its usage is above its limit of the month"
    return StandingRecord(
        name=row.number,
        request=request,
        standing=standing,
        reason=reason,
        ends_at=row.expires_at,
        overdue_at=_overdue_at(open_rows),
    )


def _overdue_at(conditions: Sequence[Condition]) -> datetime | None:
    """The end of the earliest due date, in UTC; None without a condition."""
    days = [condition.due_on for condition in conditions]
    return datetime.combine(min(days) + timedelta(days=1), time(), UTC) if days else None


def _of_request(row: ReviewRequest, now: datetime) -> StandingRecord | None:
    state, decision = RequestState(row.state), getattr(row, "decision", None)
    standing, reason, ends_at = None, f"is {state.words}", None
    if decision is not None and decision.outcome == REJECTED:
        standing, reason = Standing.REJECTED, "was rejected"
    elif row.review_opened_at is not None and decision is None:
        standing = Standing.UNDER_REVIEW if state in OPEN_STATES else Standing.REVIEW_LOST
        reason += "; a review of this artifact is mandatory"
    elif state is RequestState.CLEARED and row.deadline_at is not None and row.deadline_at > now:
        standing, ends_at = Standing.CLEARED, row.deadline_at
        reason = f"was cleared: no rule of {row.policy} fired. Valid until {row.deadline_at:%Y-%m-%d}"
    if standing is None:
        return None
    return StandingRecord(name=row.ref, request=row.ref, standing=standing, reason=reason, ends_at=ends_at)
