"""The view of a request for one person: the data that page and API show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, cast

from django.contrib.auth.models import User
from django.utils.functional import SimpleLazyObject

from benchmarking.runs.models import Dataset
from governance.budgets.queries.effects import BudgetEffect
from governance.inventory.models import ModelVersion
from governance.inventory.queries import subject_lines
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.rulebook.domain.policy_diff import PolicyDifference
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from reviews.authorizations.queries.re_reviews import ReReviewView, re_review_view
from reviews.evidence.domain.repeated_runs import RepeatedRun
from reviews.evidence.queries import metric_views
from reviews.evidence.queries.evidence import doubt_about_data, subject_of
from reviews.evidence.queries.metric_views import MetricView
from reviews.evidence.queries.projections import ProjectionView, projection_view
from reviews.packets.domain.packet import VoteRow
from reviews.packets.domain.packet_evidence import PolicyEvaluationPart
from reviews.packets.domain.packet_trail import AuditRow
from reviews.packets.queries import packet_parts as parts
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.snapshots.queries.allowed_steps import AllowedStep, allowed_steps_of
from reviews.snapshots.queries.evidence_bundle import changes_of
from reviews.snapshots.queries.repeated_runs import repeated_runs_of
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.snapshots.queries.voting_rights import voting_rights_of
from reviews.voting.models import Revision
from reviews.voting.queries.review_blockers import ReviewBlocker, review_blockers
from reviews.workflow.queries import view_authorization as authorization
from reviews.workflow.queries import view_course as course
from reviews.workflow.queries import view_evidence
from reviews.workflow.queries.view_authorization import AuthorizationView, EarlierConditionView, StandingView
from reviews.workflow.queries.view_course import (
    DecisionView,
    PacketView,
    StageView,
    TicketView,
    VotingRightView,
    WaiverView,
)
from reviews.workflow.queries.view_evidence import ChecklistItemView, RunEntry

T = TypeVar("T")


@dataclass(frozen=True)
class PersonView:
    """A person, with name and user name."""

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
    kind: str
    task: str
    lines: tuple[str, ...]
    format: str
    size_bytes: int | None
    uri: str
    is_stored: bool


@dataclass(frozen=True, kw_only=True)
class RequestView:
    """A request as one person sees it at one moment.

    The keys of `allowed_steps`: edit, submit, evidence (values and contradictions), answer (checklist),
    request_review, vote, take_back (the vote), revise, amend (texts and data), exchange (the file), withdraw, packet,
    waive, extend.
    `replaces` is the request that was withdrawn for another file, `replaced_by` the one filed instead. `own_stage_id`
    is the first stage that the person may vote in, in their own name or in that of an absent person; `voting_rights`
    are all of them. `answerable` are the checklist items that the person may answer.
    """

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
    dataset_doubt: str
    rivals: tuple[ModelView, ...]
    purpose: str
    environment: str
    business_case: str
    re_review_reasons: tuple[ReReviewView, ...]
    replaces: str
    replaced_by: str
    revision: int
    created_at: datetime
    submitted_at: datetime | None
    deadline_at: datetime | None
    lapses_at: datetime | None
    is_in_grace: bool
    policy: PolicyVersion | None
    checklist_version: ChecklistVersion | None
    policy_evaluation: PolicyEvaluationPart | None
    policy_evaluations: tuple[PolicyEvaluationPart, ...]
    waivers: tuple[WaiverView, ...]
    metric_values: tuple[MetricView, ...]
    checklist: tuple[ChecklistItemView, ...]
    projections: tuple[ProjectionView, ...]
    runs: tuple[RunEntry, ...]
    repeated_runs: tuple[RepeatedRun, ...]
    revisions: tuple[Revision, ...]
    changes: tuple[PolicyDifference, ...]
    stages: tuple[StageView, ...]
    votes: tuple[VoteRow, ...]
    budget: tuple[BudgetEffect, ...]
    ticket: TicketView | None
    packets: tuple[PacketView, ...]
    decision: DecisionView | None
    authorization: AuthorizationView | None
    standing: StandingView | None
    earlier_conditions: tuple[EarlierConditionView, ...]
    events: tuple[AuditRow, ...]
    review_blockers: tuple[ReviewBlocker, ...]
    allowed_steps: Mapping[str, AllowedStep]
    own_stage_id: str
    voting_rights: tuple[VotingRightView, ...]
    answerable: tuple[str, ...]

    @property
    def own_stage(self) -> StageView | None:
        """The stage that the person may vote in now."""
        return next((stage for stage in self.stages if stage.id == self.own_stage_id), None)

    @property
    def open_stages(self) -> tuple[StageView, ...]:
        """The stages that are open for votes now."""
        return tuple(stage for stage in self.stages if stage.is_open)

    @property
    def unexplained_count(self) -> int:
        """The number of contradicted claims without an explanation."""
        return sum(not metric.answer for metric in self.contradicted)

    @property
    def contradicted(self) -> tuple[MetricView, ...]:
        """The metrics whose claim a measurement contradicts."""
        return tuple(metric for metric in self.metric_values if metric.contradiction)

    @property
    def answered_count(self) -> int:
        """The number of complete checklist items."""
        return sum(item.is_complete for item in self.checklist)


def describe(snapshot: RequestSnapshot, *, person: Person) -> RequestView:
    """The request as this person sees it now. The caller has checked that they may see it (`queries.requests.find`)."""
    request, metric_values, decision, state = snapshot.request, snapshot.evidence, snapshot.decision, snapshot.state
    rights, subject = course.voting_right_views(voting_rights_of(snapshot, person=person)), subject_of(request)
    policy_evaluations = tuple(map(parts.policy_evaluation_part, snapshot.policy_evaluations))
    return copy_of(
        request,
        RequestView,
        state_meaning=state.meaning,
        state_owner=state.owner.value,
        outcome=decision.outcome if decision else "",
        team=request.team.slug,
        team_name=request.team.name,
        requester=_person(request.requester),
        owner=_person(request.model_version.asset.owner),
        model=replace(_model(request.model_version), tier=subject.tier, task=subject.task),
        dataset_doubt=doubt_about_data(request, data=request.dataset) if request.dataset else "",
        rivals=tuple(map(_model, snapshot.rivals)),
        re_review_reasons=_when_looked_at(lambda: _reasons(snapshot)),
        checklist_version=request.checklist,
        policy_evaluation=policy_evaluations[0] if policy_evaluations else None,
        policy_evaluations=policy_evaluations,
        waivers=course.waiver_views(metric_values),
        metric_values=metric_views.metric_views(metric_values),
        checklist=view_evidence.item_views(metric_values),
        projections=tuple(map(projection_view, metric_values.projections)),
        runs=view_evidence.run_entries(snapshot, person=person),
        repeated_runs=repeated_runs_of(metric_values),
        revisions=snapshot.revisions,
        changes=changes_of(snapshot),
        replaces=request.replaces.ref if request.replaces else "",
        replaced_by=snapshot.replaced_by.ref if snapshot.replaced_by else "",
        stages=course.stage_views(snapshot),
        votes=course.vote_views(snapshot.electorate),
        budget=_when_looked_at(lambda: course.budget_views(snapshot)),
        ticket=course.ticket_view(snapshot),
        packets=course.packet_views(snapshot, person=person),
        decision=course.decision_view(decision),
        authorization=authorization.authorization_view(snapshot, person=person),
        standing=authorization.standing_view(snapshot, person=person),
        earlier_conditions=authorization.earlier_condition_views(snapshot, person=person),
        events=_when_looked_at(lambda: tuple(reversed(parts.audit_rows(snapshot)))),
        review_blockers=review_blockers(metric_values) if state is RequestState.EVIDENCE else (),
        allowed_steps=allowed_steps_of(snapshot, person=person),
        is_in_grace=request.is_in_grace(snapshot.now),
        own_stage_id=rights[0].stage if rights else "",
        voting_rights=rights,
        answerable=view_evidence.answerable(snapshot, person=person),
    )


def _when_looked_at(read: Callable[[], tuple[T, ...]]) -> tuple[T, ...]:
    """What few tabs of the page show, so that the others do not read the ledger and the trail. It acts as the tuple."""
    return cast("tuple[T, ...]", SimpleLazyObject(read))


def _reasons(snapshot: RequestSnapshot) -> tuple[ReReviewView, ...]:
    """The breaches that made this a re-review."""
    return tuple(re_review_view(row) for row in snapshot.re_reviews if row.request_id == snapshot.request.pk)


def _person(user: User) -> PersonView:
    return PersonView(name_of(user), user.username)


def _model(version: ModelVersion) -> ModelView:
    asset = version.asset
    return copy_of(
        version,
        ModelView,
        version_id=version.pk,
        name=asset.name,
        team=asset.team.slug,
        slug=asset.slug,
        tier=asset.tier,
        task=asset.task,
        lines=subject_lines(version),
        is_stored=bool(version.stored_as),
    )
