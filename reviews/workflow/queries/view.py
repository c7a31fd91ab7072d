"""Everything there is to know of a request, for the person who asks: what page and API both show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from governance.inventory.models import ModelVersion
from governance.people.domain.roles import Person
from governance.people.queries import people
from governance.rulebook.domain.policy_diff import Change
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from reviews.authorizations.models import Decision
from reviews.authorizations.queries.re_reviews import ReReviewView, causes_of
from reviews.evidence.queries import projections
from reviews.evidence.queries.projections import ProjectionView
from reviews.packets.domain.packet import VoteRow
from reviews.packets.domain.packet_evidence import DeterminationPart
from reviews.packets.domain.packet_trail import AuditRow
from reviews.packets.queries import packet_parts
from reviews.requests.domain.lifecycle import State
from reviews.requests.models import ReviewRequest
from reviews.voting.queries.electorate import electorate_of
from reviews.voting.queries.readiness import Obstacle, obstacles
from reviews.voting.queries.revision_changes import since_last_revision
from reviews.workflow.queries import view_course as course
from reviews.workflow.queries import view_evidence as evidence
from reviews.workflow.queries.possible import Possible, steps
from reviews.workflow.queries.view_budget import BudgetView, budget_views
from reviews.workflow.queries.view_course import (
    AuthorisationView,
    DecisionView,
    PacketView,
    StageView,
    TicketView,
    WaiverView,
)
from reviews.workflow.queries.view_evidence import FactView, ItemView, RunEntry


@dataclass(frozen=True)
class PersonView:
    """Somebody, by name and user name."""

    name: str
    username: str


@dataclass(frozen=True, kw_only=True)
class ModelView:
    """The artifact under review."""

    version_id: int
    name: str
    team: str
    slug: str
    version: str
    tier: str
    digest: str
    format: str
    size_bytes: int | None
    uri: str
    is_stored: bool


@dataclass(frozen=True, kw_only=True)
class DatasetView:
    """The evaluation data."""

    name: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class RulebookView:
    """Which version of a policy or a checklist the request is judged by."""

    id: int
    name: str
    number: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class RevisionView:
    """A frozen revision."""

    number: int
    digest: str
    frozen_at: datetime


@dataclass(frozen=True, kw_only=True)
class RequestView:
    """A request as one person sees it at one moment. `possible` names the steps: edit, submit, evidence (figures and
    contradictions), answer (checklist), request_review, vote, revise, withdraw, packet, waive."""

    ref: str
    title: str
    state: str
    state_meaning: str
    state_owner: str
    outcome: str
    team: str
    team_name: str
    requester: PersonView
    owner: PersonView
    model: ModelView
    dataset: DatasetView | None
    rivals: tuple[ModelView, ...]
    purpose: str
    environment: str
    business_case: str
    again_because: tuple[ReReviewView, ...]
    revision: int
    created_at: datetime
    submitted_at: datetime | None
    deadline_at: datetime | None
    policy: RulebookView | None
    checklist_version: RulebookView | None
    determination: DeterminationPart | None
    determinations: tuple[DeterminationPart, ...]
    waivers: tuple[WaiverView, ...]
    facts: tuple[FactView, ...]
    checklist: tuple[ItemView, ...]
    projections: tuple[ProjectionView, ...]
    runs: tuple[RunEntry, ...]
    revisions: tuple[RevisionView, ...]
    changes: tuple[Change, ...]
    stages: tuple[StageView, ...]
    votes: tuple[VoteRow, ...]
    budget: tuple[BudgetView, ...]
    ticket: TicketView | None
    packets: tuple[PacketView, ...]
    decision: DecisionView | None
    authorisation: AuthorisationView | None
    events: tuple[AuditRow, ...]
    obstacles: tuple[Obstacle, ...]
    possible: Mapping[str, Possible]

    @property
    def open_stage(self) -> StageView | None:
        """The stage that votes now."""
        return next((stage for stage in self.stages if stage.is_open), None)

    @property
    def unexplained_count(self) -> int:
        """How many contradicted claims still wait for an explanation."""
        return sum(not fact.answer for fact in self.contradicted)

    @property
    def contradicted(self) -> tuple[FactView, ...]:
        """The facts whose claim a measurement contradicts."""
        return tuple(fact for fact in self.facts if fact.contradiction)

    @property
    def answered_count(self) -> int:
        """How many checklist items are complete."""
        return sum(item.is_complete for item in self.checklist)


def describe(*, request: ReviewRequest, person: Person, now: datetime) -> RequestView:
    """The request as this person sees it now; that they may see it has been asked before (`queries.requests.find`)."""
    decision = Decision.objects.filter(request=request).select_related("decided_by").first()
    electorate = electorate_of(request)
    determinations = course.determination_views(request)
    open_points = obstacles(request, now=now) if request.state == State.EVIDENCE else ()
    trail = packet_parts.audit_part(request)
    return RequestView(
        ref=request.ref,
        title=request.title,
        state=request.state,
        state_meaning=State(request.state).meaning,
        state_owner=State(request.state).owner.value,
        outcome=decision.outcome if decision else "",
        team=request.team.slug,
        team_name=request.team.name,
        requester=_person(request.requester),
        owner=_person(request.model_version.asset.owner),
        model=_model(request.model_version),
        dataset=_dataset(request),
        rivals=tuple(_model(row) for row in request.rivals.select_related("asset__team").order_by("pk")),
        purpose=request.purpose,
        environment=request.environment,
        business_case=request.business_case,
        again_because=causes_of(request),
        revision=request.revision,
        created_at=request.created_at,
        submitted_at=request.submitted_at,
        deadline_at=request.deadline_at,
        policy=_rulebook(request.policy),
        checklist_version=_rulebook(request.checklist),
        determination=determinations[0] if determinations else None,
        determinations=determinations,
        waivers=course.waiver_views(request, now=now),
        facts=evidence.fact_views(request, now=now),
        checklist=evidence.item_views(request, now=now),
        projections=projections.views(request),
        runs=evidence.run_entries(request, person=person),
        revisions=_revisions(request),
        changes=since_last_revision(request),
        stages=course.stage_views(request=request, electorate=electorate),
        votes=course.vote_views(electorate),
        budget=budget_views(request=request, decision=decision, now=now),
        ticket=course.ticket_view(request),
        packets=course.packet_views(request, person=person),
        decision=course.decision_view(decision),
        authorisation=course.authorisation_view(request=request, decision=decision, person=person, now=now),
        events=tuple(reversed(trail.rows)) if trail else (),
        obstacles=open_points,
        possible=steps(request=request, person=person, electorate=electorate, obstacles=open_points),
    )


def _person(user: User) -> PersonView:
    return PersonView(people.name_of(user), user.username)


def _model(version: ModelVersion) -> ModelView:
    return ModelView(
        version_id=version.pk,
        name=version.asset.name,
        team=version.asset.team.slug,
        slug=version.asset.slug,
        version=version.version,
        tier=version.asset.tier,
        digest=version.digest,
        format=version.format,
        size_bytes=version.size_bytes,
        uri=version.uri,
        is_stored=bool(version.stored_as),
    )


def _dataset(request: ReviewRequest) -> DatasetView | None:
    row = request.dataset
    return DatasetView(name=row.name, digest=row.digest, size_bytes=row.size_bytes) if row else None


def _rulebook(row: PolicyVersion | ChecklistVersion | None) -> RulebookView | None:
    return RulebookView(id=row.pk, name=row.name, number=row.number, digest=row.digest) if row else None


def _revisions(request: ReviewRequest) -> tuple[RevisionView, ...]:
    rows = request.revisions.order_by("-number")
    return tuple(RevisionView(number=row.number, digest=row.digest, frozen_at=row.frozen_at) for row in rows)
