"""Absences and deputies: the days of an absence, and the right of a deputy during it.

Days are days of UTC, and both ends are included. A deputy has no more rights than the absent person and no more than
any other person: each must hold the role, or two people have given it to the deputy for this absence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from governance.people.domain.roles import BINDING, Person, Role
from weighbridge.core.errors import Invalid, NotAllowed

DAYS_MAX = 366
FAR = timedelta(days=DAYS_MAX)


@dataclass(frozen=True)
class Period:
    """The days of an absence, both ends included."""

    starts_on: date
    ends_on: date

    def covers(self, day: date) -> bool:
        """Whether the day is one of the period."""
        return self.starts_on <= day <= self.ends_on

    def overlaps(self, other: "Period") -> bool:
        """Whether the two periods have a day in common."""
        return self.starts_on <= other.ends_on and other.starts_on <= self.ends_on


def check_period(period: Period, *, today: date) -> None:
    """Raise Invalid unless the period begins today or within a year, ends after it begins, and is at most a year."""
    if not today <= period.starts_on <= today + FAR:
        raise Invalid("The first day must be today or a later day of the next 366 days.", field="starts_on")
    if not period.starts_on <= period.ends_on <= period.starts_on + FAR:
        wanted = f"The last day must be the first day or one of the {DAYS_MAX} days after it."
        raise Invalid(wanted, field="ends_on")


@dataclass(frozen=True, kw_only=True)
class Deputyship:
    """The right of a deputy to act in the place of an absent person while the absence is in force.

    `confirmed_roles` are those that two people gave the deputy for this absence; they count while the deputy has a
    binding role of their own. A deputy who is absent too has no right, so that no right is passed on.
    """

    absence_id: int
    absent: Person
    deputy: Person
    period: Period
    confirmed_roles: frozenset[Role] = field(default_factory=frozenset)
    is_deputy_absent: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        """The roles in which the deputy may act in the place of the absent person now."""
        is_in_force = self.absent.is_active and self.deputy.is_active and not self.is_deputy_absent
        given = self.confirmed_roles if self.deputy.roles & BINDING else frozenset[Role]()
        held = self.absent.roles & (self.deputy.roles | given)
        return held & BINDING if is_in_force else frozenset()

    def check_acts_as(self, role: Role) -> None:
        """Raise NotAllowed, with the reason for the deputy, unless the deputy may act in this role."""
        if role in self.roles:
            return
        name, words = self.absent.name or self.absent.username, role.label.lower()
        if self.is_deputy_absent:
            raise NotAllowed(f"You are absent too, so you cannot act in the place of {name}.", code="deputy_absent")
        if not (self.absent.is_active and role in self.absent.roles):
            raise NotAllowed(
                f"{name} does not have the role {words}, so nobody acts in it for them.", code="wrong_role"
            )
        raise NotAllowed(
            f"To act in the place of {name} as {words}, you need that role yourself, or a platform lead proposes it "
            "for this absence and an administrator confirms it.",
            code="wrong_role",
        )


def check_no_overlap(period: Period, others: Iterable[Period], *, reason: str, name: str) -> None:
    """Raise Invalid, with `reason` at the field `name`, if the period has a day in common with another one."""
    if any(period.overlaps(other) for other in others):
        raise Invalid(reason, field=name)
