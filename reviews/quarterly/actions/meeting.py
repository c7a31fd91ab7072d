"""In the meeting: who attends, and what is decided of each item, with what follows from it in the same transaction."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from governance.people.queries.people import person_of
from reviews.quarterly.actions import implications
from reviews.quarterly.audit import record_of_cycle
from reviews.quarterly.domain.action_items import action_ref
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.decisions import DecisionInput, DecisionKind, check_wish
from reviews.quarterly.domain.quorum import Side, check_quorum
from reviews.quarterly.models import ActionItem, AgendaItem, Attendance, MeetingDecision, ReviewCycle
from reviews.quarterly.queries.meeting import is_present_as_lead, sides_present
from reviews.quarterly.rules import check_attend, check_decide, check_lead_meeting
from reviews.tickets import actions as effects
from weighbridge.core.errors import Invalid, NotFound, WrongState

OPEN = (CycleState.FROZEN, CycleState.HELD)


@dataclass(frozen=True, kw_only=True)
class TakenDecision:
    """A decision as it is taken: what, why, who carries it out and until when; `owner` None where nobody was named."""

    kind: DecisionKind
    rationale: str
    owner: User | None
    due_on: date | None
    amount_usd: Decimal | None = None


def attend(*, cycle: ReviewCycle, person: User, side: Side, by: User, now: datetime) -> Attendance:
    """Note that somebody attends, for one side; noted again, the side is corrected."""
    check_lead_meeting(person_of(by))
    if not person.is_active:
        raise Invalid(f"The account {person.username} is closed.", field="person")
    check_attend(person_of(person), side=side)
    with transaction.atomic():
        row = _open(cycle)
        noted = {"side": side.value, "noted_by": by, "noted_at": now}
        there, _ = Attendance.objects.update_or_create(cycle=row, person=person, defaults=noted)
        details = {"person": person.username, "side": side.value}
        record_of_cycle(kind="attended", cycle=row, by=by, now=now, details=details)
    return there


def leave(*, cycle: ReviewCycle, person: User, by: User, now: datetime) -> None:
    """Take back that somebody attends; what was decided before stands."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        row = _open(cycle)
        gone, _ = Attendance.objects.filter(cycle=row, person=person).delete()
        if not gone:
            raise NotFound(f"{person.username} is not noted as present.", field="person")
        record_of_cycle(kind="left", cycle=row, by=by, now=now, details={"person": person.username})


def decide(*, item: AgendaItem, decided: TakenDecision, by: User, now: datetime) -> MeetingDecision:
    """Take a decision: with quorum, an owner and a due date; what it implies happens now or nothing does."""
    with transaction.atomic():
        cycle = ReviewCycle.objects.select_for_update().get(pk=item.cycle_id)
        _check_may_decide(cycle, item, by)
        check_wish(_wish(item, decided), today=now.date())
        check_quorum(sides_present(cycle))
        if item.decisions.filter(kind=decided.kind).exists():
            raise WrongState(
                f"It was decided already to {decided.kind.words}; closed matters never reopen.", code="already"
            )
        row = _decision(item, decided, by, now)
        row.effect = implications.carry_out(decision=row, by=by, now=now)
        row.save()
        action = _action(cycle, row, by, now)
        details = {
            "item": item.title,
            "kind": row.kind,
            "action": action.ref,
            "owner": row.owner.username,
            "due_on": row.due_on,
            "effect": row.effect,
        }
        record_of_cycle(kind="decided", cycle=cycle, by=by, now=now, details=details, reason=row.rationale)
    return row


def _check_may_decide(cycle: ReviewCycle, item: AgendaItem, by: User) -> None:
    if cycle.state != CycleState.HELD:
        raise WrongState(f"Decisions are taken while the meeting of {cycle} is open; the cycle is {cycle.state}.")
    if item.removed_at is not None:
        raise WrongState("This item was taken off the agenda; put the matter on it anew.")
    asset = item.asset
    check_decide(
        person_of(by),
        is_present=is_present_as_lead(cycle, user=by),
        team=asset.team.slug if asset else "",
        owner_id=asset.owner_id if asset else None,
    )


def _wish(item: AgendaItem, decided: TakenDecision) -> DecisionInput:
    if decided.owner is not None and not decided.owner.is_active:
        raise Invalid(f"The account {decided.owner.username} is closed; name somebody who is there.", field="owner")
    return DecisionInput(
        kind=decided.kind,
        owner=decided.owner.username if decided.owner else "",
        due_on=decided.due_on,
        rationale=decided.rationale,
        amount=decided.amount_usd,
        has_model=item.asset is not None,
        has_request=item.request is not None,
        has_team=item.team is not None,
    )


def _decision(item: AgendaItem, decided: TakenDecision, by: User, now: datetime) -> MeetingDecision:
    """The row, not stored before what it implies is done."""
    assert decided.owner is not None  # noqa: S101 -- check_wish has refused what has none
    assert decided.due_on is not None  # noqa: S101 -- likewise
    return MeetingDecision(
        item=item,
        kind=decided.kind.value,
        rationale=decided.rationale.strip(),
        owner=decided.owner,
        due_on=decided.due_on,
        amount_usd=decided.amount_usd,
        decided_by=by,
        decided_at=now,
    )


def _action(cycle: ReviewCycle, row: MeetingDecision, by: User, now: datetime) -> ActionItem:
    number = ActionItem.objects.filter(decision__item__cycle=cycle).count() + 1
    action = ActionItem.objects.create(
        decision=row, ref=action_ref(cycle.quarter, number), owner=row.owner, due_on=row.due_on, opened_at=now
    )
    effects.open_action_ticket(item=action, by=by, now=now)
    return action


def _open(cycle: ReviewCycle) -> ReviewCycle:
    row = ReviewCycle.objects.select_for_update().get(pk=cycle.pk)
    if row.state not in OPEN:
        raise WrongState(f"Attendance is noted between cut-off and close; the review of {row} is {row.state}.")
    return row
