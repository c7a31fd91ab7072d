"""The page of a meeting: one item of the agenda beside its evidence, with counters, attendance and clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.contrib.auth.models import User
from django.db.models import Max

from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.proposals import Proposal
from reviews.quarterly.domain.quorum import missing
from reviews.quarterly.models import ActionItem, AgendaItem, MeetingDecision, ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.queries.item_evidence import ItemEvidence, evidence_of
from reviews.quarterly.queries.meeting import may_decide_now, sides_present
from reviews.quarterly.queries.proposals import decisions_allowed, mark_of, proposal_for, safe_proposals
from reviews.quarterly.rules import may_close_meeting, may_lead_meeting


@dataclass(frozen=True, kw_only=True)
class MeetingClock:
    """When the meeting began, and when the discussion of the current item began: at the latest decision."""

    held_at: datetime
    item_since: datetime
    minutes_per_item: int
    open_items: int
    now: datetime

    @property
    def minutes_held(self) -> int:
        """Full minutes since the meeting was opened."""
        return max(self.now - self.held_at, timedelta()) // timedelta(minutes=1)

    @property
    def minutes_on_item(self) -> int:
        """Full minutes since the latest decision."""
        return max(self.now - self.item_since, timedelta()) // timedelta(minutes=1)

    @property
    def minutes_left(self) -> int:
        """The minutes planned for the undecided items."""
        return ceil(self.open_items * self.minutes_per_item)


@dataclass(frozen=True, kw_only=True)
class MeetingCounters:
    """How much of the meeting is done."""

    items: int
    decided: int
    action_items: int
    acceptable: int

    @property
    def undecided(self) -> int:
        """The items without a decision."""
        return self.items - self.decided


@dataclass(frozen=True, kw_only=True)
class MeetingPage:
    """One item of a meeting as this person sees it. `before`, `after` and `next_open` are ids of items, or None."""

    quarter: str
    state: CycleState
    chair: str
    item: reads.AgendaItemView
    evidence: ItemEvidence
    proposal: Proposal[User] | None
    mark: str
    allowed: frozenset[DecisionKind]
    before: int | None
    after: int | None
    next_open: int | None
    counters: MeetingCounters
    attendees: tuple[reads.Attendee, ...]
    missing: tuple[str, ...]
    is_present: bool
    may_lead: bool
    may_close: bool
    clock: MeetingClock | None

    @property
    def is_held(self) -> bool:
        """Whether decisions are possible now."""
        return self.state is CycleState.HELD


def agenda_in_order(cycle: ReviewCycle) -> list[tuple[int, bool]]:
    """The id of each item of the agenda, and whether it is decided."""
    rows = cycle.items.filter(removed_at=None).prefetch_related("decisions").order_by("position", "pk")
    return [(row.pk, bool(row.decisions.all())) for row in rows]


def first_open(order: list[tuple[int, bool]], *, after: int | None = None) -> int | None:
    """The first undecided item after an item, or else the first of all; None if every item is decided."""
    ids = [pk for pk, _ in order]
    start = ids.index(after) + 1 if after in ids else 0
    return next((pk for pk, is_decided in (*order[start:], *order[:start]) if not is_decided), None)


def counters_of(cycle: ReviewCycle, *, person: Person, is_present: bool, now: datetime) -> MeetingCounters:
    """The counters of the meeting."""
    order = agenda_in_order(cycle)
    safe = safe_proposals(cycle, person=person, is_present=is_present, today=now.date())
    return MeetingCounters(
        items=len(order),
        decided=sum(is_decided for _, is_decided in order),
        action_items=ActionItem.objects.filter(decision__item__cycle=cycle).count(),
        acceptable=len(safe),
    )


def meeting_page(*, cycle: ReviewCycle, item: AgendaItem, person: Person, now: datetime) -> MeetingPage:
    """The page of one item that is on the agenda."""
    order = agenda_in_order(cycle)
    place = [pk for pk, _ in order].index(item.pk)
    present = sides_present(cycle)
    is_present = may_decide_now(cycle, person_id=person.id)
    proposal = proposal_for(item, today=now.date())
    counters = counters_of(cycle, person=person, is_present=is_present, now=now)
    return MeetingPage(
        quarter=cycle.quarter,
        state=CycleState(cycle.state),
        chair=name_of(cycle.chair) if cycle.chair else "",
        item=reads.item_view(item, person=person, position=place + 1, is_present=is_present),
        evidence=evidence_of(item),
        proposal=proposal,
        mark=mark_of(item, proposal=proposal) if proposal else "",
        allowed=decisions_allowed(item),
        before=order[place - 1][0] if place else None,
        after=order[place + 1][0] if place + 1 < len(order) else None,
        next_open=first_open(order, after=item.pk),
        counters=counters,
        attendees=reads.attendees_of(cycle),
        missing=tuple(side.words for side in missing(present)),
        is_present=is_present,
        may_lead=may_lead_meeting(person),
        may_close=may_close_meeting(person, chair_id=cycle.chair_id),
        clock=_clock(cycle, counters, now),
    )


def _clock(cycle: ReviewCycle, counters: MeetingCounters, now: datetime) -> MeetingClock | None:
    if cycle.state != CycleState.HELD or cycle.held_at is None:
        return None
    latest = MeetingDecision.objects.filter(item__cycle=cycle).aggregate(latest=Max("decided_at"))["latest"]
    return MeetingClock(
        held_at=cycle.held_at,
        item_since=max(latest or cycle.held_at, cycle.held_at),
        minutes_per_item=cycle.minutes_per_item,
        open_items=counters.undecided,
        now=now,
    )
