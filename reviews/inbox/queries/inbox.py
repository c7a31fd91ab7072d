"""The inbox of a person: votes, own requests, reviews, action items, conditions, authorizations, changes, failures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, QuerySet

from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.approvals.models import Change
from governance.people.approvals.queries import confirmable_by, proposed_by, waits_for
from governance.people.domain.roles import Person
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import name_of
from governance.people.rules import may_operate
from reviews.authorizations.domain.authorization_states import AuthorizationState
from reviews.authorizations.models import Authorization, Condition
from reviews.authorizations.queries.re_reviews import first_cause
from reviews.authorizations.rules import may_confirm_condition
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.inbox.queries.reminders import ReminderLine, reminders_of
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries.cycles import ActionView, open_action_items
from reviews.quarterly.rules import may_lead_meeting
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.domain.transition_types import Actor
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import owned_by, parties_of, visible_to
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.snapshots.queries.voting_rights import voting_rights_of
from reviews.voting.queries.review_blockers import review_blockers

WAITING_FOR_REQUESTER = tuple(state for state in RequestState if state.owner is Actor.REQUESTER)
ENDING = (AuthorizationState.PENDING_EXPIRATION, AuthorizationState.SUSPENDED)
CYCLE_TODO = {
    CycleState.COLLECTING: "Collect the metric values before the cut-off, and check the agenda.",
    CycleState.FROZEN: "Read the packet, then open the meeting.",
    CycleState.HELD: "Decide the remaining agenda items, then close the meeting.",
}
STUCK = (JobState.DEAD, JobState.PAUSED)


@dataclass(frozen=True, kw_only=True)
class RequestLine:
    """A request in the inbox: its next step, as a sentence, and since when it waits."""

    ref: str
    title: str
    team: str
    model: str
    requester: str
    state: str
    todo: str
    since: datetime
    lapses_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ConditionLine:
    """An unmet condition. If `is_mine`, this person must meet it; otherwise they may confirm it."""

    ref: str
    authorization: str
    text: str
    owner: str
    due_on: date
    is_overdue: bool
    is_mine: bool


@dataclass(frozen=True, kw_only=True)
class AuthorizationLine:
    """An authorization that expires soon or is suspended, so that its owner must act."""

    ref: str
    number: str
    model: str
    environment: str
    state: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class ChangeLine:
    """A change that takes two people. `waits_for` says who can confirm it."""

    id: int
    ref: str
    description: str
    proposed_by: str
    waits_for: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class CycleLine:
    """A quarterly review this person may lead: its next step, as a sentence."""

    quarter: str
    state: str
    todo: str
    cut_off_at: datetime


@dataclass(frozen=True)
class StuckLine:
    """Outbox messages of one kind that failed for the same reason and need an operator."""

    kind: str
    state: str
    reason: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The inbox of one person. Each list starts with the most urgent entry."""

    reminders: tuple[ReminderLine, ...]
    to_vote: tuple[RequestLine, ...]
    waiting_for_me: tuple[RequestLine, ...]
    waiting_on_others: tuple[RequestLine, ...]
    cycles: tuple[CycleLine, ...]
    actions: tuple[ActionView, ...]
    changes: tuple[ChangeLine, ...]
    proposed: tuple[ChangeLine, ...]
    conditions: tuple[ConditionLine, ...]
    authorizations: tuple[AuthorizationLine, ...]
    stuck: tuple[StuckLine, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing needs this person. Requests and changes that wait on others do not count."""
        own = (self.to_vote, self.waiting_for_me, self.cycles, self.actions, self.conditions, self.authorizations)
        return not any((*own, self.reminders, self.changes, self.stuck))


def inbox_of(*, person: Person, now: datetime) -> Inbox:
    """The inbox of this person now."""
    own = visible_to(person).filter(owned_by(person))
    return Inbox(
        reminders=reminders_of(person, now=now),
        to_vote=tuple(_to_vote(person, now)),
        waiting_for_me=tuple(_waiting_for_me(own.filter(state__in=WAITING_FOR_REQUESTER), now)),
        waiting_on_others=tuple(_waiting_on_others(own.filter(state=RequestState.IN_REVIEW), now)),
        cycles=tuple(_cycles()) if may_lead_meeting(person) else (),
        actions=open_action_items(person, now=now),
        changes=tuple(map(_change_line, confirmable_by(person))),
        proposed=tuple(map(_change_line, proposed_by(person))),
        conditions=tuple(_conditions(person, now)),
        authorizations=tuple(_authorizations(own)),
        stuck=tuple(_stuck()) if may_operate(person) else (),
    )


def _change_line(row: Change) -> ChangeLine:
    return copy_of(row, ChangeLine, ref=str(row), proposed_by=name_of(row.proposed_by), waits_for=waits_for(row))


def _cycles() -> Iterable[CycleLine]:
    for row in ReviewCycle.objects.filter(state__in=list(CYCLE_TODO)).order_by("quarter"):
        state = CycleState(row.state)
        yield CycleLine(quarter=row.quarter, state=state, todo=CYCLE_TODO[state], cut_off_at=row.cut_off_at)


def _to_vote(person: Person, now: datetime) -> Iterable[RequestLine]:
    rows = visible_to(person).filter(state=RequestState.IN_REVIEW).exclude(owned_by(person))
    for request in rows.select_related("policy").order_by("deadline_at", "pk"):
        for right in voting_rights_of(snapshot_of(request, now=now), person=person)[:1]:
            whose = f"Your vote in the place of {right.deputyship.absent.name}" if right.deputyship else "Your vote"
            yield _line(request, f"{whose}: {right.stage.title}.", _frozen_at(request))


def _waiting_for_me(rows: QuerySet[ReviewRequest], now: datetime) -> Iterable[RequestLine]:
    for request in rows.select_related("policy", "checklist", "dataset").order_by("deadline_at", "pk"):
        yield _line(request, _todo(request, now), request.submitted_at or request.created_at)


def _waiting_on_others(rows: QuerySet[ReviewRequest], now: datetime) -> Iterable[RequestLine]:
    for request in rows.select_related("policy").order_by("deadline_at", "pk"):
        yield _line(request, _awaited_votes(request, now), _frozen_at(request))


def _todo(request: ReviewRequest, now: datetime) -> str:
    if request.state == RequestState.DRAFT:
        cause = first_cause(request)
        if cause:
            return f"{cause} requires a new review: state the current metric values and submit the draft."
        return "Finish the draft and submit it."
    if request.state == RequestState.CHANGES_REQUESTED:
        return "A reviewer asked for changes: open the next revision."
    blockers = review_blockers(EvidenceSnapshot(request, now))
    if not blockers:
        return "Nothing is missing: request the review."
    more = f" And {len(blockers) - 1} more." if len(blockers) > 1 else ""
    return f"{blockers[0].reason}{more}"


def _awaited_votes(request: ReviewRequest, now: datetime) -> str:
    progress = snapshot_of(request, now=now).electorate.progress
    for row in progress.stages:
        if row.stage in progress.open_stages:
            votes = "vote" if row.needed == 1 else "votes"
            return f"{row.stage.title}: waiting for {row.needed} {votes} of a {row.stage.role.label.lower()}."
    return "The votes are complete."


def _frozen_at(request: ReviewRequest) -> datetime:
    last = request.revisions.order_by("-number").values_list("frozen_at", flat=True).first()
    return last or request.created_at


def _line(request: ReviewRequest, todo: str, since: datetime) -> RequestLine:
    return copy_of(
        request,
        RequestLine,
        team=request.team.name,
        model=str(request.model_version),
        requester=name_of(request.requester),
        todo=todo,
        since=since,
    )


def _conditions(person: Person, now: datetime) -> Iterable[ConditionLine]:
    """The unmet conditions that this person must meet or may confirm."""
    rows = Condition.objects.filter(met_at=None, lifted_at=None, carried_to=None).exclude(
        authorization__state__in=[AuthorizationState.REVOKED, AuthorizationState.EXPIRED, AuthorizationState.SUPERSEDED]
    )
    own_teams = team_slugs_of(person, now=now)
    for row in rows.select_related("owner", "authorization__decision__request__team").order_by("due_on", "pk"):
        request = row.authorization.decision.request
        is_mine = row.owner_id == person.id
        if is_mine or may_confirm_condition(
            person, parties_of(request), owner_id=row.owner_id, own_teams=lambda _: own_teams
        ):
            yield copy_of(
                row,
                ConditionLine,
                ref=request.ref,
                authorization=row.authorization.number,
                owner=name_of(row.owner),
                is_overdue=row.due_on < now.date(),
                is_mine=is_mine,
            )


def _authorizations(own: QuerySet[ReviewRequest]) -> Iterable[AuthorizationLine]:
    rows = Authorization.objects.filter(decision__request__in=own, state__in=ENDING)
    for row in rows.select_related("decision__request__model_version__asset").order_by("expires_at", "pk"):
        request = row.decision.request
        yield copy_of(row, AuthorizationLine, ref=request.ref, model=str(request.model_version))


def _stuck() -> Iterable[StuckLine]:
    rows = OutboxMessage.objects.filter(state__in=STUCK).values("kind", "state", "error")
    for row in rows.annotate(count=Count("pk")).order_by("-count", "kind"):
        yield StuckLine(row["kind"], row["state"], row["error"], row["count"])
