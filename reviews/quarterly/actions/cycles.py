"""The cycle of a quarter. The tick plans and advances it and refreshes its agenda; people run the meeting."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from governance.budgets.domain.quarters import Quarter
from governance.notifications.domain.events import Occurrence
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.notices import addressees_of
from governance.notifications.queries.relevance import found_at
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from reviews.quarterly.actions import agenda_refresh
from reviews.quarterly.audit import record_cycle_event
from reviews.quarterly.domain.cycle import Calendar, CycleState, check_move, due_state
from reviews.quarterly.domain.minutes import markdown
from reviews.quarterly.domain.quorum import check_quorum
from reviews.quarterly.models import MINUTES_PER_ITEM_MAX, ReviewCycle
from reviews.quarterly.queries.cycles import find
from reviews.quarterly.queries.meeting import concerned, minutes_of, sides_present, undecided_items
from reviews.quarterly.rules import check_close_meeting, check_lead_meeting
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, WrongState

found_at("cycles", find=lambda quarter, person: find(quarter=quarter, person=person))

NOTES_CHARS_MAX = 20_000
NOTES_CHANGED = (
    "Somebody changed the notes after you opened them. Nothing was overwritten: add what they wrote to your text, then "
    "save it."
)
CUT_OFF_WITHIN = timedelta(days=60)


def plan(*, by: User | None = None, now: datetime) -> list[ReviewCycle]:
    """Create the cycle of the current quarter and of any missed quarters since the last one. Idempotent."""
    current, created = Quarter.of(now), []
    last = ReviewCycle.objects.order_by("-quarter").values_list("quarter", flat=True).first()
    quarter = min(Quarter.parse(last).next, current) if last else current
    while quarter <= current:
        times = asdict(Calendar.of(quarter))
        with transaction.atomic():
            fields = {"planned_at": now, **times}
            cycle, is_new = ReviewCycle.objects.get_or_create(quarter=str(quarter), defaults=fields)
            if is_new:
                record_cycle_event(kind="planned", cycle=cycle, by=by, now=now, details=times)
                created.append(cycle)
        quarter = quarter.next
    return created


def advance(*, by: User | None = None, now: datetime) -> list[ReviewCycle]:
    """Advance the cycles that are due, and refresh the agenda of collecting cycles once an hour."""
    waiting = ReviewCycle.objects.filter(state__in=[CycleState.PLANNED, CycleState.COLLECTING])
    moved = []
    for pk in list(waiting.order_by("quarter").values_list("pk", flat=True)):
        with transaction.atomic():
            row = waiting.select_for_update(skip_locked=True).filter(pk=pk).first()
            if row is None:  # another process has locked it
                continue
            if _moved_by_time(row, by, now):
                moved.append(row)
            elif row.state == CycleState.COLLECTING and _is_stale(row, now):
                agenda_refresh.refresh_agenda(cycle=row, by=by, now=now)
    return moved


def refresh(*, cycle: ReviewCycle, by: User, now: datetime) -> ReviewCycle:
    """Refresh the agenda now instead of at the next hourly refresh."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        row = _locked(cycle)
        if row.state != CycleState.COLLECTING:
            raise WrongState(
                f"The agenda of {row} can be refreshed only while the cycle is collecting; it is {row.state} now."
            )
        agenda_refresh.refresh_agenda(cycle=row, by=by, now=now)
    return row


def move_cut_off(*, cycle: ReviewCycle, cut_off_at: datetime, reason: str, by: User, now: datetime) -> ReviewCycle:
    """Move the cut-off, which has not passed, to another time in the future. After it, values are frozen."""
    check_lead_meeting(person_of(by))
    check_reason(reason)
    with transaction.atomic():
        row = _locked(cycle)
        if row.state not in {CycleState.PLANNED, CycleState.COLLECTING}:
            raise WrongState(f"The cut-off of {row} has passed; the cycle is {row.state}.")
        _check_cut_off(row, cut_off_at, now)
        details = {"before": row.cut_off_at, "after": cut_off_at}
        row.cut_off_at = cut_off_at
        row.save(update_fields=["cut_off_at"])
        record_cycle_event(kind="cut_off_moved", cycle=row, by=by, now=now, details=details, reason=reason)
        _notify_of_cut_off(row, now)
    return row


def open_meeting(*, cycle: ReviewCycle, by: User, now: datetime) -> ReviewCycle:
    """Open the meeting. The person who opens it becomes the chair."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        row = _locked(cycle)
        check_move(source=CycleState(row.state), target=CycleState.HELD)
        row.state, row.chair, row.held_at = CycleState.HELD, by, now
        row.save(update_fields=["state", "chair", "held_at"])
        record_cycle_event(kind="held", cycle=row, by=by, now=now)
    return row


def take_chair(*, cycle: ReviewCycle, by: User, now: datetime) -> ReviewCycle:
    """Replace the chair of an open meeting."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        row = _held(cycle)
        if row.chair_id == by.pk:
            raise WrongState("You are already the chair.", code="already")
        details = {"before": row.chair.username if row.chair else "", "after": by.username}
        row.chair = by
        row.save(update_fields=["chair"])
        record_cycle_event(kind="chair_taken", cycle=row, by=by, now=now, details=details)
    return row


def write_notes(*, cycle: ReviewCycle, notes: str, seen: str = "", by: User, now: datetime) -> ReviewCycle:
    """Store the notes of the leads, which become part of the minutes.

    `seen` is the digest of the notes that the person saw; "" says nothing about it. Raises WrongState if somebody wrote
    others meanwhile.
    """
    check_lead_meeting(person_of(by))
    if len(notes) > NOTES_CHARS_MAX:
        raise Invalid(f"The notes can have at most {NOTES_CHARS_MAX:,} characters.", field="notes")
    with transaction.atomic():
        row = _held(cycle)
        # A form that was sent twice finds its own notes, and overwrites nothing.
        if seen not in {"", digest_of(row.notes)} and notes != row.notes:
            raise WrongState(NOTES_CHANGED, code="changed")
        row.notes = notes
        row.save(update_fields=["notes"])
        record_cycle_event(kind="notes_written", cycle=row, by=by, now=now, details={"characters": len(notes)})
    return row


def plan_minutes(*, cycle: ReviewCycle, minutes_per_item: int, by: User, now: datetime) -> ReviewCycle:
    """Set the minutes that the meeting plans for each item. Nothing ends when they have passed."""
    check_lead_meeting(person_of(by))
    if not 1 <= minutes_per_item <= MINUTES_PER_ITEM_MAX:
        raise Invalid(f"Plan 1 to {MINUTES_PER_ITEM_MAX} minutes for each item.", field="minutes_per_item")
    with transaction.atomic():
        row = _locked(cycle)
        if row.state == CycleState.CLOSED:
            raise WrongState(f"The review of {row} is closed and cannot be changed.", code="closed")
        details = {"before": row.minutes_per_item, "after": minutes_per_item}
        row.minutes_per_item = minutes_per_item
        row.save(update_fields=["minutes_per_item"])
        record_cycle_event(kind="minutes_planned", cycle=row, by=by, now=now, details=details)
    return row


def close(*, cycle: ReviewCycle, undecided: Collection[int] | None = None, by: User, now: datetime) -> ReviewCycle:
    """Close the meeting and issue its minutes. A closed cycle cannot be changed.

    `undecided` are the ids of the undecided items that the chair saw. If others are undecided now, nothing is closed.
    """
    with transaction.atomic():
        row = _locked(cycle)
        check_lead_meeting(person_of(by))
        check_move(source=CycleState(row.state), target=CycleState.CLOSED)
        check_close_meeting(person_of(by), chair_id=row.chair_id)
        check_quorum(sides_present(row))
        left = list(undecided_items(row))
        if undecided is not None and set(undecided) != {item.pk for item in left}:
            raise WrongState("The agenda changed after you saw this list. Read it again, then close.", code="changed")
        row.minutes = markdown(minutes_of(row))
        row.minutes_digest = digest_of(row.minutes)
        row.state, row.closed_at, row.closed_by = CycleState.CLOSED, now, by
        row.save(update_fields=["minutes", "minutes_digest", "state", "closed_at", "closed_by"])
        details = {"minutes": row.minutes_digest, "not_decided": len(left)}
        record_cycle_event(kind="closed", cycle=row, by=by, now=now, details=details)
    return row


def _moved_by_time(row: ReviewCycle, by: User | None, now: datetime) -> bool:
    if _due_state(row, now) is None:
        return False
    # Once, also for two steps, because the first audit event locks the head of the trail, for which everybody waits.
    agenda_refresh.refresh_agenda(cycle=row, by=by, now=now)
    while target := _due_state(row, now):
        check_move(source=CycleState(row.state), target=target)
        record_cycle_event(kind=target.value, cycle=row, by=by, now=now, details={"before": row.state})
        row.state = target
        row.save(update_fields=["state"])
        _notify_of_state(row, by, now)
    return True


def _due_state(row: ReviewCycle, now: datetime) -> CycleState | None:
    state = CycleState(row.state)
    return due_state(state, collecting_at=row.collecting_at, cut_off_at=row.cut_off_at, now=now)


def _notify_of_state(row: ReviewCycle, by: User | None, now: datetime) -> None:
    is_frozen = row.state == CycleState.FROZEN
    until = f"The figures of the review {row} are collected until {row.cut_off_at:%Y-%m-%d %H:%M} UTC."
    event = Occurrence(
        kind="quarter",
        key=_state_key(row, CycleState(row.state)),
        reference=row.quarter,
        path=f"/cycles/{row.quarter}/",
        sentence=f"The figures of the review {row} are frozen; the meeting can begin." if is_frozen else until,
        meets_at=None if is_frozen else row.cut_off_at,
    )
    notify(event=event, people=concerned(row), by=by, now=now)


def _notify_of_cut_off(row: ReviewCycle, now: datetime) -> None:
    """Whoever got a calendar file with the earlier cut-off gets the next one, also the person who moved it."""
    event = Occurrence(
        kind="quarter",
        key=f"cycle:{row.quarter}:cut-off:{now.isoformat()}",
        reference=row.quarter,
        path=f"/cycles/{row.quarter}/",
        sentence=f"The cut-off of the review {row} is moved to {row.cut_off_at:%Y-%m-%d %H:%M} UTC.",
        meets_at=row.cut_off_at,
    )
    notify(event=event, people=addressees_of(_state_key(row, CycleState.COLLECTING)), now=now)


def _state_key(row: ReviewCycle, state: CycleState) -> str:
    return f"cycle:{row.quarter}:{state}"


def _is_stale(row: ReviewCycle, now: datetime) -> bool:
    """Whether its agenda was not gathered in this hour: two jobs of two hours may be less than an hour apart."""
    return row.gathered_at is None or row.gathered_at < now.replace(minute=0, second=0, microsecond=0)


def _check_cut_off(row: ReviewCycle, cut_off_at: datetime, now: datetime) -> None:
    latest = Calendar.of(Quarter.parse(row.quarter)).cut_off_at + CUT_OFF_WITHIN
    if not max(now, row.collecting_at) < cut_off_at <= latest:
        raise Invalid(
            f"The cut-off must be after {max(now, row.collecting_at):%Y-%m-%d %H:%M} and at the latest "
            f"{latest:%Y-%m-%d %H:%M} UTC.",
            field="cut_off_at",
        )


def _locked(cycle: ReviewCycle) -> ReviewCycle:
    return ReviewCycle.objects.select_for_update().get(pk=cycle.pk)


def _held(cycle: ReviewCycle) -> ReviewCycle:
    row = _locked(cycle)
    if row.state != CycleState.HELD:
        raise WrongState(f"The meeting of {row} is not open; the cycle is {row.state}.")
    return row
