"""Record attendance and decisions of a meeting. The effects of a decision happen in the same transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.people.queries.people import person_of
from reviews.quarterly.actions import decision_effects
from reviews.quarterly.audit import record_cycle_event
from reviews.quarterly.domain.action_items import action_ref
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.decisions import NO_REASON_TEXT, TakenDecision, check_decision
from reviews.quarterly.domain.quorum import Side, check_quorum
from reviews.quarterly.models import ActionItem, AgendaItem, Attendance, MeetingDecision, ReviewCycle
from reviews.quarterly.queries.meeting import is_present_as_lead, sides_present
from reviews.quarterly.queries.proposals import mark_of, proposal_for
from reviews.quarterly.rules import check_attend, check_decide, check_lead_meeting
from reviews.tickets import actions as effects
from weighbridge.core.errors import Invalid, NotFound, WrongState

OPEN = (CycleState.FROZEN, CycleState.HELD)


def record_attendance(*, cycle: ReviewCycle, person: User, side: Side, by: User, now: datetime) -> Attendance:
    """Record that a person attends for one side. A second call for the same person replaces the side."""
    check_lead_meeting(person_of(by))
    if not person.is_active:
        raise Invalid(f"The account {person.username} is closed.", field="person")
    check_attend(person_of(person), side=side)
    with transaction.atomic():
        row = _open(cycle)
        fields = {"side": side.value, "noted_by": by, "noted_at": now}
        attendance, _ = Attendance.objects.update_or_create(cycle=row, person=person, defaults=fields)
        details = {"person": person.username, "side": side.value}
        record_cycle_event(kind="attended", cycle=row, by=by, now=now, details=details)
    return attendance


def remove_attendance(*, cycle: ReviewCycle, person: User, by: User, now: datetime) -> None:
    """Remove a person from the attendance. Earlier decisions stay valid."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        row = _open(cycle)
        deleted, _ = Attendance.objects.filter(cycle=row, person=person).delete()
        if not deleted:
            raise NotFound(f"{person.username} is not recorded as present.", field="person")
        record_cycle_event(kind="left", cycle=row, by=by, now=now, details={"person": person.username})


def decide(
    *,
    item: AgendaItem,
    decided: TakenDecision[User],
    decisions_seen: int | None = None,
    revision_seen: int | None = None,
    by: User,
    now: datetime,
) -> MeetingDecision:
    """Record a decision and apply its effects, or neither. It needs a quorum, an owner and a due date.

    `decisions_seen` is how many decisions of the item the person saw. If there are others now, nothing is decided.
    Likewise, no investment is approved on another revision of the request than `revision_seen`.
    """
    with transaction.atomic():
        cycle = ReviewCycle.objects.select_for_update().get(pk=item.cycle_id)
        item = _as_it_stands(item)
        _check_may_decide(cycle, item, by)
        if decisions_seen not in {None, item.decisions.count()}:
            raise WrongState(f"“{item.title}” was decided meanwhile. Read the item again.", code="changed")
        if decided.owner is not None and not decided.owner.is_active:
            raise Invalid(f"The account {decided.owner.username} is closed; name an active person.", field="owner")
        check_decision(
            decided,
            has_model=item.asset is not None,
            has_request=item.request is not None,
            has_team=item.team is not None,
            today=now.date(),
        )
        check_quorum(sides_present(cycle))
        if item.decisions.filter(kind=decided.kind).exists():
            raise WrongState(
                f"The meeting already decided to {decided.kind.words} here; a decision cannot be made twice.",
                code="already",
            )
        row = _decision(item, decided, by, now)
        row.effect = decision_effects.apply(decision=row, revision_seen=revision_seen, by=by, now=now)
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
        record_cycle_event(kind="decided", cycle=cycle, by=by, now=now, details=details, reason=row.rationale)
    return row


def accept_proposals(
    *, items: Sequence[AgendaItem], seen: Collection[str] | None = None, by: User, now: datetime
) -> list[MeetingDecision]:
    """Decide these items of one cycle as proposed, or none of them. Each decision is audited on its own.

    `seen` are the marks (`mark_of`) of the proposals that the person saw. If an item has another one now, nothing is
    decided.
    """
    check_lead_meeting(person_of(by))
    if not items:
        raise Invalid("Select at least one item.", field="items")
    with transaction.atomic():
        ReviewCycle.objects.select_for_update().get(pk=items[0].cycle_id)
        return [_accept(_as_it_stands(item), seen, by, now) for item in items]


def _as_it_stands(item: AgendaItem) -> AgendaItem:
    """The item read again under the lock of its cycle: another lead may have decided or removed it meanwhile."""
    return AgendaItem.objects.select_related("asset__team", "request", "team").get(pk=item.pk)


def _accept(item: AgendaItem, seen: Collection[str] | None, by: User, now: datetime) -> MeetingDecision:
    proposal = proposal_for(item, today=now.date())
    if proposal is None or not proposal.is_safe:
        raise WrongState(f"“{item.title}” has no proposal that needs no reason; decide it on its own page.")
    if item.decisions.exists():
        raise WrongState(f"“{item.title}” was decided meanwhile. Read the list again.", code="changed")
    if seen is not None and mark_of(item, proposal=proposal) not in seen:
        raise WrongState(f"The proposal for “{item.title}” is another one now. Read it, then accept.", code="changed")
    taken = TakenDecision(kind=proposal.kind, rationale="", owner=proposal.owner, due_on=proposal.due_on)
    return decide(item=item, decided=taken, by=by, now=now)


def _check_may_decide(cycle: ReviewCycle, item: AgendaItem, by: User) -> None:
    check_lead_meeting(person_of(by))
    if cycle.state != CycleState.HELD:
        raise WrongState(
            f"Decisions can be made only while the meeting of {cycle} is open; the cycle is {cycle.state}."
        )
    if item.removed_at is not None:
        raise WrongState("This item was removed from the agenda; add it again to decide it.")
    asset = item.asset
    check_decide(
        person_of(by),
        is_present=is_present_as_lead(cycle, person_id=by.pk),
        team=asset.team.slug if asset else "",
        owner_id=asset.owner_id if asset else None,
    )


def _decision(item: AgendaItem, decided: TakenDecision[User], by: User, now: datetime) -> MeetingDecision:
    """The unsaved row; the caller saves it after its effects are applied."""
    assert decided.owner is not None  # noqa: S101 -- check_decision refuses a decision without one
    assert decided.due_on is not None  # noqa: S101 -- likewise
    return MeetingDecision(
        item=item,
        kind=decided.kind.value,
        rationale=decided.rationale.strip() or NO_REASON_TEXT,
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
        raise WrongState(
            f"Attendance can be recorded only between cut-off and close; the review of {row} is {row.state}."
        )
    return row
