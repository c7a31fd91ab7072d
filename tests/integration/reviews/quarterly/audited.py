"""How to call every write of the quarterly review, so that each does something."""

import io
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.test import override_settings

from benchmarking.projections import actions as kept
from governance.inventory.models import ModelAsset
from governance.jobs import actions as jobs
from governance.jobs.models import OutboxMessage
from reviews.quarterly.actions import (
    action_items,
    agenda,
    agenda_refresh,
    cycles,
    decision_effects,
    meeting,
    quarterly_packets,
    scorecard,
)
from reviews.quarterly.actions.scorecard import SuppliedActual
from reviews.quarterly.models import ActionItem, CyclePacket, MeetingDecision, ReviewCycle
from reviews.tickets import actions as effects
from reviews.tickets.models import Ticket
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import filed_kpis, projections
from tests.factories import cycles as make
from tests.factories.costs import cost_spec
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.workflow.worlds import make_world

KPI_LINE = {
    "kpi": "Losses",
    "metric": "recall",
    "target": "0.8",
    "unit": "ratio",
    "better": "higher",
    "owner": "payments",
    "data_source": "ledger",
    "effect": {
        "method": "judgment",
        "low": "1",
        "high": "2",
        "unit": "USD",
        "evidence": "none",
        "estimated_on": "2026-10-05",
    },
}
Call = Callable[[Cast, datetime], object]


def model(cast: Cast, now: datetime) -> ModelAsset:
    return make_version(by=cast.author, now=now).asset


def action(cast: Cast, now: datetime) -> ActionItem:
    return make.make_action(cast=cast, now=now, asset=model(cast, now))


def _advance(cast: Cast, now: datetime) -> None:
    cycle = make.make_cycle(now=now)
    cycles.advance(now=cycle.collecting_at)


def _gather_into(cast: Cast, now: datetime) -> None:
    cycle = make.make_collecting(now=now)
    ModelAsset.objects.filter(pk=model(cast, now).pk).update(owner=cast.outsider)
    agenda_refresh.refresh_agenda(cycle=cycle, now=now)


def _file_kpis(cast: Cast, now: datetime) -> None:
    world = make_world(cast=cast, now=now)
    request = world.submitted()
    projection = kept.project_and_store(spec=cost_spec(kpis=[KPI_LINE]), by=cast.author, now=now)
    projections.state(request=request, projection=projection, option="own", by=cast.author, now=now)
    filed_kpis.register(request=request, by=cast.approver, now=now)


def _oblige(cast: Cast, now: datetime) -> None:
    row = make_world(cast=cast, now=now).decided().decision.authorization
    due_on = now.date() + timedelta(days=9)
    authorizations.add_condition(
        authorization=row, text="Look again.", owner=cast.author, due_on=due_on, by=cast.approver, now=now
    )


def _carry_out(cast: Cast, now: datetime) -> None:
    item = make.make_item(cycle=make.make_held(cast=cast, now=now), by=cast.approver, now=now)
    decision = MeetingDecision(item=item, kind="keep", rationale="Good.", owner=cast.author, due_on=now.date())
    decision_effects.apply(decision=decision, by=cast.approver, now=now)


def _tell(cast: Cast, now: datetime) -> None:
    ticket = Ticket.objects.get(action_item=action(cast, now))
    effects.notify_ticket(ticket=ticket, occasion="done", reason="Done.", by=cast.author, now=now)
    assert OutboxMessage.objects.filter(kind="ticket.tell").count() == 1


def _supply(cast: Cast, now: datetime) -> None:
    cycle, asset = make.make_cycle(now=now), model(cast, now)
    make.make_kpi(asset=asset, by=cast.author, now=now)
    actual = SuppliedActual(asset=asset, kpi="conversion", value=Decimal(3))
    scorecard.supply(quarter=cycle.quarter, actuals=[actual], channel="form", by=cast.author, now=now)


def _issued(cast: Cast, now: datetime) -> CyclePacket:
    return quarterly_packets.issue(cycle=make.make_frozen(now=now), by=cast.approver, now=now)


def _held_packet(cast: Cast, now: datetime) -> CyclePacket:
    packet = CyclePacket.claim(pk=_issued(cast, now).pk, now=now, lease=timedelta(minutes=1))
    assert packet is not None
    return packet


def _done_packet(cast: Cast, now: datetime) -> CyclePacket:
    packet = _held_packet(cast, now)
    assert quarterly_packets.store_pdf(packet=packet, pdf=io.BytesIO(b"%PDF-1.7"), pages=1, now=now)
    packet.refresh_from_db()
    return packet


def _invite(cast: Cast, now: datetime) -> None:
    with override_settings(WEIGHBRIDGE=settings.WEIGHBRIDGE | {"HAS_MAIL": True}):
        quarterly_packets.invite(packet=_done_packet(cast, now), by=cast.approver, now=now)


def _bury(cast: Cast, now: datetime) -> None:
    CyclePacket.objects.filter(pk=_held_packet(cast, now).pk).update(attempts=3)
    assert jobs.mark_dead(model=CyclePacket, now=now + timedelta(minutes=2))


def _retry(cast: Cast, now: datetime) -> None:
    packet = _held_packet(cast, now)
    assert jobs.fail(row=packet, reason="Out of ink.", now=now)
    jobs.retry(row=packet, by=cast.approver, now=now)


def _forget(cast: Cast, now: datetime) -> None:
    packet = _held_packet(cast, now)
    quarterly_packets.store_sections(packet=packet, drawn={"sha256:a": b"x"}, done=0, now=now)
    assert quarterly_packets.delete_unused_sections(now=now + timedelta(days=201)) == 1


def _in_meeting(act: Callable[[ReviewCycle, Cast, datetime], object]) -> Call:
    return lambda cast, now: act(make.make_held(cast=cast, now=now), cast, make.met_at(now))


def _remove_and_put_back(cycle: ReviewCycle, cast: Cast, now: datetime) -> None:
    item = make.make_item(cycle=cycle, by=cast.approver, now=now)
    agenda.remove(item=item, reason="Not now.", by=cast.approver, now=now)
    agenda.put_back(item=item, by=cast.approver, now=now)


ACTIONS: Mapping[str, Call] = {
    "reviews.quarterly.actions.cycles.plan": lambda cast, now: make.make_cycle(now=now),
    "reviews.quarterly.actions.cycles.advance": _advance,
    "reviews.quarterly.actions.cycles.refresh": lambda cast, now: cycles.refresh(
        cycle=make.make_collecting(now=now), by=cast.approver, now=now
    ),
    "reviews.quarterly.actions.cycles.move_cut_off": lambda cast, now: cycles.move_cut_off(
        cycle=make.make_cycle(now=now),
        cut_off_at=now + timedelta(days=60),
        reason="Bills are late.",
        by=cast.product,
        now=now,
    ),
    "reviews.quarterly.actions.cycles.open_meeting": lambda cast, now: make.make_held(cast=cast, now=now),
    "reviews.quarterly.actions.cycles.take_chair": _in_meeting(
        lambda cycle, cast, now: cycles.take_chair(cycle=cycle, by=cast.product, now=now)
    ),
    "reviews.quarterly.actions.cycles.write_notes": _in_meeting(
        lambda cycle, cast, now: cycles.write_notes(cycle=cycle, notes="Short.", by=cast.product, now=now)
    ),
    "reviews.quarterly.actions.cycles.plan_minutes": _in_meeting(
        lambda cycle, cast, now: cycles.plan_minutes(cycle=cycle, minutes_per_item=3, by=cast.product, now=now)
    ),
    "reviews.quarterly.actions.meeting.accept_proposals": lambda cast, now: meeting.accept_proposals(
        items=make.make_proposed(cycle=make.make_held(cast=cast, now=now), cast=cast, now=now, count=2),
        by=cast.approver,
        now=make.met_at(now),
    ),
    "reviews.quarterly.actions.cycles.close": _in_meeting(
        lambda cycle, cast, now: cycles.close(cycle=cycle, by=cast.approver, now=now)
    ),
    "reviews.quarterly.actions.agenda_refresh.refresh_agenda": _gather_into,
    "reviews.quarterly.actions.agenda.add": lambda cast, now: make.make_item(
        cycle=make.make_cycle(now=now), by=cast.approver, now=now
    ),
    "reviews.quarterly.actions.agenda.remove": _in_meeting(
        lambda cycle, cast, now: agenda.remove(
            item=make.make_item(cycle=cycle, by=cast.approver, now=now), reason="Not now.", by=cast.approver, now=now
        )
    ),
    "reviews.quarterly.actions.agenda.put_back": _in_meeting(_remove_and_put_back),
    "reviews.quarterly.actions.agenda.move": _in_meeting(
        lambda cycle, cast, now: agenda.move(
            item=make.make_item(cycle=cycle, by=cast.approver, now=now), position=1, by=cast.approver, now=now
        )
    ),
    "reviews.quarterly.actions.meeting.record_attendance": lambda cast, now: make.make_held(cast=cast, now=now),
    "reviews.quarterly.actions.meeting.remove_attendance": _in_meeting(
        lambda cycle, cast, now: meeting.remove_attendance(cycle=cycle, person=cast.product, by=cast.approver, now=now)
    ),
    "reviews.quarterly.actions.meeting.decide": action,
    "reviews.quarterly.actions.decision_effects.apply": _carry_out,
    "reviews.quarterly.actions.action_items.acknowledge": lambda cast, now: action_items.acknowledge(
        item=action(cast, now), by=cast.author, now=now
    ),
    "reviews.quarterly.actions.action_items.finish": lambda cast, now: action_items.finish(
        item=action(cast, now), outcome="Cut by half.", by=cast.author, now=now
    ),
    "reviews.quarterly.actions.action_items.drop": lambda cast, now: action_items.drop(
        item=action(cast, now), outcome="No use for it.", by=cast.product, now=now
    ),
    "reviews.tickets.actions.open_action_ticket": action,
    "reviews.tickets.actions.notify_ticket": _tell,
    "reviews.workflow.actions.authorizations.add_condition": _oblige,
    "reviews.quarterly.actions.quarterly_packets.issue": _issued,
    "reviews.quarterly.actions.quarterly_packets.issue_due": lambda cast, now: (
        make.make_frozen(now=now),
        quarterly_packets.issue_due(now=now),
    ),
    "reviews.quarterly.actions.quarterly_packets.start_rendering": lambda cast, now: quarterly_packets.start_rendering(
        packet=_held_packet(cast, now), digests=["sha256:a"], now=now
    ),
    "reviews.quarterly.actions.quarterly_packets.store_sections": lambda cast, now: quarterly_packets.store_sections(
        packet=_held_packet(cast, now), drawn={"sha256:a": b"x"}, done=0, now=now
    ),
    "reviews.quarterly.actions.quarterly_packets.store_pdf": _done_packet,
    "reviews.quarterly.actions.quarterly_packets.invite": _invite,
    "reviews.quarterly.actions.quarterly_packets.delete_unused_sections": _forget,
    "reviews.workflow.actions.filed_kpis.register": _file_kpis,
    "reviews.quarterly.actions.scorecard.set_kpi": lambda cast, now: make.make_kpi(
        asset=model(cast, now), by=cast.author, now=now
    ),
    "reviews.quarterly.actions.scorecard.retire_kpi": lambda cast, now: scorecard.retire_kpi(
        kpi=make.make_kpi(asset=model(cast, now), by=cast.author, now=now), by=cast.product, now=now
    ),
    "reviews.quarterly.actions.scorecard.supply": _supply,
}

JOBS: Mapping[str, Call] = {
    "cycle.packet_failed": lambda cast, now: jobs.fail(row=_held_packet(cast, now), reason="Out of ink.", now=now),
    "cycle.packet_dead": _bury,
    "cycle.packet_retried": _retry,
}
