"""The course of a request for page and API: waivers, votes, budget, ticket, packets, decision."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from governance.budgets.queries.effects import BudgetEffect
from governance.jobs.enums import UNFINISHED, JobState
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from reviews.authorizations.models import Decision
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.domain.packet import VoteRow
from reviews.packets.queries import packet_parts as parts
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.snapshots.queries.allowed_steps import AllowedStep, allowed_step, check_can_retry_packet
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.snapshots.queries.voting_rights import VotingRight
from reviews.tickets.queries.mirror import MirrorView, mirror_view
from reviews.voting.domain.electorate import Electorate
from weighbridge.core.addresses import safe_link


@dataclass(frozen=True, kw_only=True)
class StageView:
    """A stage of the review and its progress."""

    id: str
    title: str
    role: str
    quorum: int
    approvers: tuple[str, ...]
    needed: int
    is_complete: bool
    is_open: bool
    may_settle: bool


@dataclass(frozen=True, kw_only=True)
class VotingRightView:
    """A stage that the person may vote in; `in_place_of` is the user name of the absent person, or "" for their own."""

    stage: str
    title: str
    in_place_of: str
    name: str


@dataclass(frozen=True, kw_only=True)
class TicketView:
    """The state of the ticket; `error` is that of the last attempt to update it."""

    state: str
    key: str
    url: str
    status: str
    label: str
    waiting: int
    effect_state: str
    attempts: int
    error: str
    next_attempt_at: datetime | None
    mirror: MirrorView | None = None


@dataclass(frozen=True, kw_only=True)
class PacketView:
    """A packet: its printing state, and the digests of its data and of its PDF."""

    number: int
    state: str
    is_ready: bool
    is_finished: bool
    pages: int | None
    error: str
    document_digest: str
    pdf_digest: str
    created_at: datetime
    retry: AllowedStep


@dataclass(frozen=True, kw_only=True)
class DecisionView:
    """The decision of the review."""

    outcome: str
    rationale: str
    decided_by: str
    decided_at: datetime
    revision: int
    bundle_digest: str


@dataclass(frozen=True, kw_only=True)
class WaiverView:
    """A time-limited permission not to meet a soft rule; `words` is the condition of the rule, or the item's title."""

    rule_id: str
    item_id: str
    words: str
    reason: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    is_over: bool


def waiver_views(evidence: EvidenceSnapshot) -> tuple[WaiverView, ...]:
    """Every waiver of the request, latest first."""
    if not evidence.waivers:
        return ()
    words = {rule.id: rule.condition for rule in evidence.policy.rules}
    words |= {status.item.id: status.item.title for status in evidence.checklist}
    return tuple(
        copy_of(
            row,
            WaiverView,
            words=words.get(row.rule_id or row.item_id, row.rule_id or row.item_id),
            granted_by=name_of(row.granted_by),
            is_over=row.expires_at <= evidence.now,
        )
        for row in evidence.waivers
    )


def stage_views(snapshot: RequestSnapshot) -> tuple[StageView, ...]:
    """The stages the policy requires; none before submission, and none if no review is required."""
    if snapshot.state in parts.NOT_REVIEWED:
        return ()
    progress, is_voting = snapshot.electorate.progress, snapshot.state is RequestState.IN_REVIEW
    return tuple(
        copy_of(
            row.stage,
            StageView,
            role=row.stage.role.value,
            approvers=tuple(ballot.voter for ballot in row.approvals),
            needed=row.needed,
            is_complete=row.is_complete,
            is_open=is_voting and row.stage in progress.open_stages,
            may_settle=is_voting and snapshot.electorate.may_settle(row.stage),
        )
        for row in progress.stages
    )


def voting_right_views(rights: Iterable[VotingRight]) -> tuple[VotingRightView, ...]:
    """The rights of a person to vote now, that in their own name first."""
    absent = [(right.stage, right.deputyship.absent if right.deputyship else None) for right in rights]
    return tuple(
        VotingRightView(
            stage=stage.id,
            title=stage.title,
            in_place_of=person.username if person else "",
            name=person.name if person else "",
        )
        for stage, person in absent
    )


def vote_views(electorate: Electorate) -> tuple[VoteRow, ...]:
    """Every vote ever cast, latest first. Votes that do not count are marked void."""
    return tuple(reversed(parts.vote_rows(electorate)))


def budget_views(snapshot: RequestSnapshot) -> tuple[BudgetEffect, ...]:
    """The budget effects of the request by quarter, starting with the quarter of the decision or the present one."""
    return () if snapshot.state is RequestState.DRAFT else parts.budget_effects(snapshot)


def ticket_view(snapshot: RequestSnapshot) -> TicketView | None:
    """The state of the ticket; None if no ticket was requested."""
    ticket = snapshot.ticket
    if ticket is None:
        return None
    waiting = snapshot.messages.get(f"ticket:{snapshot.request.ref}", [])
    first = waiting[0] if waiting else None
    return copy_of(
        ticket,
        TicketView,
        url=safe_link(ticket.url),
        waiting=len(waiting),
        effect_state=first.state if first else "",
        attempts=first.attempts if first else 0,
        error=first.error if first else "",
        next_attempt_at=first.next_attempt_at if first else None,
        mirror=mirror_view(ticket),
    )


def packet_views(snapshot: RequestSnapshot, *, person: Person) -> tuple[PacketView, ...]:
    """Every packet, latest first."""
    return tuple(
        copy_of(
            row,
            PacketView,
            is_ready=row.state == JobState.DONE,
            is_finished=row.state not in UNFINISHED,
            retry=allowed_step(check_can_retry_packet, snapshot, person=person, packet=row),
        )
        for row in snapshot.packets
    )


def decision_view(decision: Decision | None) -> DecisionView | None:
    """The decision of the review, if there is one."""
    return copy_of(decision, DecisionView, decided_by=name_of(decision.decided_by)) if decision else None
