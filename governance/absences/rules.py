"""Permissions of absences: `check_` functions raise with a reason, `may_` functions return a bool."""

from governance.people.domain.roles import BINDING, Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed

ACTING = BINDING | {Role.REQUESTER}
"""The roles whose people are waited for."""


def check_state_absence(person: Person, *, user_id: int) -> None:
    """State and end an absence: whoever files or decides, and platform leads for other people."""
    if user_id != person.id:
        need_role(person, Role.PLATFORM_LEAD, to="state or end the absence of another person")
    elif not person.is_active:
        raise NotAllowed("Your account is not active. Ask an administrator.")
    elif not person.roles & ACTING:
        raise NotAllowed("Only people who file, judge, spend or administer state absences, and you have no such role.")


def check_propose_deputy(person: Person) -> None:
    """Propose a deputy with the roles of the absent person: platform leads."""
    need_role(person, Role.PLATFORM_LEAD, to="propose a deputy with the roles of another person")


def check_read_absences(person: Person) -> None:
    """Read the absences of all people: whoever states them for others, administrators and auditors."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="read the absences of all people")


may_state_for_others = may(check_propose_deputy)
may_state_absence = may(check_state_absence)
may_read_absences = may(check_read_absences)
