"""What holds for the artifact of a request, for page and API: its standing, its authorization and the conditions."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.people.rules import sees_everything
from reviews.authorizations.models import Authorization, Condition
from reviews.authorizations.queries.re_reviews import ReReviewView, re_review_view
from reviews.authorizations.queries.standing import reason_for, refs_seen
from reviews.requests.domain.copies import copy_of
from reviews.requests.queries.requests import visible_to
from reviews.snapshots.queries.allowed_steps import (
    AllowedStep,
    allowed_step,
    check_can_confirm,
    check_can_lift,
    check_can_revoke,
)
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.workflow.queries.usage_limits import UsageLimits


@dataclass(frozen=True, kw_only=True)
class ConditionView:
    """A condition of the authorization."""

    id: int
    text: str
    owner: str
    due_on: date
    is_overdue: bool
    met_at: datetime | None
    met_by: str
    set_by: str
    lifted_at: datetime | None
    lifted_by: str
    carried_to: str
    confirm: AllowedStep
    lift: AllowedStep


@dataclass(frozen=True, kw_only=True)
class EarlierConditionView:
    """An open condition of an earlier authorization of the artifact. An approval carries it over, or lifts it."""

    id: int
    text: str
    owner: str
    due_on: date
    set_by: str
    authorization: str


@dataclass(frozen=True, kw_only=True)
class StandingView:
    """The standing of the artifact in the environment, by the requests of all teams, as the gate answers it."""

    standing: str
    is_allowed: bool
    reasons: tuple[str, ...]
    denials: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AuthorizationView:
    """The permission to run the artifact, with its limits of usage in a calendar month; None is no limit."""

    number: str
    state: str
    environment: str
    issued_at: datetime
    expires_at: datetime
    statement_digest: str
    tokens_per_month: int | None
    usd_per_month: Decimal | None
    conditions: tuple[ConditionView, ...]
    re_reviews: tuple[ReReviewView, ...]
    revoke: AllowedStep

    @property
    def limits(self) -> tuple[str, ...]:
        """The limits of usage in words."""
        return UsageLimits(self.tokens_per_month, self.usd_per_month).sentences


def standing_view(snapshot: RequestSnapshot, *, person: Person) -> StandingView | None:
    """The standing of the artifact, and the denials by other requests; None before submission."""
    if snapshot.request.policy is None:
        return None
    found = snapshot.artifact_records.standing
    seen = refs_seen((*found.records, *snapshot.denials), person=person, own=snapshot.request.ref)
    return StandingView(
        standing=found.standing.value,
        is_allowed=found.standing.is_allowed,
        reasons=tuple(reason_for(row, seen=seen) for row in found.records),
        denials=tuple(reason_for(row, seen=seen) for row in snapshot.denials),
    )


def earlier_condition_views(snapshot: RequestSnapshot, *, person: Person) -> tuple[EarlierConditionView, ...]:
    """The open conditions of earlier authorizations of the artifact, while the request is undecided.

    A person who may not see the other request reads its conditions, but not its number.
    """
    if snapshot.request.policy is None or snapshot.decision is not None:
        return ()
    return tuple(
        copy_of(
            row,
            EarlierConditionView,
            id=row.pk,
            owner=name_of(row.owner),
            set_by=name_of(row.set_by),
            authorization=_number_for(person, row.authorization),
        )
        for row in snapshot.earlier_conditions
    )


def authorization_view(snapshot: RequestSnapshot, *, person: Person) -> AuthorizationView | None:
    """The authorization that the approval issued, with its conditions, the earliest due date first."""
    row = snapshot.authorization
    if row is None:
        return None
    return copy_of(
        row,
        AuthorizationView,
        conditions=tuple(_condition_view(condition, snapshot, person) for condition in snapshot.conditions),
        re_reviews=tuple(re_review_view(again) for again in snapshot.re_reviews if again.authorization_id == row.pk),
        revoke=allowed_step(check_can_revoke, row, person=person),
    )


def _condition_view(row: Condition, snapshot: RequestSnapshot, person: Person) -> ConditionView:
    return copy_of(
        row,
        ConditionView,
        owner=name_of(row.owner),
        is_overdue=row.is_open and row.due_on < snapshot.now.date(),
        met_by=name_of(row.met_by) if row.met_by else "",
        set_by=name_of(row.set_by),
        lifted_by=name_of(row.lifted_by) if row.lifted_by else "",
        carried_to=_number_for(person, row.carried_to.authorization) if row.carried_to else "",
        confirm=allowed_step(check_can_confirm, snapshot, person=person, condition=row),
        lift=allowed_step(check_can_lift, snapshot, person=person, condition=row),
    )


def _number_for(person: Person, row: Authorization) -> str:
    is_seen = sees_everything(person) or visible_to(person).filter(decision__authorization=row).exists()
    return row.number if is_seen else "an authorization of another team"
