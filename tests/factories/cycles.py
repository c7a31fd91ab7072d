"""Quarterly cycles in each of their states, made through the public actions."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from django.contrib.auth.models import User

from governance.budgets.domain.quarters import Quarter
from governance.inventory.models import ModelAsset
from reviews.quarterly.actions import agenda, cycles, meeting, scorecard
from reviews.quarterly.actions.scorecard import KpiSheet
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.cycle import Calendar
from reviews.quarterly.domain.decisions import DecisionKind, TakenDecision
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import ActionItem, AgendaItem, MeetingDecision, ReviewCycle
from reviews.scorecard.domain.scorecard import KpiDirection
from reviews.scorecard.models import Kpi
from tests.factories.models import make_version
from tests.factories.people import Cast


def next_quarter(now: datetime, count: int = 1) -> datetime:
    """The beginning of the quarter that comes `count` quarters after that of `now`, which no number of days gives."""
    quarter = Quarter.of(now)
    for _ in range(count):
        quarter = quarter.next
    return datetime.combine(quarter.start_on, time(), UTC)


def make_cycle(*, now: datetime) -> ReviewCycle:
    """Planned: that of the quarter `now` falls in."""
    cycles.plan(now=now)
    return ReviewCycle.objects.get(quarter=str(Quarter.of(now)))


def make_collecting(*, now: datetime) -> ReviewCycle:
    """Collecting: two weeks before the quarter's end."""
    cycle = make_cycle(now=now)
    cycles.advance(now=max(now, cycle.collecting_at))
    cycle.refresh_from_db()
    return cycle


def make_frozen(*, now: datetime) -> ReviewCycle:
    """Cut off."""
    cycle = make_cycle(now=now)
    cycles.advance(now=max(now, cycle.cut_off_at))
    cycle.refresh_from_db()
    return cycle


def make_held(*, cast: Cast, now: datetime) -> ReviewCycle:
    """The meeting is open, the platform lead in the chair, with quorum."""
    return hold(make_frozen(now=now), cast=cast, now=now)


def hold(frozen: ReviewCycle, *, cast: Cast, now: datetime) -> ReviewCycle:
    """Open the meeting of a cycle, with quorum."""
    cycle = cycles.open_meeting(cycle=frozen, by=cast.approver, now=met_at(now))
    meeting.record_attendance(
        cycle=cycle, person=cast.approver, side=Side.ENGINEERING, by=cast.approver, now=met_at(now)
    )
    meeting.record_attendance(cycle=cycle, person=cast.product, side=Side.PRODUCT, by=cast.approver, now=met_at(now))
    return cycle


def met_at(now: datetime) -> datetime:
    """A day after the cut-off of the quarter `now` falls in."""
    return Calendar.of(Quarter.of(now)).cut_off_at + timedelta(days=1)


def make_item(*, cycle: ReviewCycle, by: User, now: datetime, asset: ModelAsset | None = None) -> AgendaItem:
    return agenda.add(
        cycle=cycle, title="The ranking model", reason="It costs more than it gains.", asset=asset, by=by, now=now
    )


def make_proposed(
    *, cycle: ReviewCycle, cast: Cast, now: datetime, count: int, kind: AgendaKind = AgendaKind.NEW_INVESTMENT
) -> list[AgendaItem]:
    """So many items of a kind about a model each, all of the author, as the agenda rules would add them."""
    start = cycle.items.count()
    items = []
    for number in range(start + 1, start + count + 1):
        asset = make_version(by=cast.author, now=now, slug=f"model-{number}").asset
        items.append(
            AgendaItem.objects.create(
                cycle=cycle,
                kind=kind,
                subject=f"subject-{number}",
                title=f"Model number {number}",
                reason=f"It costs {number},000 USD a year.",
                page=f"/models/search/model-{number}/",
                position=number * 10,
                asset=asset,
                team=asset.team,
                added_at=now,
            )
        )
    return items


def make_decision(
    *, cast: Cast, now: datetime, kind: DecisionKind = DecisionKind.KEEP, asset: ModelAsset | None = None
) -> MeetingDecision:
    """A decision in an open meeting, owed by the author within thirty days."""
    held = ReviewCycle.objects.filter(state="held").first() or make_held(cast=cast, now=now)
    item = make_item(cycle=held, by=cast.approver, now=met_at(now), asset=asset)
    return meeting.decide(item=item, decided=decided(cast, now, kind=kind), by=cast.approver, now=met_at(now))


def decided(cast: Cast, now: datetime, *, kind: DecisionKind = DecisionKind.KEEP, **changes: object) -> MeetingDecision:
    fields = {
        "kind": kind,
        "rationale": "It earns what it costs.",
        "owner": cast.author,
        "due_on": met_at(now).date() + timedelta(days=30),
    }
    return TakenDecision(**{**fields, **changes})


def make_action(*, cast: Cast, now: datetime, asset: ModelAsset) -> ActionItem:
    return make_decision(cast=cast, now=now, asset=asset).action


def sheet(by: User, **changes: object) -> KpiSheet:
    fields = {
        "slug": "conversion",
        "name": "Conversion of searches",
        "metric": "accuracy",
        "unit": "%",
        "better": KpiDirection.HIGHER,
        "target": Decimal("3.2"),
        "owner": by,
        "data_source": "Web analytics",
        "how_estimated": "Orders after a search, over searches; four weeks.",
    }
    return KpiSheet(**{**fields, **changes})


def make_kpi(*, asset: ModelAsset, by: User, now: datetime, **changes: object) -> Kpi:
    return scorecard.set_kpi(asset=asset, sheet=sheet(by, **changes), by=by, now=now)
