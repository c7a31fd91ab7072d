"""Reads of absences: which are in force, and who may act in whose place now."""

from collections.abc import Mapping
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from governance.absences.domain import Deputyship, Period, check_no_overlap
from governance.absences.models import Absence
from governance.absences.rules import may_read_absences
from governance.people.domain.roles import Person, Role
from governance.people.queries.people import name_of, person_of
from weighbridge.core.errors import Invalid, NotFound


def in_force(*, now: datetime) -> QuerySet[Absence]:
    """The absences of this day that nobody has ended."""
    today = now.date()
    rows = Absence.objects.select_related("person", "deputy")
    return rows.filter(ended_at=None, starts_on__lte=today, ends_on__gte=today)


def listed(*, person: Person, now: datetime) -> QuerySet[Absence]:
    """The absences of now and later that the person may see: their own, those as a deputy, and all for a lead."""
    rows = Absence.objects.select_related("person", "deputy", "stated_by", "change")
    rows = rows.filter(ended_at=None, ends_on__gte=now.date())
    return rows if may_read_absences(person) else rows.filter(Q(person=person.id) | Q(deputy=person.id))


def find(*, absence_id: int, person: Person, now: datetime) -> Absence:
    """One absence of now or later. Raises NotFound if it does not exist, is over, or the person may not see it."""
    row = listed(person=person, now=now).filter(pk=absence_id).first()
    if row is None:
        raise NotFound(f"There is no absence {absence_id} that you can see and that is not over.")
    return row


def absent_ids(*, now: datetime) -> frozenset[int]:
    """The ids of the people who are absent now."""
    return frozenset(in_force(now=now).values_list("person_id", flat=True))


def last_days(*, now: datetime) -> Mapping[int, date]:
    """The last day of the absence of each person who is absent now, by their id."""
    return dict(in_force(now=now).values_list("person_id", "ends_on"))


def absent_until(*, person_id: int, now: datetime) -> date | None:
    """The last day of the absence of this person that is in force, if there is one."""
    return in_force(now=now).filter(person=person_id).values_list("ends_on", flat=True).first()


def deputyships_of(deputy_id: int, *, now: datetime) -> tuple[Deputyship, ...]:
    """The absences of other people in which this person may act for them now, the longest known first."""
    rows = in_force(now=now).filter(deputy=deputy_id).order_by("pk")
    found = (_deputyship(row, row.deputy, now) for row in rows if row.deputy)
    return tuple(one for one in found if one.roles)


def deputies(*, now: datetime) -> Mapping[int, Deputyship | None]:
    """For the id of each person who is absent now: their deputyship, if a deputy is named."""
    found = {}
    for row in in_force(now=now).order_by("pk"):
        found[row.person_id] = _deputyship(row, row.deputy, now) if row.deputy else None
    return found


def periods_of(user: User) -> list[Period]:
    """The absences of this person that nobody has ended."""
    return [row.period for row in Absence.objects.filter(person=user, ended_at=None)]


def check_can_be_deputy(deputy: User, *, person: User, period: Period) -> None:
    """Raise Invalid unless this user can be the deputy: another, active person who is there on all of these days."""
    if deputy.pk == person.pk:
        raise Invalid("Nobody is their own deputy. Name another person.", field="deputy")
    if not User.objects.get(pk=deputy.pk).is_active:
        raise Invalid(f"The account {deputy.username} is closed.", field="deputy")
    away = f"{name_of(deputy)} is absent on some of these days too. Name a person who is there."
    check_no_overlap(period, periods_of(deputy), reason=away, name="deputy")


def _deputyship(row: Absence, deputy: User, now: datetime) -> Deputyship:
    return Deputyship(
        absence_id=row.pk,
        absent=person_of(row.person),
        deputy=person_of(deputy),
        period=row.period,
        confirmed_roles=frozenset(map(Role, row.confirmed_roles)),
        is_deputy_absent=in_force(now=now).filter(person=deputy).exists(),
    )
