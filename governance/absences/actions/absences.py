"""State an absence, and end it."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance.absences.domain import Period, check_no_overlap, check_period
from governance.absences.locking import lock, lock_people
from governance.absences.models import Absence
from governance.absences.queries import check_can_be_deputy, periods_of
from governance.absences.rules import check_state_absence
from governance.audit.actions import record as audit
from governance.people.domain.reasons import check_reason
from governance.people.domain.roles import BINDING
from governance.people.queries.people import name_of, person_of
from weighbridge.core.errors import Invalid, WrongState

FOR_ANOTHER = "The absence of another person needs a reason."


def state_absence(
    *, person: User, period: Period, deputy: User | None = None, reason: str = "", by: User, now: datetime
) -> Absence:
    """State that a person is away, with the deputy who acts in their place, if any.

    A deputy must share a role that judges, spends or administers with the person. Others are proposed afterwards
    (`deputies.propose_deputy`).
    """
    check_state_absence(person_of(by), user_id=person.pk)
    check_period(period, today=now.date())
    _check_reason(person, reason, by)
    with transaction.atomic():
        lock_people([person] if deputy is None else [person, deputy])
        if not User.objects.get(pk=person.pk).is_active:
            raise Invalid(f"The account {person.username} is closed.", field="person")
        own = "This person is absent on some of these days already. End that absence first, or choose other days."
        check_no_overlap(period, periods_of(person), reason=own, name="starts_on")
        if deputy is not None:
            _check_named(person, deputy, by)
            check_can_be_deputy(deputy, person=person, period=period)
        row = Absence.objects.create(
            person=person,
            deputy=deputy,
            starts_on=period.starts_on,
            ends_on=period.ends_on,
            reason=reason,
            stated_by=by,
            stated_at=now,
        )
        _record("stated", row, by, now, reason)
    return row


def end_absence(*, absence: Absence, reason: str = "", by: User, now: datetime) -> Absence:
    """End an absence, or take one back that has not begun. The right of its deputy ends at once."""
    check_state_absence(person_of(by), user_id=absence.person_id)
    _check_reason(absence.person, reason, by)
    with transaction.atomic():
        row = lock(absence)
        if row.ended_at is not None or row.ends_on < now.date():
            raise WrongState(f"{row} is already over.")
        row.ended_at, row.ended_by = now, by
        row.save(update_fields=["ended_at", "ended_by"])
        _record("ended", row, by, now, reason)
    return row


def _check_named(person: User, deputy: User, by: User) -> None:
    if deputy.pk == by.pk != person.pk:
        raise Invalid("You cannot name yourself as the deputy of another person.", field="deputy")
    if not person_of(person).roles & person_of(deputy).roles & BINDING:
        raise Invalid(
            f"{name_of(deputy)} has no role of {name_of(person)} that votes. State the absence without a deputy; a "
            "platform lead then proposes one, and an administrator confirms it.",
            field="deputy",
        )


def _check_reason(person: User, reason: str, by: User) -> None:
    if by.pk != person.pk or reason:
        check_reason(reason, why=FOR_ANOTHER if by.pk != person.pk else "")


def _record(word: str, row: Absence, by: User, now: datetime, reason: str) -> None:
    details: dict[str, Any] = {
        "absence": row.pk,
        "starts_on": str(row.starts_on),
        "ends_on": str(row.ends_on),
        "deputy": row.deputy.username if row.deputy else "",
    }
    subject = ("person", row.person.username)
    audit.record(kind=f"absence.{word}", by=by, subject=subject, details=details, reason=reason, now=now)
