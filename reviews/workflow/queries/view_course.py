"""The course of a request for page and API: determinations, stages, votes, ticket, packets, decision, authorisation."""

from dataclasses import dataclass
from datetime import date, datetime

from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from governance.people.domain.roles import Person
from governance.people.queries import people
from reviews.authorizations.models import Authorisation, Decision
from reviews.authorizations.queries.re_reviews import ReReviewView, opened_for
from reviews.packets.domain.packet import VoteRow
from reviews.packets.domain.packet_evidence import DeterminationPart
from reviews.packets.queries import packet_parts
from reviews.requests.domain.lifecycle import State
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from reviews.tickets.queries.mirror import MirrorView, mirror_view
from reviews.voting.queries.electorate import Electorate
from reviews.workflow.queries import possible
from reviews.workflow.queries.possible import Possible
from weighbridge.core.addresses import clickable

REVIEWED = frozenset({State.IN_REVIEW, State.CHANGES_REQUESTED, State.DECIDED})


@dataclass(frozen=True, kw_only=True)
class StageView:
    """A stage of the review and how far it came."""

    id: str
    title: str
    role: str
    quorum: int
    approvers: tuple[str, ...]
    needed: int
    is_complete: bool
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class TicketView:
    """Where the ticket stands; `why` says what it waits for, with the attempts so far."""

    state: str
    key: str
    url: str
    status: str
    label: str
    waiting: int
    effect_state: str
    attempts: int
    why: str
    next_attempt_at: datetime | None
    mirror: MirrorView | None = None


@dataclass(frozen=True, kw_only=True)
class PacketView:
    """A packet: its drawing, and the digests of what it says and of its PDF."""

    number: int
    state: str
    is_ready: bool
    is_finished: bool
    pages: int | None
    error: str
    document_digest: str
    pdf_digest: str
    created_at: datetime
    retry: Possible


@dataclass(frozen=True, kw_only=True)
class DecisionView:
    """How the review ended."""

    outcome: str
    rationale: str
    decided_by: str
    decided_at: datetime
    revision: int
    bundle_digest: str


@dataclass(frozen=True, kw_only=True)
class ConditionView:
    """An obligation the approval came with."""

    id: int
    text: str
    owner: str
    due_on: date
    is_overdue: bool
    met_at: datetime | None
    met_by: str
    confirm: Possible


@dataclass(frozen=True, kw_only=True)
class AuthorisationView:
    """The leave to run the artifact."""

    number: str
    state: str
    environment: str
    issued_at: datetime
    expires_at: datetime
    statement_digest: str
    conditions: tuple[ConditionView, ...]
    re_reviews: tuple[ReReviewView, ...]
    revoke: Possible


@dataclass(frozen=True, kw_only=True)
class WaiverView:
    """Leave not to meet a soft rule for a while."""

    rule_id: str
    reason: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    is_over: bool


def waiver_views(request: ReviewRequest, *, now: datetime) -> tuple[WaiverView, ...]:
    """Every waiver of the request, latest first."""
    return tuple(
        WaiverView(
            rule_id=row.rule_id,
            reason=row.reason,
            granted_by=people.name_of(row.granted_by),
            granted_at=row.granted_at,
            expires_at=row.expires_at,
            is_over=row.expires_at <= now,
        )
        for row in request.waivers.select_related("granted_by").order_by("-pk")
    )


def determination_views(request: ReviewRequest) -> tuple[DeterminationPart, ...]:
    """Every determination, latest first."""
    rows = request.determinations.select_related("policy").order_by("-pk")
    return tuple(packet_parts.determination_part(row) for row in rows)


def stage_views(*, request: ReviewRequest, electorate: Electorate) -> tuple[StageView, ...]:
    """The stages the policy asks for; none before submission or where it asked for no review."""
    if State(request.state) in packet_parts.NOT_REVIEWED:
        return ()
    progress = electorate.progress
    is_voting = request.state == State.IN_REVIEW
    return tuple(
        StageView(
            id=row.stage.id,
            title=row.stage.title,
            role=row.stage.role.value,
            quorum=row.stage.quorum,
            approvers=tuple(ballot.person_name for ballot in row.approvals),
            needed=row.needed,
            is_complete=row.is_complete,
            is_open=is_voting and row.stage == progress.open_stage,
        )
        for row in progress.stages
    )


def vote_views(electorate: Electorate) -> tuple[VoteRow, ...]:
    """Every vote ever cast, latest first; those that do not count are void."""
    return tuple(reversed(packet_parts.vote_rows(electorate)))


def ticket_view(request: ReviewRequest) -> TicketView | None:
    """Where the ticket stands, and why it waits; None where none was wanted."""
    ticket = Ticket.objects.filter(request=request).first()
    if ticket is None:
        return None
    effects = OutboxMessage.objects.filter(lane=f"ticket:{request.ref}").order_by("pk")
    waiting = [row for row in effects if row.state in {*UNFINISHED, JobState.DEAD}]
    first = waiting[0] if waiting else None
    return TicketView(
        state=ticket.state,
        key=ticket.key,
        url=clickable(ticket.url),
        status=ticket.status,
        label=ticket.label,
        waiting=len(waiting),
        effect_state=first.state if first else "",
        attempts=first.attempts if first else 0,
        why=first.error if first else "",
        next_attempt_at=first.next_attempt_at if first else None,
        mirror=mirror_view(ticket),
    )


def packet_views(request: ReviewRequest, *, person: Person) -> tuple[PacketView, ...]:
    """Every packet, latest first."""
    return tuple(
        PacketView(
            number=row.number,
            state=row.state,
            is_ready=row.state == JobState.DONE,
            is_finished=row.state not in UNFINISHED,
            pages=row.pages,
            error=row.error,
            document_digest=row.document_digest,
            pdf_digest=row.pdf_digest,
            created_at=row.created_at,
            retry=possible.on_packet(packet=row, person=person),
        )
        for row in request.packets.select_related("request__team").order_by("-number")
    )


def decision_view(decision: Decision | None) -> DecisionView | None:
    """How the review ended, if it has."""
    if decision is None:
        return None
    return DecisionView(
        outcome=decision.outcome,
        rationale=decision.rationale,
        decided_by=people.name_of(decision.decided_by),
        decided_at=decision.decided_at,
        revision=decision.revision,
        bundle_digest=decision.bundle_digest,
    )


def authorisation_view(
    *, request: ReviewRequest, decision: Decision | None, person: Person, now: datetime
) -> AuthorisationView | None:
    """The authorisation an approval made, with its conditions, soonest due first."""
    row = Authorisation.objects.filter(decision=decision).first() if decision else None
    if row is None:
        return None
    return AuthorisationView(
        number=row.number,
        state=row.state,
        environment=row.environment,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        statement_digest=row.statement_digest,
        conditions=_conditions(row, request, person, now),
        re_reviews=opened_for(row),
        revoke=possible.on_authorisation(authorisation=row, person=person),
    )


def _conditions(
    authorisation: Authorisation, request: ReviewRequest, person: Person, now: datetime
) -> tuple[ConditionView, ...]:
    rows = authorisation.conditions.select_related("owner", "met_by").order_by("due_on", "pk")
    return tuple(
        ConditionView(
            id=row.pk,
            text=row.text,
            owner=people.name_of(row.owner),
            due_on=row.due_on,
            is_overdue=row.met_at is None and row.due_on < now.date(),
            met_at=row.met_at,
            met_by=people.name_of(row.met_by) if row.met_by else "",
            confirm=possible.on_condition(condition=row, request=request, person=person),
        )
        for row in rows
    )
