"""Permissions: `check_` functions raise with a reason, `may_` functions return a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed


def check_handle_bills(person: Person) -> None:
    """Send bills, set rates and draft allocation rules: finance, platform leads and administrators."""
    need_role(person, Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN, to="handle bills")


def check_publish_allocation(person: Person, *, written_by_id: int | None) -> None:
    """Publish allocation rules: anyone who handles bills, except the author."""
    check_handle_bills(person)
    if written_by_id == person.id:
        raise NotAllowed("Authors cannot publish their own allocation rules. Ask another person.")


def check_see_bills(person: Person) -> None:
    """See complete bills, which contain the accounts of all teams: anyone who handles bills, and auditors."""
    need_role(person, Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="see bills")


may_handle_bills = may(check_handle_bills)
may_see_bills = may(check_see_bills)
