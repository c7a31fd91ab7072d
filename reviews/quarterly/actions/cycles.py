"""The cycle of a quarter. The tick plans and advances it and refreshes its agenda; people run the meeting."""

from dataclasses import asdict
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from governance.budgets.domain.quarters import Quarter
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from reviews.quarterly.actions import agenda_refresh
from reviews.quarterly.audit import record_cycle_event
from reviews.quarterly.domain.cycle import Calendar, CycleState, check_move, due_state
from reviews.quarterly.domain.minutes import markdown
from reviews.quarterly.domain.quorum import check_quorum
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries.meeting import minutes_of, sides_present
from reviews.quarterly.rules import check_close_meeting, check_lead_meeting
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, WrongState

GATHER_EVERY = timedelta(hours=1)
NOTES_CHARS_MAX = 20_000
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


def write_notes(*, cycle: ReviewCycle, notes: str, by: User, now: datetime) -> ReviewCycle:
    """Store the chair's notes, which become part of the minutes."""
    check_lead_meeting(person_of(by))
    if len(notes) > NOTES_CHARS_MAX:
        raise Invalid(f"The notes can have at most {NOTES_CHARS_MAX:,} characters.", field="notes")
    with transaction.atomic():
        row = _held(cycle)
        row.notes = notes
        row.save(update_fields=["notes"])
        record_cycle_event(kind="notes_written", cycle=row, by=by, now=now, details={"characters": len(notes)})
    return row


def close(*, cycle: ReviewCycle, by: User, now: datetime) -> ReviewCycle:
    """Close the meeting and issue its minutes. A closed cycle cannot be changed."""
    with transaction.atomic():
        row = _locked(cycle)
        check_lead_meeting(person_of(by))
        check_move(source=CycleState(row.state), target=CycleState.CLOSED)
        check_close_meeting(person_of(by), chair_id=row.chair_id)
        check_quorum(sides_present(row))
        row.minutes = markdown(minutes_of(row))
        row.minutes_digest = digest_of(row.minutes)
        row.state, row.closed_at, row.closed_by = CycleState.CLOSED, now, by
        row.save(update_fields=["minutes", "minutes_digest", "state", "closed_at", "closed_by"])
        record_cycle_event(kind="closed", cycle=row, by=by, now=now, details={"minutes": row.minutes_digest})
    return row


def _moved_by_time(row: ReviewCycle, by: User | None, now: datetime) -> bool:
    source = CycleState(row.state)
    while target := due_state(
        CycleState(row.state), collecting_at=row.collecting_at, cut_off_at=row.cut_off_at, now=now
    ):
        check_move(source=CycleState(row.state), target=target)
        agenda_refresh.refresh_agenda(cycle=row, by=by, now=now)
        record_cycle_event(kind=target.value, cycle=row, by=by, now=now, details={"before": row.state})
        row.state = target
        row.save(update_fields=["state"])
    return CycleState(row.state) is not source


def _is_stale(row: ReviewCycle, now: datetime) -> bool:
    return row.gathered_at is None or now - row.gathered_at >= GATHER_EVERY


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
