"""People who are away, stated through the public actions."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from governance.absences.actions import absences, deputies
from governance.absences.domain import Period
from governance.absences.models import Absence
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from tests.factories.people import Cast

REASON = "The person fell ill yesterday."


def days(now: datetime, first: int = 0, last: int = 6) -> Period:
    """So many days after today."""
    return Period(now.date() + timedelta(days=first), now.date() + timedelta(days=last))


def make_absence(
    person: User, *, deputy: User | None = None, by: User | None = None, now: datetime, first: int = 0, last: int = 6
) -> Absence:
    """Absent from today for a week; for another person with a reason."""
    reason = "" if by in (None, person) else REASON
    return absences.state_absence(
        person=person, period=days(now, first, last), deputy=deputy, reason=reason, by=by or person, now=now
    )


def propose(absence: Absence, deputy: User, *, by: User, now: datetime) -> Change:
    return deputies.propose_deputy(absence=absence, deputy=deputy, reason=REASON, by=by, now=now)


def confirmed(person: User, deputy: User, *, cast: Cast, now: datetime) -> Absence:
    """Absent, with a deputy whom the lead proposed and the administrator confirmed."""
    absence = make_absence(person, now=now)
    approvals.confirm(change=propose(absence, deputy, by=cast.approver, now=now), by=cast.admin, now=now)
    absence.refresh_from_db()
    return absence
