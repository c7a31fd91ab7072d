"""Who is invited to a meeting and attends it, its undecided items, and the content of its minutes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from governance.people.models import RoleGrant
from governance.people.queries.people import name_of
from governance.site.queries import ShownRows
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.minutes import Attendee, MinutedDecision, MinutedItem, Minutes
from reviews.quarterly.domain.quorum import LEADS, QUORUM, Side
from reviews.quarterly.models import AgendaItem, Attendance, MeetingDecision, ReviewCycle
from reviews.requests.domain.copies import copy_of
from weighbridge.core.money import format_amount


def concerned(cycle: ReviewCycle) -> QuerySet[User]:
    """Platform and product leads and recorded attendees who have an active account, by user name."""
    leads = Q(role_grants__role__in=[role.value for role in LEADS])
    attending = Q(pk__in=cycle.attendances.values("person"))
    return User.objects.filter(leads | attending, is_active=True).distinct().order_by("username")


def invitees(cycle: ReviewCycle) -> QuerySet[User]:
    """Those of them who can get mail: nobody without a mail server."""
    return concerned(cycle).exclude(email="") if settings.WEIGHBRIDGE["HAS_MAIL"] else User.objects.none()


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


def undecided_items(cycle: ReviewCycle) -> QuerySet[AgendaItem]:
    """The items of the agenda without a decision, in the order of the agenda."""
    return cycle.items.filter(removed_at=None, decisions=None).select_related("asset__team", "asset__owner")


@dataclass(frozen=True, kw_only=True)
class ShownMinutes:
    """The minutes as the page shows them. Of the three lists, only the parts that are asked for are read."""

    chair: str
    held_at: datetime
    present: tuple[Attendee, ...]
    decided: Sequence[MinutedItem]
    undecided: Sequence[MinutedItem]
    removed: Sequence[MinutedItem]
    notes: str


def minutes_of(cycle: ReviewCycle) -> Minutes:
    """The current content of the minutes of an open or closed meeting."""
    assert cycle.chair is not None  # noqa: S101 -- a database constraint ensures this for a held cycle
    assert cycle.held_at is not None  # noqa: S101 -- likewise
    return Minutes(
        quarter=cycle.quarter,
        chair=name_of(cycle.chair),
        held_at=cycle.held_at,
        present=_present(cycle),
        items=tuple(_minuted_items(_of_minutes(cycle), 0)),
        notes=cycle.notes,
    )


def shown_minutes_of(cycle: ReviewCycle) -> ShownMinutes:
    """The minutes of a closed meeting, with the lists that `Minutes` has."""
    assert cycle.chair is not None  # noqa: S101 -- a database constraint ensures this for a held cycle
    decided = Q(Exists(MeetingDecision.objects.filter(item=OuterRef("pk"))))
    lists = {
        "decided": decided,
        "undecided": ~decided & Q(removal_reason=""),
        "removed": ~Q(removal_reason=""),
    }
    counts = cycle.items.aggregate(**{name: Count("pk", filter=which) for name, which in lists.items()})
    rows = _of_minutes(cycle)
    shown = {name: ShownRows(rows.filter(which), _minuted_items, count=counts[name]) for name, which in lists.items()}
    return copy_of(cycle, ShownMinutes, chair=name_of(cycle.chair), present=_present(cycle), **shown)


def _of_minutes(cycle: ReviewCycle) -> QuerySet[AgendaItem]:
    rows = cycle.items.order_by("position", "pk")
    return rows.prefetch_related("decisions__owner", "decisions__decided_by", "decisions__action")


def _present(cycle: ReviewCycle) -> tuple[Attendee, ...]:
    rows = cycle.attendances.select_related("person")
    return tuple(Attendee(name=name_of(row.person), side=row.side) for row in rows)


def _minuted_items(rows: Iterable[AgendaItem], _: int) -> Iterator[MinutedItem]:
    return (_minuted_item(row) for row in rows)


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
