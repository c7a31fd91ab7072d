"""Everything there is to know of a request, for the person who asks: what page and API both show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from benchmarking.runs.models import Dataset
from governance.budgets.queries.effects import BudgetEffect
from governance.inventory.models import ModelVersion
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.rulebook.domain.policy_diff import Change
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from reviews.authorizations.queries.re_reviews import ReReviewView, re_review_view
from reviews.evidence.queries import fact_views
from reviews.evidence.queries.fact_views import FactView
from reviews.evidence.queries.projections import ProjectionView, projection_view
from reviews.packets.domain.packet import VoteRow
from reviews.packets.domain.packet_evidence import DeterminationPart
from reviews.packets.domain.packet_trail import AuditRow
from reviews.packets.queries import packet_parts as parts
from reviews.requests.domain.lifecycle import State
from reviews.snapshots.queries.allowed_steps import Possible, steps
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.voting.models import Revision
from reviews.voting.queries.review_blockers import Obstacle, obstacles
from reviews.voting.queries.revision_changes import since_last_revision
from reviews.workflow.queries import view_course as course
from reviews.workflow.queries import view_evidence
from reviews.workflow.queries.view_course import (
    AuthorizationView,
    DecisionView,
    PacketView,
    StageView,
    TicketView,
    WaiverView,
)
from reviews.workflow.queries.view_evidence import ItemView, RunEntry


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
    dataset: Dataset | None
    rivals: tuple[ModelView, ...]
    purpose: str
    environment: str
    business_case: str
    again_because: tuple[ReReviewView, ...]
    revision: int
    created_at: datetime
    submitted_at: datetime | None
    deadline_at: datetime | None
    policy: PolicyVersion | None
    checklist_version: ChecklistVersion | None
    determination: DeterminationPart | None
    determinations: tuple[DeterminationPart, ...]
    waivers: tuple[WaiverView, ...]
    facts: tuple[FactView, ...]
    checklist: tuple[ItemView, ...]
    projections: tuple[ProjectionView, ...]
    runs: tuple[RunEntry, ...]
    revisions: tuple[Revision, ...]
    changes: tuple[Change, ...]
    stages: tuple[StageView, ...]
    votes: tuple[VoteRow, ...]
    budget: tuple[BudgetEffect, ...]
    ticket: TicketView | None
    packets: tuple[PacketView, ...]
    decision: DecisionView | None
    authorization: AuthorizationView | None
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


def describe(snapshot: RequestSnapshot, *, person: Person) -> RequestView:
    """The request as this person sees it now; that they may see it has been asked before (`queries.requests.find`)."""
    request, facts, decision, state = snapshot.request, snapshot.evidence, snapshot.decision, snapshot.state
    determinations = tuple(map(parts.determination_part, snapshot.determinations))
    return RequestView(
        ref=request.ref,
        title=request.title,
        state=request.state,
        state_meaning=state.meaning,
        state_owner=state.owner.value,
        outcome=decision.outcome if decision else "",
        team=request.team.slug,
        team_name=request.team.name,
        requester=_person(request.requester),
        owner=_person(request.model_version.asset.owner),
        model=_model(request.model_version),
        dataset=request.dataset,
        rivals=tuple(map(_model, snapshot.rivals)),
        purpose=request.purpose,
        environment=request.environment,
        business_case=request.business_case,
        again_because=tuple(re_review_view(each) for each in snapshot.re_reviews if each.request_id == request.pk),
        revision=request.revision,
        created_at=request.created_at,
        submitted_at=request.submitted_at,
        deadline_at=request.deadline_at,
        policy=request.policy,
        checklist_version=request.checklist,
        determination=determinations[0] if determinations else None,
        determinations=determinations,
        waivers=course.waiver_views(facts),
        facts=fact_views.fact_views(facts),
        checklist=view_evidence.item_views(facts),
        projections=tuple(map(projection_view, facts.projections)),
        runs=view_evidence.run_entries(snapshot, person=person),
        revisions=snapshot.revisions,
        changes=since_last_revision(snapshot.revisions),
        stages=course.stage_views(snapshot),
        votes=course.vote_views(snapshot.electorate),
        budget=course.budget_views(snapshot),
        ticket=course.ticket_view(snapshot),
        packets=course.packet_views(snapshot, person=person),
        decision=course.decision_view(decision),
        authorization=course.authorization_view(snapshot, person=person),
        events=tuple(reversed(parts.audit_rows(snapshot))),
        obstacles=obstacles(facts) if state is State.EVIDENCE else (),
        possible=steps(snapshot, person=person),
    )


def _person(user: User) -> PersonView:
    return PersonView(name_of(user), user.username)


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
