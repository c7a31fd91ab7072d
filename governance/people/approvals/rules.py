"""Permissions: `check_` functions raise with a reason, `may_` functions return a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role


def check_read_changes(person: Person) -> None:
    """Read changes: everyone who may propose some, and auditors."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="read proposed changes")


def may_read_changes(person: Person) -> bool:
    """Whether the person may read proposed changes."""
    return may(lambda: check_read_changes(person))
