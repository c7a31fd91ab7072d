"""The attendance of a meeting, its undecided items, and the content of its minutes."""

from django.db.models import Q, QuerySet

from governance.people.models import RoleGrant
from governance.people.queries.people import name_of
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.minutes import Attendee, MinutedDecision, MinutedItem, Minutes
from reviews.quarterly.domain.quorum import LEADS, QUORUM, Side
from reviews.quarterly.models import AgendaItem, Attendance, MeetingDecision, ReviewCycle
from reviews.requests.domain.copies import copy_of
from weighbridge.core.money import format_amount


def counted_attendances(cycle: ReviewCycle) -> QuerySet[Attendance]:
    """The attendances that count now: the account is open, and the person still has the role of the side."""
    of_their_side = Q(side=Side.GUEST.value)
    for role, side in LEADS.items():
        of_their_side |= Q(side=side.value, person__in=RoleGrant.objects.filter(role=role).values("user"))
    return cycle.attendances.filter(of_their_side, person__is_active=True)


def sides_present(cycle: ReviewCycle) -> list[Side]:
    """The side of each attendee who counts."""
    return [Side(side) for side in counted_attendances(cycle).values_list("side", flat=True)]


def is_present_as_lead(cycle: ReviewCycle, *, person_id: int) -> bool:
    """Whether the person attends for engineering or product, and still may."""
    return counted_attendances(cycle).filter(person=person_id, side__in=[side.value for side in QUORUM]).exists()


def may_decide_now(cycle: ReviewCycle, *, person_id: int) -> bool:
    """Whether the meeting is open and the person attends it as a lead; pages offer decisions only then."""
    return cycle.state == CycleState.HELD and is_present_as_lead(cycle, person_id=person_id)


def undecided_items(cycle: ReviewCycle) -> list[AgendaItem]:
    """The items of the agenda without a decision, in the order of the agenda."""
    return list(cycle.items.filter(removed_at=None, decisions=None).select_related("asset__team", "asset__owner"))


def minutes_of(cycle: ReviewCycle) -> Minutes:
    """The current content of the minutes of an open or closed meeting."""
    assert cycle.chair is not None  # noqa: S101 -- a database constraint ensures this for a held cycle
    assert cycle.held_at is not None  # noqa: S101 -- likewise
    items = cycle.items.prefetch_related("decisions__owner", "decisions__decided_by", "decisions__action")
    return Minutes(
        quarter=cycle.quarter,
        chair=name_of(cycle.chair),
        held_at=cycle.held_at,
        present=tuple(
            Attendee(name=name_of(row.person), side=row.side) for row in cycle.attendances.select_related("person")
        ),
        items=tuple(_minuted_item(item) for item in items),
        notes=cycle.notes,
    )


def _minuted_item(item: AgendaItem) -> MinutedItem:
    decisions = tuple(_minuted_decision(row) for row in item.decisions.all())
    kind = AgendaKind(item.kind).words
    return copy_of(item, MinutedItem, kind=kind, decisions=decisions, removal=item.removal_reason)


def _minuted_decision(row: MeetingDecision) -> MinutedDecision:
    return copy_of(
        row,
        MinutedDecision,
        kind=DecisionKind(row.kind).words,
        decided_by=name_of(row.decided_by),
        action=row.action.ref,
        owner=name_of(row.owner),
        amount=format_amount(row.amount_usd, unit="USD") if row.amount_usd is not None else "",
    )
