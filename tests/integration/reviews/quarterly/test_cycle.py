"""One quarter from its first day to its minutes: what the tick does, what leads do, and what is refused without a
trace.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from governance.audit.models import AuditEvent
from governance.inventory.models import ModelAsset
from reviews.quarterly.actions import agenda, cycles, meeting
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import AgendaItem, Attendance, ReviewCycle
from reviews.quarterly.tasks import turn_quarters
from tests.factories import cycles as make
from tests.factories.cycles import (
    make_collecting,
    make_cycle,
    make_frozen,
    make_held,
    make_item,
    met_at,
    next_quarter,
)
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, Refused, WrongState

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """In the fourth quarter of 2026."""
    return START


@pytest.fixture
def asset(cast: Cast, now: datetime) -> ModelAsset:
    return make_version(by=cast.author, now=now).asset


def refused(act: Callable[[], object], kind: type[Refused], reason: str, *, field: str | None = None) -> None:
    before = snapshot()
    with pytest.raises(kind, match=reason) as refusal:
        act()
    assert refusal.value.field == field
    assert snapshot() == before


def test_the_tick_makes_one_cycle_however_often_it_runs(db: None, now: datetime) -> None:
    for _ in range(3):
        turn_quarters(now)
    cycle = ReviewCycle.objects.get()
    assert (cycle.quarter, cycle.state) == ("2026Q4", "planned")
    assert cycle.cut_off_at == datetime(2027, 1, 11, tzinfo=UTC)
    assert AuditEvent.objects.filter(kind="cycle.planned").count() == 1


def test_quarters_in_which_nothing_ticked_are_made_up_for(db: None, now: datetime) -> None:
    cycles.plan(now=now)
    made = cycles.plan(now=now + timedelta(days=200))
    assert [cycle.quarter for cycle in made] == ["2027Q1", "2027Q2"]
    assert cycles.plan(now=now) == []


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_make_one_cycle() -> None:
    def tick() -> None:
        cycles.plan(now=START)
        cycles.advance(now=datetime(2026, 12, 20, tzinfo=UTC))
        connection.close()

    threads = [Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(row.quarter, row.state) for row in ReviewCycle.objects.all()] == [("2026Q4", "collecting")]
    assert AuditEvent.objects.filter(kind="cycle.collecting").count() == 1


def test_time_moves_it_to_collecting_and_to_frozen(db: None, now: datetime) -> None:
    cycle = make_cycle(now=now)
    assert cycles.advance(now=now) == []
    assert [row.state for row in cycles.advance(now=cycle.collecting_at)] == ["collecting"]
    assert [row.state for row in cycles.advance(now=cycle.cut_off_at)] == ["frozen"]
    assert cycles.advance(now=cycle.cut_off_at + timedelta(days=90)) == []


def test_a_tick_that_comes_late_moves_it_both_steps(db: None, now: datetime) -> None:
    cycle = make_cycle(now=now)
    (row,) = cycles.advance(now=cycle.cut_off_at)
    assert row.state == "frozen"
    kinds = AuditEvent.objects.filter(subject="2026Q4").order_by("position").values_list("kind", flat=True)
    assert [kind for kind in kinds if kind != "cycle.gathered"] == ["cycle.planned", "cycle.collecting", "cycle.frozen"]


def test_a_cycle_somebody_holds_is_left_to_the_next_tick(
    db: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle = make_cycle(now=now)
    monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda rows, **_: rows.none())
    assert cycles.advance(now=cycle.collecting_at) == []


def test_the_agenda_is_gathered_once_an_hour_while_it_collects(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    cycle = make_collecting(now=now)
    at = cycle.collecting_at
    assert cycle.items.count() == 0
    User.objects.filter(pk=cast.author.pk).update(is_active=False)
    cycles.advance(now=at + timedelta(minutes=59))
    assert cycle.items.count() == 0
    cycles.advance(now=at + timedelta(hours=1))
    item = cycle.items.get()
    assert (item.kind, item.subject, item.asset, item.position) == ("no_owner", "search/visual-search", asset, 10)
    User.objects.filter(pk=cast.author.pk).update(is_active=True)
    cycles.advance(now=at + timedelta(hours=2))
    item.refresh_from_db()
    assert (item.removed_by, item.removal_reason) == (None, "Settled before the meeting.")
    User.objects.filter(pk=cast.author.pk).update(is_active=False)
    cycles.refresh(cycle=cycle, by=cast.product, now=at + timedelta(hours=2))
    item.refresh_from_db()
    assert item.removed_at is None


def test_what_the_chair_took_off_stays_off_and_the_order_stays(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    cycle = make_collecting(now=now)
    ModelAsset.objects.filter(pk=asset.pk).update(owner=cast.outsider)
    cycles.refresh(cycle=cycle, by=cast.approver, now=now)
    gathered, added = cycle.items.get(), make_item(cycle=cycle, by=cast.approver, now=now)
    assert added.position == 20
    assert agenda.move(item=added, position=1, by=cast.product, now=now).position == 10
    version = make_version(by=cast.author, now=now, slug="second")
    ModelAsset.objects.filter(pk=version.asset.pk).update(owner=cast.outsider)
    cycles.refresh(cycle=cycle, by=cast.approver, now=now)
    assert [item.subject for item in cycle.items.all()] == [added.subject, "search/visual-search", "search/second"]
    agenda.remove(item=gathered, reason="Known and harmless.", by=cast.product, now=now)
    cycles.refresh(cycle=cycle, by=cast.approver, now=now)
    gathered.refresh_from_db()
    assert (gathered.removed_by, gathered.removal_reason) == (cast.product, "Known and harmless.")


def test_a_recurrence_is_a_new_item_that_points_back(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    ModelAsset.objects.filter(pk=asset.pk).update(owner=cast.outsider)
    first = make_frozen(now=now).items.get()
    later = make_frozen(now=next_quarter(now)).items.get(kind="no_owner")
    assert later.pk != first.pk
    assert later.recurs == first


def test_the_cut_off_moves_until_it_has_passed(cast: Cast, now: datetime) -> None:
    cycle = make_cycle(now=now)
    later = cycle.cut_off_at + timedelta(days=5)
    moved = cycles.move_cut_off(cycle=cycle, cut_off_at=later, reason="The bills are late.", by=cast.product, now=now)
    assert moved.cut_off_at == later
    for at in (cycle.collecting_at, cycle.cut_off_at + timedelta(days=61)):
        refused(
            lambda at=at: cycles.move_cut_off(
                cycle=cycle, cut_off_at=at, reason="They are late.", by=cast.product, now=now
            ),
            Invalid,
            "The cut-off must be after 2026-12-18 00:00 and at the latest 2027-03-12 00:00 UTC",
            field="cut_off_at",
        )
    refused(
        lambda: cycles.move_cut_off(cycle=cycle, cut_off_at=later, reason=" a ", by=cast.product, now=now),
        Invalid,
        "Give a reason of 10 to 2,000 characters",
        field="reason",
    )
    frozen = make_frozen(now=now)
    cycles.advance(now=later)
    refused(
        lambda: cycles.move_cut_off(cycle=frozen, cut_off_at=later, reason="It is too late.", by=cast.product, now=now),
        WrongState,
        "has passed",
    )


def test_a_meeting_is_held_and_closed_with_its_minutes(cast: Cast, now: datetime) -> None:
    cycle = make_held(cast=cast, now=now)
    assert (cycle.state, cycle.chair) == (CycleState.HELD, cast.approver)
    cycles.write_notes(cycle=cycle, notes="We met.", by=cast.product, now=met_at(now))
    closed = cycles.close(cycle=cycle, by=cast.approver, now=met_at(now))
    assert closed.state == "closed"
    assert closed.minutes_digest == digest_of(closed.minutes)
    assert "Held on 2027-01-12 00:00 UTC; Approver was the chair." in closed.minutes
    assert "- Approver, engineering\n- Product, product\n" in closed.minutes
    assert closed.minutes.endswith("## Notes\n\nWe met.\n")
    refused(lambda: cycles.close(cycle=cycle, by=cast.approver, now=now), WrongState, "already closed")
    refused(lambda: make_item(cycle=cycle, by=cast.approver, now=now), WrongState, "is closed and cannot be changed")
    refused(
        lambda: meeting.record_attendance(cycle=cycle, person=cast.admin, side=Side.GUEST, by=cast.approver, now=now),
        WrongState,
        "between cut-off and close",
    )


def test_nothing_is_closed_without_quorum_nor_by_another_than_the_chair(cast: Cast, now: datetime) -> None:
    cycle = make_held(cast=cast, now=now)
    refused(lambda: cycles.close(cycle=cycle, by=cast.product, now=now), NotAllowed, "take the chair first")
    refused(lambda: cycles.take_chair(cycle=cycle, by=cast.approver, now=now), WrongState, "already the chair")
    cycles.take_chair(cycle=cycle, by=cast.product, now=now)
    meeting.remove_attendance(cycle=cycle, person=cast.approver, by=cast.product, now=now)
    refused(
        lambda: cycles.close(cycle=cycle, by=cast.product, now=now),
        WrongState,
        "There is no quorum: an engineering lead must be present",
    )
    refused(
        lambda: meeting.remove_attendance(cycle=cycle, person=cast.approver, by=cast.product, now=now),
        NotFound,
        "not recorded as present",
        field="person",
    )


def test_steps_out_of_turn(cast: Cast, now: datetime) -> None:
    planned = make_cycle(now=now)
    lead = cast.approver
    refused(lambda: cycles.open_meeting(cycle=planned, by=lead, now=now), WrongState, "planned cannot become held")
    refused(lambda: cycles.refresh(cycle=planned, by=lead, now=now), WrongState, "while the cycle is collecting")
    refused(lambda: cycles.take_chair(cycle=planned, by=lead, now=now), WrongState, "is not open")
    refused(lambda: cycles.write_notes(cycle=planned, notes="", by=lead, now=now), WrongState, "is not open")
    held = make_held(cast=cast, now=now)
    refused(
        lambda: cycles.write_notes(cycle=held, notes="a" * 20_001, by=lead, now=now), Invalid, "at most", field="notes"
    )


def test_who_attends_must_be_what_they_attend_as(cast: Cast, now: datetime) -> None:
    cycle = make_held(cast=cast, now=now)

    def attend(person: User, side: Side) -> object:
        return meeting.record_attendance(cycle=cycle, person=person, side=side, by=cast.approver, now=now)

    refused(lambda: attend(cast.product, Side.ENGINEERING), NotAllowed, "Product is not an engineering lead")
    refused(lambda: attend(cast.auditor, Side.PRODUCT), NotAllowed, "Auditor is not a product lead")
    refused(lambda: attend(cast.author, Side.GUEST), NotAllowed, "may not see the quarterly review")
    attend(cast.auditor, Side.GUEST)
    attend(cast.approver, Side.GUEST)
    assert sorted(Attendance.objects.values_list("person__username", "side")) == [
        ("approver", "guest"),
        ("auditor", "guest"),
        ("product", "product"),
    ]
    User.objects.filter(pk=cast.finance.pk).update(is_active=False)
    cast.finance.refresh_from_db()
    refused(lambda: attend(cast.finance, Side.GUEST), Invalid, "is closed", field="person")


def test_the_agenda_takes_words_and_known_places(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    cycle = make_cycle(now=now)
    item = make_item(cycle=cycle, by=cast.approver, now=now, asset=asset)
    assert (item.page, item.kind, item.added_by) == (f"/models/search/{asset.slug}/", "added", cast.approver)
    refused(
        lambda: agenda.add(cycle=cycle, title="a", reason="Because so.", by=cast.approver, now=now),
        Invalid,
        "Write 5 to 400 characters",
        field="title",
    )
    refused(
        lambda: agenda.add(cycle=cycle, title="A title", reason="", by=cast.approver, now=now),
        Invalid,
        "Write 5 to 2,000 characters",
        field="reason",
    )
    refused(
        lambda: agenda.move(item=item, position=2, by=cast.approver, now=now), Invalid, "from 1 to 1", field="position"
    )
    refused(lambda: agenda.remove(item=item, reason="", by=cast.approver, now=now), Invalid, "Write", field="reason")
    agenda.remove(item=item, reason="Not now.", by=cast.approver, now=now)
    refused(
        lambda: agenda.remove(item=item, reason="Not now.", by=cast.approver, now=now),
        WrongState,
        "removed from the agenda",
    )


def test_only_leads_prepare_and_lead(cast: Cast, now: datetime) -> None:
    cycle, held = make_cycle(now=now), make_held(cast=cast, now=now)
    item = make_item(cycle=held, by=cast.approver, now=now)
    steps: list[Callable[[User], object]] = [
        lambda by: cycles.refresh(cycle=cycle, by=by, now=now),
        lambda by: cycles.move_cut_off(cycle=cycle, cut_off_at=now, reason="Because of it.", by=by, now=now),
        lambda by: cycles.open_meeting(cycle=cycle, by=by, now=now),
        lambda by: cycles.take_chair(cycle=held, by=by, now=now),
        lambda by: cycles.write_notes(cycle=held, notes="", by=by, now=now),
        lambda by: cycles.close(cycle=held, by=by, now=now),
        lambda by: agenda.add(cycle=cycle, title="A title", reason="Because of it.", by=by, now=now),
        lambda by: agenda.remove(item=item, reason="Because of it.", by=by, now=now),
        lambda by: agenda.move(item=item, position=1, by=by, now=now),
        lambda by: meeting.record_attendance(cycle=held, person=cast.admin, side=Side.GUEST, by=by, now=now),
        lambda by: meeting.remove_attendance(cycle=held, person=cast.product, by=by, now=now),
        lambda by: meeting.decide(item=item, decided=make.decided(cast, now), by=by, now=met_at(now)),
    ]
    before = snapshot()
    for by in (cast.author, cast.reviewer_one, cast.finance, cast.admin, cast.auditor):
        for step in steps:
            with pytest.raises(NotAllowed, match="Only a platform lead or a product lead"):
                step(by)
    assert snapshot() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE quarterly_reviewcycle SET notes = 'x'",
        "DELETE FROM quarterly_reviewcycle",
        "UPDATE quarterly_agendaitem SET title = 'x'",
        "DELETE FROM quarterly_agendaitem",
        "DELETE FROM quarterly_attendance",
        "UPDATE quarterly_meetingdecision SET rationale = 'x'",
        "UPDATE quarterly_actionitem SET outcome = 'x'",
        "DELETE FROM quarterly_actionitem",
    ],
)
def test_the_database_holds_what_is_closed(cast: Cast, asset: ModelAsset, now: datetime, statement: str) -> None:
    from reviews.quarterly.actions import action_items

    item = make.make_action(cast=cast, now=now, asset=asset)
    action_items.finish(item=item, outcome="Done well.", by=cast.author, now=now)
    cycles.close(cycle=item.decision.item.cycle, by=cast.approver, now=met_at(now))
    with pytest.raises(DatabaseError, match=r"never change|append-only|only while"), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_database_takes_no_decision_outside_a_meeting_with_quorum(
    cast: Cast, asset: ModelAsset, now: datetime
) -> None:
    from reviews.quarterly.models import MeetingDecision

    cycle = make_held(cast=cast, now=now)
    item = make_item(cycle=cycle, by=cast.approver, now=now, asset=asset)
    fields = {
        "item": item,
        "rationale": "So.",
        "owner": cast.author,
        "due_on": now.date(),
        "effect": "",
        "kind": "keep",
        "decided_by": cast.approver,
        "decided_at": now,
    }
    Attendance.objects.filter(person=cast.product).delete()
    with pytest.raises(DatabaseError, match="needs a quorum"), transaction.atomic():
        MeetingDecision.objects.create(**fields)
    early = make_item(
        cycle=ReviewCycle.objects.create(
            quarter="2027Q3", planned_at=now, collecting_at=now, cut_off_at=now + timedelta(days=1)
        ),
        by=cast.approver,
        now=now,
    )
    with pytest.raises(DatabaseError, match="in a held meeting"), transaction.atomic():
        MeetingDecision.objects.create(**fields | {"item": early})
    with pytest.raises(DatabaseError, match="quarterly_reviewcycle_quarter"), transaction.atomic():
        ReviewCycle.objects.create(
            quarter="2027Q3", planned_at=now, collecting_at=now, cut_off_at=now + timedelta(days=1)
        )
    assert AgendaItem.objects.count() == 2
