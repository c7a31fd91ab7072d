"""Who may do what: `check_` raises with a reason, `may_` answers."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role


def check_read_findings(person: Person) -> None:
    """What the system noticed, of every team: platform leads, finance, administrators and auditors."""
    need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR, to="read findings")


def may_read_findings(person: Person) -> bool:
    """Whether the person may read every finding."""
    return may(lambda: check_read_findings(person))


def check_assign_finding(person: Person) -> None:
    """Saying who looks into a finding: platform leads, finance and administrators."""
    need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, to="assign a finding")


def may_assign_finding(person: Person) -> bool:
    """Whether the person may say who looks into a finding."""
    return may(lambda: check_assign_finding(person))


def check_close_finding(person: Person, *, owner_id: int | None) -> None:
    """Closing a finding: whoever owns it, platform leads, finance and administrators."""
    if not (person.is_active and person.id == owner_id):
        need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, to="close another person's finding")


def may_close_finding(person: Person, *, owner_id: int | None) -> bool:
    """Whether the person may close this finding."""
    return may(lambda: check_close_finding(person, owner_id=owner_id))
