"""Queries of the quarterly review: the list of cycles, and the page of one cycle for one person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from governance.budgets.rules import may_see_budget
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.site.queries import ShownRows
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.quorum import missing
from reviews.quarterly.models import ActionItem, AgendaItem, CyclePacket, MeetingDecision, ReviewCycle
from reviews.quarterly.queries.action_items import ActionView, action_view, actions_of, earlier_actions
from reviews.quarterly.queries.cycle_sources import model_name
from reviews.quarterly.queries.meeting import counted_attendances, may_decide_now, sides_present
from reviews.quarterly.queries.scores import ScorecardLine, on_scorecard, shown_lines, totals_of
from reviews.quarterly.rules import may_close_meeting, may_decide, may_lead_meeting, may_see_cycles
from reviews.requests.domain.copies import copy_of
from reviews.scorecard.domain.scorecard import Totals
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import NotFound
from weighbridge.core.money import format_amount


@dataclass(frozen=True, kw_only=True)
class MeetingDecisionView:
    """A decision as a page shows it."""

    kind: str
    words: str
    rationale: str
    effect: str
    amount: str
    decided_by: str
    decided_at: datetime
    action: str


@dataclass(frozen=True, kw_only=True)
class AgendaItemView:
    """An item of the agenda. `position` counts from 1; a removed item has position 0."""

    id: int
    position: int
    kind: str
    words: str
    title: str
    reason: str
    page: str
    model: str
    request: str
    recurs: str
    removal: str
    removed_by: str
    decisions: tuple[MeetingDecisionView, ...]
    may_decide: bool


@dataclass(frozen=True, kw_only=True)
class Attendee:
    """A person who attends. Who lost the role of the side, or whose account is closed, `counts` no longer."""

    username: str
    name: str
    side: str
    counts: bool = True

    @property
    def words(self) -> str:
        """The side, and whether it counts."""
        return self.side if self.counts else f"{self.side}, counts no longer"


@dataclass(frozen=True, kw_only=True)
class CycleView:
    """Everything the page of a cycle shows."""

    # Of the lists, only the parts that are asked for are read; what is said of all is counted by the database.

    quarter: str
    state: CycleState
    collecting_at: datetime
    cut_off_at: datetime
    gathered_at: datetime | None
    held_at: datetime | None
    closed_at: datetime | None
    chair: str
    notes: str
    minutes: str
    minutes_digest: str
    items: Sequence[AgendaItemView]
    removed: Sequence[AgendaItemView]
    decided_count: int
    attendees: tuple[Attendee, ...]
    missing: tuple[str, ...]
    scores: Sequence[ScorecardLine]
    totals: Totals
    actions: Sequence[ActionView]
    before: Sequence[ActionView]
    may_lead: bool
    may_close: bool
    is_present: bool

    @property
    def notes_digest(self) -> str:
        """The digest of the notes, by which a writer says which ones they saw."""
        return digest_of(self.notes)

    @property
    def may_issue(self) -> bool:
        """Whether the state allows a packet."""
        return self.state not in {CycleState.PLANNED, CycleState.COLLECTING}


def list_cycles(*, person: Person) -> QuerySet[ReviewCycle]:
    """Every cycle, latest first. Raises NotFound if the person may not see the quarterly review."""
    if not may_see_cycles(person):
        raise NotFound("There is no quarterly review that you can see.")
    return ReviewCycle.objects.select_related("chair").order_by("-quarter")


def find(*, quarter: str, person: Person) -> ReviewCycle:
    """The cycle of a quarter. Raises NotFound if it does not exist or the person may not see it."""
    cycle = list_cycles(person=person).filter(quarter=quarter).first()
    if cycle is None:
        raise NotFound(f"There is no quarterly review of {quarter}.", field="quarter")
    return cycle


def find_item(*, cycle: ReviewCycle, item_id: int) -> AgendaItem:
    """An item of the cycle's agenda, or NotFound."""
    related = ("cycle", "asset__team", "asset__owner", "request", "recurs__cycle")
    item = cycle.items.select_related(*related).filter(pk=item_id).first()
    if item is None:
        raise NotFound(f"The agenda of {cycle} has no item {item_id}.", field="item")
    return item


def find_packet(*, quarter: str, number: int, person: Person) -> CyclePacket:
    """A packet of the quarter, or NotFound."""
    rows = CyclePacket.objects.select_related("cycle")
    packet = rows.filter(cycle=find(quarter=quarter, person=person), number=number).first()
    if packet is None:
        raise NotFound(f"The review of {quarter} has no packet {number}.")
    return packet


def describe(*, cycle: ReviewCycle, person: Person, now: datetime) -> CycleView:
    """The whole page of a cycle, as this person sees it."""
    is_present = may_decide_now(cycle, person_id=person.id)
    kpis = on_scorecard(cycle.quarter, person=person)
    totals = totals_of(kpis, quarter=cycle.quarter)

    def shown(rows: Sequence[ActionItem], _: int) -> Iterator[ActionView]:
        return (action_view(row, now=now) for row in rows)

    return copy_of(
        cycle,
        CycleView,
        state=CycleState(cycle.state),
        chair=name_of(cycle.chair) if cycle.chair else "",
        **items_of(cycle, person=person, is_present=is_present),
        attendees=attendees_of(cycle),
        missing=tuple(side.words for side in missing(sides_present(cycle))),
        scores=shown_lines(kpis, quarter=cycle.quarter, count=totals.count),
        totals=totals,
        actions=ShownRows(actions_of(cycle), shown),
        before=ShownRows(earlier_actions(cycle), shown),
        may_lead=may_lead_meeting(person),
        is_present=is_present,
        may_close=may_close_meeting(person, chair_id=cycle.chair_id),
    )


def items_of(cycle: ReviewCycle, *, person: Person, is_present: bool) -> dict[str, Any]:
    """The fields of the view about the agenda. `is_present`: whether the person may decide now."""

    def shown(rows: Sequence[AgendaItem], before: int) -> Iterator[AgendaItemView]:
        for position, row in enumerate(rows, before + 1):
            place = position if row.removed_at is None else 0
            yield item_view(row, person=person, position=place, is_present=is_present)

    decided = Exists(MeetingDecision.objects.filter(item=OuterRef("pk")))
    on_agenda = Q(removed_at=None)
    counts = cycle.items.aggregate(
        items=Count("pk", filter=on_agenda),
        removed=Count("pk", filter=~on_agenda),
        decided=Count("pk", filter=on_agenda & Q(decided)),
    )
    rows = cycle.items.select_related("asset__team", "request", "team", "recurs__cycle", "removed_by")
    rows = rows.prefetch_related("decisions__decided_by", "decisions__action").order_by("position", "pk")
    return {
        "items": ShownRows(rows.filter(on_agenda), shown, count=counts["items"]),
        "removed": ShownRows(rows.exclude(on_agenda), shown, count=counts["removed"]),
        "decided_count": counts["decided"],
    }


def place_of(item: AgendaItem) -> int:
    """How many items of the agenda come before this one, or before its former place if it was removed."""
    before = Q(position__lt=item.position) | Q(position=item.position, pk__lt=item.pk)
    return AgendaItem.objects.filter(before, cycle=item.cycle_id, removed_at=None).count()


def item_view(row: AgendaItem, *, person: Person, position: int, is_present: bool) -> AgendaItemView:
    """One item of the agenda, as this person sees it."""
    asset = row.asset
    return copy_of(
        row,
        AgendaItemView,
        position=position,
        page=visible_page(row, person=person),
        words=AgendaKind(row.kind).words,
        model=model_name(asset) if asset else "",
        request=row.request.ref if row.request else "",
        recurs=row.recurs.cycle.quarter if row.recurs else "",
        removal=row.removal_reason,
        removed_by=name_of(row.removed_by) if row.removed_by else "",
        decisions=tuple(_decision(decision) for decision in row.decisions.all()),
        may_decide=may_decide(
            person,
            is_present=is_present,
            team=asset.team.slug if asset else "",
            owner_id=asset.owner_id if asset else None,
        ),
    )


def visible_page(row: AgendaItem, *, person: Person) -> str:
    """The address of the page of an item; "" where it is a budget that the person may not see."""
    is_hidden = row.page.startswith("/budgets/") and not may_see_budget(person, team=row.team.slug if row.team else "")
    return "" if is_hidden else row.page


def attendees_of(cycle: ReviewCycle) -> tuple[Attendee, ...]:
    """The recorded attendees of a meeting."""
    counted = set(counted_attendances(cycle).values_list("pk", flat=True))
    return tuple(
        Attendee(username=row.person.username, name=name_of(row.person), side=row.side, counts=row.pk in counted)
        for row in cycle.attendances.select_related("person")
    )


def _decision(row: MeetingDecision) -> MeetingDecisionView:
    return copy_of(
        row,
        MeetingDecisionView,
        words=DecisionKind(row.kind).words,
        amount=format_amount(row.amount_usd, unit="USD") if row.amount_usd is not None else "",
        decided_by=name_of(row.decided_by),
        action=row.action.ref,
    )
