"""Permissions: `check_` functions raise with a reason, `may_` functions return a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role

READERS = (Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR)
"""The roles that read the findings of all teams."""


def check_read_findings(person: Person) -> None:
    """Read the findings of all teams: platform leads, finance, administrators and auditors."""
    need_role(person, *READERS, to="read findings")


def check_assign_finding(person: Person) -> None:
    """Assign a finding: platform leads, finance and administrators."""
    need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, to="assign a finding")


def check_close_finding(person: Person, *, owner_id: int | None) -> None:
    """Close a finding: its owner, platform leads, finance and administrators."""
    if not (person.is_active and person.id == owner_id):
        need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, to="close another person's finding")


may_read_findings = may(check_read_findings)
may_assign_finding = may(check_assign_finding)
may_close_finding = may(check_close_finding)
