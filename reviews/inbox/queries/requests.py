"""Requests in an inbox: votes, own requests with their next step, and those that wait on others."""

from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, Count, Exists, F, JSONField, OuterRef, Q, QuerySet, Subquery, Value, When, Window
from django.db.models.fields.json import DataContains
from django.db.models.functions import Coalesce, RowNumber
from django.urls import reverse

from governance.absences.domain import Deputyship
from governance.people.domain.roles import Person, Role
from governance.people.queries.people import name_of
from governance.rulebook.domain.stages import Stage
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries.rulebook import policy_in
from reviews.authorizations.queries.re_reviews import first_cause
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.inbox.domain import LISTED_MAX, InboxEntry, InboxKind
from reviews.inbox.queries.away import open_own_or_left
from reviews.inbox.queries.parts import parts_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.domain.transition_types import Actor
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import owned_by, visible_to
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshots_in_review
from reviews.snapshots.queries.voting_rights import voting_rights_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Revision, Vote
from reviews.voting.queries.review_blockers import review_blockers

RULES = ("policy", "checklist")
WAITING_FOR_REQUESTER = tuple(state for state in RequestState if state.owner is Actor.REQUESTER)


def open_requests(person: Person, *, absent: Set[int]) -> QuerySet[ReviewRequest]:
    """The open requests that are own, or left to this person: of each use, the first to end, as many as are listed.

    Those that wait for nothing do not displace those that wait for this person. Each has its `place` in its use, what
    caused it, and `frozen_at` of its latest revision.
    """
    use = Case(When(owned_by(person) & Q(state__in=WAITING_FOR_REQUESTER), then=Value("own")), default=F("state"))
    place = Window(RowNumber(), partition_by=[use], order_by=["deadline_at", "pk"])
    rows = ReviewRequest.objects.filter(pk__in=open_own_or_left(person, absent=absent)).annotate(place=place)
    return _with_course(rows.filter(place__lte=LISTED_MAX)).prefetch_related(*RULES, "dataset", "re_reviews__finding")


def is_last(request: Any) -> bool:
    """Whether no further request of its use was looked at."""
    return bool(request.place >= LISTED_MAX)


def votes(*, person: Person, deputyships: Sequence[Deputyship], now: datetime) -> Iterator[InboxEntry]:
    """The requests in which the person can vote now, in their own name or in that of an absent person.

    They are looked at in parts, the first to end first, until as many are found as are listed.
    """
    roles = person.roles.union(*(one.roles for one in deputyships))
    policies = _policies_asking(roles)
    for part in parts_of(_votable(person, policies.values(), roles), whole=_with_data):
        for request in part:
            request.policy = policies[request.policy_id]
        for snapshot in snapshots_in_review(part, now=now, deputyships={person.id: deputyships}):
            for right in voting_rights_of(snapshot, person=person)[:1]:
                absent = right.deputyship.absent.name if right.deputyship else ""
                whose = f"Vote in the place of {absent}" if absent else "Vote"
                yield _entry(snapshot.request, InboxKind.VOTE, f"{whose}: {right.stage.title}.", "", in_place_of=absent)


def _policies_asking(roles: Set[Role]) -> dict[int | None, PolicyVersion]:
    """The policies of requests in review that ask one of the roles to vote, by their id."""
    in_review = ReviewRequest.objects.filter(state=RequestState.IN_REVIEW)
    policies = PolicyVersion.objects.filter(pk__in=in_review.values("policy"))
    return {row.pk: row for row in policies if any(stage.role in roles for stage in policy_in(row).stages)}


def _may_be_open(policy: PolicyVersion, roles: Set[Role]) -> Q:
    """Select the requests by this policy in which a stage for one of the roles can be open.

    The stage takes part then, and each stage before it that always does has its quorum of approvals.
    """
    stages, found = policy_in(policy).stages, []
    always = {stage.id: stage for stage in stages if stage.when is None and not stage.scope.depth}
    for place, stage in enumerate(stages):
        if stage.role in roles:
            before = [each.id for each in stages[:place]] if stage.after is None else stage.after
            part = [] if stage.id in always else [_takes_part(stage)]
            found.append([*part, *(_has_quorum(always[name]) for name in before if name in always)])
    own = Q(policy=policy.pk)
    return own & reduce(or_, (Q(*each) for each in found)) if all(found) else own


def _takes_part(stage: Stage) -> DataContains:
    """Select what was frozen with the stage; or without a word of stages, which are then found from the evidence.

    The database looks up a value by the index for each request; an EXISTS it would answer from all revisions at once.
    """
    revision = Revision.objects.filter(request=OuterRef("pk"), number=OuterRef("revision"))
    frozen = Subquery(revision.values("bundle__stages")[:1], output_field=JSONField())
    return DataContains(Coalesce(frozen, Value([stage.id], JSONField())), [stage.id])


def _has_quorum(stage: Stage) -> Exists:
    approvals = _votes().filter(stage=stage.id, choice=VoteChoice.APPROVE).order_by().values("request")
    return Exists(approvals.annotate(count=Count("pk")).filter(count__gte=stage.quorum))


def _votes() -> QuerySet[Vote]:
    """The votes on the present revision of a request."""
    return Vote.objects.filter(request=OuterRef("pk"), revision=OuterRef("revision"), withdrawal=None)


def _votable(person: Person, policies: Iterable[PolicyVersion], roles: Set[Role]) -> QuerySet[ReviewRequest]:
    """The requests of others in review, on which the person has not voted, that may wait for one of these roles."""
    waiting = reduce(or_, (_may_be_open(policy, roles) for policy in policies), Q(pk__in=[]))
    rows = visible_to(person).filter(~Exists(_votes().filter(person=person.id)), state=RequestState.IN_REVIEW)
    return rows.filter(waiting).exclude(owned_by(person)).order_by("deadline_at", "pk")


def _with_course(rows: QuerySet[ReviewRequest]) -> QuerySet[ReviewRequest]:
    """What entries say of each. Rules and data are read apart: planning the join of all takes longer than reading."""
    latest = Revision.objects.filter(request=OuterRef("pk")).order_by("-number").values("frozen_at")
    rows = rows.annotate(frozen_at=Subquery(latest[:1])).select_related(None)
    return rows.select_related("team", "requester", "model_version__asset").order_by("deadline_at", "pk")


def _with_data(ids: QuerySet[ReviewRequest, Any]) -> QuerySet[ReviewRequest]:
    return _with_course(ReviewRequest.objects.filter(pk__in=ids)).prefetch_related("dataset")


def _is_own(request: ReviewRequest, person: Person) -> bool:
    return person.id in {request.requester_id, request.model_version.asset.owner_id}


def own_requests(rows: Iterable[ReviewRequest], *, person: Person, now: datetime) -> Iterator[InboxEntry]:
    """The own requests whose next step is the requester's."""
    for request in (row for row in rows if _is_own(row, person) and row.state in WAITING_FOR_REQUESTER):
        yield _entry(request, InboxKind.REQUEST, _next_step(request, now), "next")


def waiting_on_others(rows: Iterable[ReviewRequest], *, person: Person, now: datetime) -> Iterator[InboxEntry]:
    """The own requests that others vote on."""
    own = [row for row in rows if _is_own(row, person) and row.state == RequestState.IN_REVIEW]
    for snapshot in snapshots_in_review(own, now=now):
        yield _entry(snapshot.request, InboxKind.REQUEST, _awaited_votes(snapshot), "votes")


def _next_step(request: ReviewRequest, now: datetime) -> str:
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


def _awaited_votes(snapshot: RequestSnapshot) -> str:
    progress = snapshot.electorate.progress
    for row in progress.stages:
        if row.stage in progress.open_stages:
            votes = "vote" if row.needed == 1 else "votes"
            return f"{row.stage.title}: waiting for {row.needed} {votes} of {row.stage.role.holder}."
    return "Every stage is approved, and nobody decided. Whoever takes their vote back and casts it again decides."


def _entry(request: Any, kind: InboxKind, step: str, part: str, *, in_place_of: str = "") -> InboxEntry:
    return InboxEntry(
        kind=kind,
        ref=request.ref,
        title=request.title,
        path=f"{reverse('reviews:detail', args=[request.ref])}{f'#{part}' if part else ''}",
        step=step,
        since=request.frozen_at or request.submitted_at or request.created_at,
        ends_at=request.lapses_at,
        note=f"{request.model_version}, {request.team.name}, {name_of(request.requester)}",
        state=request.state,
        in_place_of=in_place_of,
    )
