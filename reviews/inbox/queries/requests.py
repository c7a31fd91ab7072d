"""Requests in an inbox: votes, own requests with their next step, and those that wait on others."""

from collections.abc import Iterable, Iterator, Set
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from reviews.authorizations.queries.re_reviews import first_cause
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.inbox.domain import InboxEntry, InboxKind
from reviews.inbox.queries.away import own_or_left
from reviews.requests.domain.lifecycle import OPEN_STATES, RequestState
from reviews.requests.domain.transition_types import Actor
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import owned_by, visible_to
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.snapshots.queries.voting_rights import voting_rights_of
from reviews.voting.models import Revision
from reviews.voting.queries.review_blockers import review_blockers

WAITING_FOR_REQUESTER = tuple(state for state in RequestState if state.owner is Actor.REQUESTER)


def open_requests(person: Person, *, absent: Set[int]) -> QuerySet[ReviewRequest]:
    """The open requests that are in review, own, or left to this person, the first to end first.

    Each has `is_own`, `is_own_or_left`, what caused it, and `frozen_at` of its latest revision.
    """
    latest = Revision.objects.filter(request=OuterRef("pk")).order_by("-number").values("frozen_at")
    is_concerned = own_or_left(person, absent=absent)
    rows = visible_to(person).filter(Q(state=RequestState.IN_REVIEW) | is_concerned, state__in=OPEN_STATES)
    rows = rows.annotate(is_own=owned_by(person), is_own_or_left=is_concerned, frozen_at=Subquery(latest[:1]))
    rows = rows.select_related("policy", "checklist", "dataset").prefetch_related("re_reviews__finding")
    return rows.order_by("deadline_at", "pk")


def votes(rows: Iterable[Any], *, person: Person, now: datetime) -> Iterator[InboxEntry]:
    """The requests in which the person can vote now, in their own name or in that of an absent person."""
    for request in (row for row in rows if row.state == RequestState.IN_REVIEW and not row.is_own):
        for right in voting_rights_of(snapshot_of(request, now=now), person=person)[:1]:
            absent = right.deputyship.absent.name if right.deputyship else ""
            whose = f"Vote in the place of {absent}" if absent else "Vote"
            yield _entry(request, InboxKind.VOTE, f"{whose}: {right.stage.title}.", "", in_place_of=absent)


def own_requests(rows: Iterable[Any], *, now: datetime) -> Iterator[InboxEntry]:
    """The own requests whose next step is the requester's."""
    for request in (row for row in rows if row.is_own and row.state in WAITING_FOR_REQUESTER):
        yield _entry(request, InboxKind.REQUEST, _next_step(request, now), "next")


def waiting_on_others(rows: Iterable[Any], *, now: datetime) -> Iterator[InboxEntry]:
    """The own requests that others vote on."""
    for request in (row for row in rows if row.is_own and row.state == RequestState.IN_REVIEW):
        yield _entry(request, InboxKind.REQUEST, _awaited_votes(request, now), "votes")


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


def _awaited_votes(request: ReviewRequest, now: datetime) -> str:
    progress = snapshot_of(request, now=now).electorate.progress
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
